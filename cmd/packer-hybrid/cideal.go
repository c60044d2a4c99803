// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:43:47Z
// Spec: openspec/specs/ci/spec.md#requirement-dealt-out-builds
// Diagram: openspec/specs/ci/diagram.md#fan-out

package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// dealing is what a job does of a build on several machines, and of what the
// event asks for besides. The zero value is all of it.
type dealing struct {
	deal    bool     // what comes before the build; the build itself is only planned, for the output matrix or the child pipeline
	collect []string // the build, from the folders of its parts
	after   bool     // what comes after the build
}

func (d *dealing) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.deal, "deal", false, "only plan a build, so that other jobs build it: the output matrix, or pipeline.yml, has them; the output after is true when more is to be done")
	cmd.Flags().StringSliceVar(&d.collect, "collect", nil, "only collect a build from these folders, in which other jobs left its parts")
	cmd.Flags().BoolVar(&d.after, "after", false, "only do what comes after the build that was collected")
}

// check refuses a job of two kinds.
func (d dealing) check() error {
	kinds := 0
	for _, is := range []bool{d.deal, len(d.collect) > 0, d.after} {
		if is {
			kinds++
		}
	}
	if kinds > 1 {
		return hybridcore.Usagef("--deal, --collect and --after are for three jobs, one after the other: give one of them")
	}
	return nil
}

// share leaves a job what is its own of what the event asks for, and says whether
// something is left for the job after the build.
func (d dealing) share(job *ci.Job) (bool, error) {
	now, later, err := d.requests(job.Requests)
	if err != nil {
		return false, err
	}
	if len(job.Requests) > 0 && len(now) == 0 {
		job.Nothing = "what the event asks for is done by other jobs"
	}
	job.Requests = now
	return len(later) > 0, nil
}

// requests are what is this job's of what the event asks for, and what is left
// for the job after the build.
func (d dealing) requests(all []hybridcore.Request) (now, later []hybridcore.Request, err error) {
	build := func(r hybridcore.Request) bool { return r.Action == hybridcore.ActionBuild && r.Part == "" }
	at := slices.IndexFunc(all, build)
	switch {
	case !d.deal && len(d.collect) == 0 && !d.after:
		return all, nil, nil
	case at < 0 && d.deal:
		return all, nil, nil
	case at < 0:
		return nil, nil, nil
	case slices.ContainsFunc(all[at+1:], build):
		return nil, nil, hybridcore.Usagef("the event asks for several builds, and one can be dealt out: declare one line with `build` in the block ci of packer-hybrid.hcl")
	case all[at].RetryFailed != "":
		return nil, nil, hybridcore.Usagef("what failed in run %s is built again by one job: leave --deal and --collect out for it, or build the targets that failed", all[at].RetryFailed)
	case d.after:
		return all[at+1:], nil, nil
	}
	r := all[at]
	one := hybridcore.Request{
		Action: hybridcore.ActionPlan, Env: r.Env, Images: r.Images, Platforms: r.Platforms, Rebuild: r.Rebuild, Pin: r.Pin, Origin: r.Origin,
	}
	if len(d.collect) > 0 {
		one.Action, one.From = hybridcore.ActionCollect, slices.Clone(d.collect)
		return []hybridcore.Request{one}, nil, nil
	}
	return append(slices.Clone(all[:at]), one), all[at+1:], nil
}
