// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:15:43Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Side is one image on one platform.
type Side struct {
	Platform  hybridcore.Platform
	Run       string // that built it
	Inventory Normal
}

// Set is one image on the platforms that it was built for.
type Set struct {
	Image    string
	Sides    []Side               // in report order, each platform once
	Findings []hybridcore.Finding // about the sides, each for itself
}

// Rules are what a comparison is judged by.
type Rules struct {
	Env     string
	Allow   Allow
	Origins Origins
}

// Compare compares the sides of every image. The entries of the allow-list
// that could have matched and did not are findings of the last image.
func Compare(sets []Set, rules Rules) []hybridcore.Parity {
	var all []hybridcore.Parity
	used := map[int]bool{}
	for _, set := range sets {
		all = append(all, compare(set, rules, used))
	}
	if len(all) > 0 {
		last := &all[len(all)-1]
		last.Findings = append(last.Findings, rules.Allow.stale(sets, used)...)
	}
	return all
}

// comparison is one image on the way to its result.
type comparison struct {
	rules      Rules
	counts     map[hybridcore.ParityCount]*hybridcore.ParityCount // by category and pair
	keys       map[int]map[string]bool                            // by entry: the keys it was needed for
	unexpected []hybridcore.Difference
}

func compare(set Set, rules Rules, used map[int]bool) hybridcore.Parity {
	c := comparison{rules: rules, counts: map[hybridcore.ParityCount]*hybridcore.ParityCount{}, keys: map[int]map[string]bool{}}
	p := hybridcore.Parity{
		Image: set.Image, Policy: rules.Allow.Policy(rules.Env, set.Image), Manifests: manifests(set, rules.Allow),
		Pairs: []hybridcore.ParityCount{}, Expected: []hybridcore.Expected{}, Findings: append([]hybridcore.Finding{}, set.Findings...),
	}
	var all []Normal
	for _, side := range set.Sides {
		all = append(all, side.Inventory)
	}
	known := categoriesOf(all...)
	for i, a := range set.Sides {
		for _, b := range set.Sides[i+1:] {
			for _, d := range Diff(a, b) {
				c.judge(set.Image, d)
			}
			for _, category := range known {
				if n := c.counts[hybridcore.ParityCount{Category: category, A: a.Platform, B: b.Platform}]; n != nil {
					p.Pairs = append(p.Pairs, *n)
				}
			}
		}
	}
	for i, e := range rules.Allow.entries {
		if len(c.keys[i]) > 0 {
			used[i] = true
			p.Expected = append(p.Expected, hybridcore.Expected{
				Entry: e.place(), Reason: e.reason, Owner: e.owner, Keys: slices.Sorted(maps.Keys(c.keys[i])),
			})
		}
	}
	slices.SortStableFunc(c.unexpected, func(a, b hybridcore.Difference) int {
		return cmp.Or(slices.Index(known, a.Category)-slices.Index(known, b.Category), strings.Compare(a.Key, b.Key))
	})
	shown := min(len(c.unexpected), hybridcore.MaxDifferences)
	p.Unlisted, p.Unexpected = len(c.unexpected)-shown, append([]hybridcore.Difference{}, c.unexpected[:shown]...)
	for i := range p.Unexpected {
		p.Unexpected[i].Cause = rules.Origins.cause(p.Unexpected[i])
	}
	return p
}

func (c *comparison) judge(image string, d hybridcore.Difference) {
	id := hybridcore.ParityCount{Category: d.Category, A: d.A, B: d.B}
	n := c.counts[id]
	if n == nil {
		n = &hybridcore.ParityCount{Category: d.Category, A: d.A, B: d.B}
		c.counts[id] = n
	}
	entries := c.rules.Allow.expects(image, d)
	if len(entries) == 0 {
		n.Unexpected++
		c.unexpected = append(c.unexpected, d)
		return
	}
	n.Expected++
	for _, i := range entries {
		if c.keys[i] == nil {
			c.keys[i] = map[string]bool{}
		}
		if len(c.keys[i]) < maxKeys {
			c.keys[i][d.Category+" "+d.Key] = true
		}
	}
}

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

// section is the key of the one difference of a category that a guest could
// not read.
const section = "(section)"

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
