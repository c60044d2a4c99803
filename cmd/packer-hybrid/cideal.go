// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:43:47Z
// Spec: openspec/specs/ci/spec.md#requirement-dealt-out-builds
// Diagram: openspec/specs/ci/diagram.md#fan-out

package main

import (
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// dealing is what a job does of a build on several machines. The zero value is
// all of it.
type dealing struct {
	deal    bool     // plan the build, for the output matrix or the child pipeline
	collect []string // folders of the parts that were built
}

// requests are what is left for this job of what the event asks for: a build is
// only planned, or only collected. The first job does everything else besides.
func (d dealing) requests(all []hybridcore.Request) ([]hybridcore.Request, error) {
	if !d.deal && len(d.collect) == 0 {
		return all, nil
	}
	var left []hybridcore.Request
	builds := 0
	for _, r := range all {
		if r.Action != hybridcore.ActionBuild || r.Part != "" {
			if d.deal {
				left = append(left, r)
			}
			continue
		}
		if builds++; builds > 1 {
			return nil, hybridcore.Usagef("the event asks for several builds, and one can be dealt out: declare one line with `build` in the block ci of packer-hybrid.hcl")
		}
		if r.RetryFailed != "" {
			return nil, hybridcore.Usagef("what failed in run %s is built again by one job: leave --deal and --collect out for it, or build the targets that failed", r.RetryFailed)
		}
		one := hybridcore.Request{
			Action: hybridcore.ActionPlan, Env: r.Env, Images: r.Images, Platforms: r.Platforms, Rebuild: r.Rebuild, Pin: r.Pin, Origin: r.Origin,
		}
		if len(d.collect) > 0 {
			one.Action, one.From = hybridcore.ActionCollect, slices.Clone(d.collect)
		}
		left = append(left, one)
	}
	return left, nil
}
