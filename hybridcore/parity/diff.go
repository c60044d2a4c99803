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
		all = append(all, hybridcore.Difference{Category: c.Category, Key: c.Key, A: a.Platform, B: b.Platform, InA: c.Was, InB: c.Now})
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
		if gapOld || gapNow {
			all = append(all, hybridcore.Change{Category: category, Key: section, Was: readState(whyOld, gapOld), Now: readState(whyNow, gapNow)})
			continue
		}
		all = merge(all, category, old.sections[category], now.sections[category])
	}
	return all
}

func readState(why string, gap bool) string {
	if !gap {
		return "read"
	}
	return "not read: " + hclfile.Printable(why)
}

// merge walks two sorted lists side by side.
func merge(all []hybridcore.Change, category string, old, now []Entry) []hybridcore.Change {
	add := func(key, was, is string) {
		all = append(all, hybridcore.Change{Category: category, Key: clean(key), Was: clean(was), Now: clean(is)})
	}
	i, j := 0, 0
	for i < len(old) && j < len(now) {
		a, b := &old[i], &now[j]
		switch order := strings.Compare(a.Key, b.Key); {
		case order < 0:
			add(a.Key, a.text(), "")
			i++
		case order > 0:
			add(b.Key, "", b.text())
			j++
		default:
			if *a != *b {
				add(a.Key, a.text(), b.text())
			}
			i, j = i+1, j+1
		}
	}
	for ; i < len(old); i++ {
		add(old[i].Key, old[i].text(), "")
	}
	for ; j < len(now); j++ {
		add(now[j].Key, "", now[j].text())
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
