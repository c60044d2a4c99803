// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// maxKeys bounds the keys that are listed for one entry of the allow-list.
const maxKeys = 100

// Diff lists the differences of two sides, in the order of categories and keys.
func Diff(a, b Side) []hybridcore.Difference {
	var all []hybridcore.Difference
	for _, c := range Against(a.Inventory, b.Inventory) {
		all = append(all, hybridcore.Difference{
			Category: c.Category, Key: c.Key, Package: c.Package, A: a.Platform, B: b.Platform, InA: c.Was,
			InB: c.Now,
		})
	}
	return all
}

// Against lists what is not in one inventory as it was in another, in the
// order of categories and keys.
func Against(old, now Normal) []hybridcore.Change {
	var all []hybridcore.Change
	for _, category := range categoriesOf(old, now) {
		whyOld, gapOld := old.unread[category]
		whyNow, gapNow := now.unread[category]
		switch {
		case gapOld || gapNow:
			all = append(all, hybridcore.Change{
				Category: category, Key: hybridcore.WholeSection, Was: readState(whyOld, gapOld),
				Now: readState(whyNow, gapNow),
			})
		case category == "files" && (old.scope == nil) != (now.scope == nil):
			all = append(all, hybridcore.Change{
				Category: category, Key: hybridcore.WholeSection, Was: old.listing(), Now: now.listing(),
			})
		default:
			all = merge(all, category, old, now)
		}
	}
	return all
}

func readState(why string, gap bool) string {
	if !gap {
		return "read"
	}
	return notRead + hclfile.Printable(why)
}

// merge walks two sorted lists side by side.
func merge(all []hybridcore.Change, category string, was, is Normal) []hybridcore.Change {
	old, now := was.sections[category], is.sections[category]
	contents := was.scope != nil && is.scope != nil
	add := func(key string, a, b *Entry) {
		c := hybridcore.Change{Category: category, Key: clean(key), Package: clean(packageOf(a, b))}
		if a != nil {
			c.Was = clean(a.text())
		}
		if b != nil {
			c.Now = clean(b.text())
		}
		if a != nil && b != nil && c.Was == c.Now && a.Content != b.Content {
			c.Was, c.Now = c.Was+", brings "+clean(a.content()), c.Now+", brings "+clean(b.content())
		}
		all = append(all, c)
	}
	i, j := 0, 0
	for i < len(old) || j < len(now) {
		var order int
		switch {
		case j == len(now):
			order = -1
		case i == len(old):
			order = 1
		default:
			order = strings.Compare(old[i].Key, now[j].Key)
		}
		switch {
		case order < 0:
			if !comesWith(category, &old[i], is) {
				add(old[i].Key, &old[i], nil)
			}
			i++
		case order > 0:
			if !comesWith(category, &now[j], was) {
				add(now[j].Key, nil, &now[j])
			}
			j++
		default:
			if !old[i].is(&now[j], contents) {
				add(old[i].Key, &old[i], &now[j])
			}
			i, j = i+1, j+1
		}
	}
	return all
}

// clean makes a guest's text fit for a report; most texts are as they are.
func clean(text string) string {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return hclfile.Printable(text)
		}
	}
	return text
}

// Report bounds and counts the changes of one target.
func Report(image string, old, now Side) hybridcore.Changes {
	all := Against(old.Inventory, now.Inventory)
	r := hybridcore.Changes{
		Image: image, Platform: now.Platform, From: old.Run, To: now.Run, Counts: []hybridcore.ChangeCount{},
		Changes: append([]hybridcore.Change{}, all[:min(len(all), hybridcore.MaxDifferences)]...),
	}
	for _, c := range all {
		if n := len(r.Counts); n == 0 || r.Counts[n-1].Category != c.Category {
			r.Counts = append(r.Counts, hybridcore.ChangeCount{Category: c.Category})
		}
		count := &r.Counts[len(r.Counts)-1]
		switch {
		case c.Was == "":
			count.Added++
		case c.Now == "":
			count.Removed++
		default:
			count.Changed++
		}
	}
	return r
}
