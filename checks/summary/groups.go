// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:36:00Z
// Spec: openspec/specs/parity/spec.md#requirement-what-an-image-is-made-of
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package summary

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Bounds of what a report says of the unexpected differences of one image.
const (
	inFull    = 4 // keys of a group that are shown with their values
	maxGroups = 25
	maxNames  = 8 // keys of a group that are only named
)

// Group is what differs in one category; of files in one package, or in one folder.
type Group struct {
	Name  string // such as "files of nginx" or "files in /etc/nginx"
	Shown []Differing
	Named []string // keys behind those, the first of them
	More  int      // keys that are not even named
}

// Rest says what a group has besides what is shown; nothing where that is all.
func (g Group) Rest() string {
	n := len(g.Named) + g.More
	if n == 0 {
		return ""
	}
	rest := fmt.Sprintf("and %d more %s: %s", n, g.Name, strings.Join(g.Named, ", "))
	if g.More > 0 {
		rest += ", …"
	}
	return rest
}

// Groups puts the unexpected differences of an image together, and bounds them: where there are many folders, by
// the folders above. The number is that of the keys in groups beyond the bound.
func Groups(one hybridcore.Parity) ([]Group, int) {
	groups, beyond := grouped(one, 2)
	if beyond > 0 {
		return grouped(one, 1)
	}
	return groups, beyond
}

func grouped(one hybridcore.Parity, depth int) ([]Group, int) {
	var groups []Group
	at, beyond := map[string]int{}, 0
	for _, d := range ByKey(one.Unexpected) {
		name := groupOf(d.Difference, depth)
		i, seen := at[name]
		switch {
		case !seen && len(groups) == maxGroups:
			beyond++
			continue
		case !seen:
			i = len(groups)
			at[name] = i
			groups = append(groups, Group{Name: name})
		}
		g := &groups[i]
		switch {
		case len(g.Shown) < inFull:
			g.Shown = append(g.Shown, d)
		case len(g.Named) < maxNames:
			g.Named = append(g.Named, d.Key)
		default:
			g.More++
		}
	}
	return groups, beyond
}

// groupOf names the group of a difference: of a file its package, or a folder with so many above it, in /usr one more.
func groupOf(d hybridcore.Difference, depth int) string {
	switch {
	case d.Category != "files" || !strings.HasPrefix(d.Key, "/"):
		return d.Category
	case d.Package != "":
		return "files of " + d.Package
	}
	parts := strings.Split(path.Dir(d.Key), "/") // the first is empty
	if len(parts) > 1 && parts[1] == "usr" {
		depth++
	}
	return "files in " + cmp.Or(strings.Join(parts[:min(depth+1, len(parts))], "/"), "/")
}

// Scope says what of the files of an image was compared, and what was not, a sentence each.
func Scope(one hybridcore.Parity) []string {
	var scopes []hybridcore.Scope
	var fixed []string
	for _, m := range one.Manifests {
		if m.Scope == nil {
			fixed = append(fixed, string(m.Platform))
		} else {
			scopes = append(scopes, *m.Scope)
		}
	}
	if len(fixed) > 0 {
		said := "compared: packages, and a fixed list of files, as inventories of format 1 and 2 have it; " +
			"a new build compares whole folders"
		if len(scopes) > 0 {
			said = "not compared: files, because the inventory of " + strings.Join(fixed, " and ") +
				" has a fixed list of files, and that of the others whole folders; the digests do not compare either"
		}
		return []string{said}
	}
	if len(scopes) == 0 {
		return nil
	}
	count := func(text string, of func(hybridcore.Scope) int) string {
		least, most := of(scopes[0]), of(scopes[0])
		for _, s := range scopes {
			least, most = min(least, of(s)), max(most, of(s))
		}
		switch {
		case most == 0:
			return ""
		case least == most:
			return fmt.Sprintf(text, fmt.Sprint(most))
		}
		return fmt.Sprintf(text, fmt.Sprintf("%d to %d", least, most))
	}
	said := []string{"compared: packages, all of " + some(scopes[0].Folders, "/etc", "/usr/local", "/opt", "/srv") +
		count(", %s files as their packages brought them", func(s hybridcore.Scope) int { return s.PackageFiles })}
	var not []string
	for _, part := range []string{
		count("%s paths, left out by rules", func(s hybridcore.Scope) int { return s.LeftOut }),
		count("the content of %s files, each machine's own", func(s hybridcore.Scope) int { return s.Own }),
		count("the content of %s files, too large", func(s hybridcore.Scope) int { return s.BySize }),
		count("the content of %s files of packages, without a digest",
			func(s hybridcore.Scope) int { return s.NoDigest }),
		count("%s files, unreadable", func(s hybridcore.Scope) int { return s.Unread }),
	} {
		if part != "" {
			not = append(not, part)
		}
	}
	if elsewhere := notEntered(scopes); len(elsewhere) > 0 {
		not = append(not, "other file systems: "+some(elsewhere))
	}
	if len(not) > 0 {
		said = append(said, "not compared: "+strings.Join(not, "; "))
	}
	return said
}

func notEntered(scopes []hybridcore.Scope) []string {
	var all []string
	for _, s := range scopes {
		all = append(all, s.NotEntered...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// some lists texts, those first that a reader looks for, and how many there are besides.
func some(list []string, first ...string) string {
	rest := slices.DeleteFunc(slices.Clone(list), func(text string) bool { return slices.Contains(first, text) })
	first = slices.DeleteFunc(slices.Clone(first), func(text string) bool { return !slices.Contains(list, text) })
	all := append(first, rest...)
	shown := all[:min(len(all), maxNames-2)]
	text := strings.Join(shown, ", ")
	if more := len(all) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
