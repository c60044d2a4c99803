// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:46:00Z
// Spec: openspec/specs/parity/spec.md#requirement-the-entries-to-paste
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxTemplate bounds the entries that are proposed at once: a list that long is not reviewed.
const maxTemplate = 200

// proposal is one entry on the way.
type proposal struct {
	category, key, cause string
	images               []string
	values               map[hybridcore.Platform]string
}

// Template are the entries for the allow-list that would make what is unexpected expected, without reason and owner:
// the list is refused until they are filled in.
func Template(all []hybridcore.Parity) string {
	var order []string
	entries := map[string]*proposal{}
	for _, p := range all {
		for _, d := range p.Unexpected {
			id := d.Category + " " + d.Key
			e := entries[id]
			if e == nil {
				e = &proposal{d.Category, d.Key, d.Cause, nil, map[hybridcore.Platform]string{}}
				entries[id], order = e, append(order, id)
			}
			if !slices.Contains(e.images, p.Image) {
				e.images = append(e.images, p.Image)
			}
			for platform, value := range map[hybridcore.Platform]string{d.A: d.InA, d.B: d.InB} {
				if value != "" {
					e.values[platform] = value
				}
			}
		}
	}
	var b strings.Builder
	for _, id := range order[:min(len(order), maxTemplate)] {
		entries[id].write(&b)
	}
	if more := len(order) - maxTemplate; more > 0 {
		fmt.Fprintf(&b, "# %d more are left out: an entry with * in its key allows several.\n", more)
	}
	if len(order) == 0 {
		b.WriteString("# Nothing is unexpected.\n")
	}
	return b.String()
}

func (e *proposal) write(b *strings.Builder) {
	for _, platform := range slices.Sorted(maps.Keys(e.values)) {
		fmt.Fprintf(b, "# %s: %.300s\n", platform, clean(e.values[platform]))
	}
	if e.cause != "" {
		fmt.Fprintf(b, "# cause: %.300s\n", clean(e.cause))
	}
	switch {
	case e.key == hybridcore.WholeSection:
		fmt.Fprintf(b, "# Cannot be allowed: %s was not compared.\n\n", e.category)
		return
	case slices.ContainsFunc(slices.Collect(maps.Values(e.values)),
		func(said string) bool { return strings.HasPrefix(said, notRead) }):
		fmt.Fprintf(b, "# Cannot be allowed: %s %s could not be read.\n\n", e.category, e.key)
		return
	case !slices.Contains(categories(), e.category):
		fmt.Fprintf(b, "# Cannot be allowed yet: nothing knows the section %s (docs/extending/section.md).\n\n", e.category)
		return
	case len(e.key) > maxGlob || strings.Count(e.key, "*") > maxStars:
		fmt.Fprintf(b, "# %s %.100s…: the key is too long; write the part that matters, with *.\n\n", e.category, e.key)
		return
	}
	fmt.Fprintf(b, "allow %s %s {\n  platforms = [%s]\n  images    = [%s]\n  reason    = \"\"\n  owner     = \"\"\n}\n\n",
		quote(e.category), quote(e.key), quotedList(slices.Sorted(maps.Keys(e.values))), quotedList(e.images))
}

func quotedList[T ~string](all []T) string {
	var quoted []string
	for _, text := range all {
		quoted = append(quoted, quote(string(text)))
	}
	return strings.Join(quoted, ", ")
}

// quote makes a text a string of HCL.
func quote(value string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(value))
}
