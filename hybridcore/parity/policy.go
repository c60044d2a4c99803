// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:41Z
// Spec: openspec/specs/parity/spec.md#requirement-reviewed-allow-list
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// expects returns the entries by which a difference is expected, none when it
// is not. The entries take their keys out of some platforms; the difference is
// expected when what remains is equal. Sections that were not read are never
// expected.
func (a Allow) expects(image string, d hybridcore.Difference) []int {
	var needed []int
	inA, inB := d.InA, d.InB
	for i, e := range a.entries {
		key := e.covers(image, d.Category, d.Key)
		takesA := e.takes(d.A) && (key || e.coversFile(image, d.Category, d.InA))
		takesB := e.takes(d.B) && (key || e.coversFile(image, d.Category, d.InB))
		if !d.Compared() || (!takesA && !takesB) {
			continue
		}
		needed = append(needed, i)
		if takesA {
			inA = ""
		}
		if takesB {
			inB = ""
		}
	}
	if inA != inB {
		return nil
	}
	return needed
}

// coversFile says whether an entry is about the package that alone brings a
// file, of which an inventory says a text.
func (e entry) coversFile(image, category, said string) bool {
	if e.category != "packages" || category != "files" {
		return false
	}
	name, _ := owner(said)
	return brought(name, said) && e.covers(image, "packages", name)
}

// stale finds entries that were about what was compared and matched nothing.
func (a Allow) stale(sets []Set, used map[int]bool) []hybridcore.Finding {
	var findings []hybridcore.Finding
	for i, e := range a.entries {
		var images []string
		for _, s := range sets {
			about := len(e.images) == 0 || slices.Contains(e.images, s.Image)
			if about && len(s.Sides) > 1 && e.needed(s.Sides) {
				images = append(images, s.Image)
			}
		}
		if used[i] || len(images) == 0 {
			continue
		}
		findings = append(findings, hybridcore.Finding{
			Kind: "parity", Subject: e.category + " " + e.glob, File: e.file, Line: e.line, Severity: hybridcore.Warning,
			Message: fmt.Sprintf("stale: no difference of %s needs the entry %s %q", strings.Join(images, ", "), e.category,
				e.glob),
			Hint: "remove it, or name the images that need it",
		})
	}
	return findings
}

// content are the categories that the content manifest is over.
var content = []string{"packages", "files"}

// manifests makes the content manifest of every side: one line an entry, of
// category, key and value with their lengths, so that no two inventories have
// the same text. An allowed key is left out where it is allowed, with the files
// that an allowed package brings; a key that is the same on all sides stays.
func manifests(set Set, allow Allow) []hybridcore.Manifest {
	differs := map[[2]string]bool{}
	for i, a := range set.Sides {
		for _, b := range set.Sides[i+1:] {
			for _, d := range Diff(a, b) {
				differs[[2]string{d.Category, d.Key}] = true
			}
		}
	}
	var all []hybridcore.Manifest
	for _, s := range set.Sides {
		m := hybridcore.Manifest{
			Platform: s.Platform, Run: s.Run, Packages: s.Inventory.Len("packages"),
			Files: s.Inventory.Len("files") - s.Inventory.rules,
			Scope: s.Inventory.scope,
		}
		out := func(category, key string) bool {
			return (len(set.Sides) == 1 || differs[[2]string{category, key}]) && allow.removes(set, s.Platform, category, key)
		}
		sum, whole := sha256.New(), true
		for _, category := range content {
			if _, gap := s.Inventory.unread[category]; gap {
				whole = false
			}
			for _, e := range s.Inventory.sections[category] {
				whole = whole && !e.unread()
				if out(category, clean(e.Key)) || e.brought() && out("packages", clean(e.Package)) {
					continue
				}
				writeEntry(sum, category, e)
			}
		}
		if whole {
			m.SHA256 = hex.EncodeToString(sum.Sum(nil))
		}
		all = append(all, m)
	}
	return all
}

// removes says whether a key is taken out of the manifest of a platform.
func (a Allow) removes(set Set, platform hybridcore.Platform, category, key string) bool {
	return slices.ContainsFunc(a.entries,
		func(e entry) bool { return e.takes(platform) && e.covers(set.Image, category, key) })
}

func writeEntry(sum hash.Hash, category string, e Entry) {
	line := make([]byte, 0, 256)
	parts := []string{category, e.Key, e.Value, e.Qualifier, e.Content}
	if e.Content == "" { // as before there were any
		parts = parts[:4]
	}
	for _, part := range parts {
		line = strconv.AppendInt(line, int64(len(part)), 10)
		line = append(append(append(line, ':'), part...), ' ')
	}
	_, _ = sum.Write(append(line, '\n')) // a hash never fails
}

// needed says whether a comparison could have needed the entry: it had one of
// the platforms that the entry names, and one that it does not name unless it
// names all that there are.
func (e entry) needed(sides []Side) bool {
	named, other := false, len(e.platforms) == len(hybridcore.Platforms())
	for _, s := range sides {
		if slices.Contains(e.platforms, s.Platform) {
			named = true
		} else {
			other = true
		}
	}
	return named && other
}
