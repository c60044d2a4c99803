// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:05:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package compare

import (
	"context"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

// Released compares the platforms of each image of which two are built.
func (s Stage) Released(ctx context.Context, targets []hybridcore.Result, rules parity.Rules) []hybridcore.Parity {
	var sets []parity.Set
	var failed []hybridcore.Parity
	byImage := map[string][]image{}
	for _, res := range targets {
		if res.Artifact != nil {
			byImage[res.Image] = append(byImage[res.Image], image{
				name: res.Image, platform: res.Platform,
				inventory: res.Inventory, inputs: res.Inputs,
			})
		}
	}
	for _, res := range targets {
		group := byImage[res.Image]
		delete(byImage, res.Image)
		if len(group) == 1 {
			failed = append(failed, s.alone(ctx, group[0])...)
		}
		if len(group) < 2 {
			continue
		}
		if at := slices.IndexFunc(group, func(i image) bool { return i.inventory == nil }); at >= 0 {
			failed = append(failed, notComparable(res.Image,
				"the build for "+group[at].platform.Info().Title+" left no inventory"))
			continue
		}
		for i := range group {
			group[i].run = inventoryRun(group[i].inventory)
		}
		set, err := s.loadSet(ctx, group)
		if err != nil {
			failed = append(failed, notComparable(res.Image, s.Project.Redact(err.Error())))
			continue
		}
		sets = append(sets, set)
	}
	return append(parity.Compare(sets, rules), failed...)
}

// alone blocks an image of one platform, with which none is compared, if its
// guest is another system, or nothing says which it is.
func (s Stage) alone(ctx context.Context, one image) []hybridcore.Parity {
	if one.inventory == nil {
		return []hybridcore.Parity{notComparable(one.name, "the build for "+one.platform.Info().Title+" left no inventory")}
	}
	one.run = inventoryRun(one.inventory)
	set, err := s.loadSet(ctx, []image{one})
	switch {
	case err != nil:
		return []hybridcore.Parity{notComparable(one.name, s.Project.Redact(err.Error()))}
	case hybridcore.Blocked(set.Findings) == hybridcore.NotBlocked:
		return nil
	}
	return []hybridcore.Parity{{Image: one.name, Policy: hybridcore.ParityBlock, Findings: set.Findings}}
}
