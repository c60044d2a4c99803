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
)

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
	c := comparison{
		rules: rules, counts: map[hybridcore.ParityCount]*hybridcore.ParityCount{},
		keys: map[int]map[string]bool{},
	}
	p := hybridcore.Parity{
		Image: set.Image, Policy: rules.Allow.Policy(rules.Env, set.Image), Manifests: manifests(set, rules.Allow),
		Pairs: []hybridcore.ParityCount{}, Expected: []hybridcore.Expected{},
		Findings: append([]hybridcore.Finding{}, set.Findings...),
	}
	var all []Normal
	for _, side := range set.Sides {
		all = append(all, side.Inventory)
	}
	known := categoriesOf(all...)
	for i, a := range set.Sides {
		for _, b := range set.Sides[i+1:] {
			for _, d := range Diff(a, b) {
				c.check(set.Image, d)
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
	shown := min(len(c.unexpected), cmp.Or(rules.Listed, hybridcore.MaxDifferences))
	p.Unlisted, p.Unexpected = len(c.unexpected)-shown, append([]hybridcore.Difference{}, c.unexpected[:shown]...)
	for i := range p.Unexpected[:min(shown, hybridcore.MaxDifferences)] {
		p.Unexpected[i].Cause = rules.Origins.cause(p.Unexpected[i])
	}
	return p
}

func (c *comparison) check(image string, d hybridcore.Difference) {
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
