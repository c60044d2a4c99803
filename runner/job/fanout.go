// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:10:42Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package job

import (
	"slices"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// fanOut makes the jobs that other machines do, and returns the exit code of
// that: a job that was to plan a build must not end well without them.
func (j *job) fanOut(code int) int {
	build := slices.ContainsFunc(j.asked.Requests,
		func(r hybridcore.Request) bool { return r.Action == hybridcore.ActionBuild })
	plan := j.planned()
	switch {
	case !j.own.Plan && plan == nil, len(j.asked.Requests) == 0:
		return hybridcore.ExitOK
	case j.own.Plan && !build:
		plan = nil // nothing is built, whatever was planned
	case j.own.Plan && plan == nil && code == hybridcore.ExitOK:
		j.say("blocked: there is no plan that the jobs of this build could go by")
		return hybridcore.ExitBlocked
	case plan == nil:
		return hybridcore.ExitOK // why was said where it was planned
	}
	shares := forge.Shares{Plan: plan, Runners: j.asked.Runners()}
	share := j.host.forge.Jobs.Share
	if share == nil {
		return hybridcore.ExitOK
	}
	var err error
	if j.own.Plan {
		shares.Decision, err = j.asked.Decision()
	}
	if err == nil {
		j.fanned, err = share(shares)
	}
	switch {
	case err == nil:
	case j.own.Plan:
		j.say("blocked: %v", err)
		return hybridcore.ExitBlocked
	default:
		j.try("the jobs of this plan", err)
	}
	return hybridcore.ExitOK
}

// planned is the plan of what is to be built, if the job made one: where a build
// is planned, that of the last request. A stranger's change gets an empty one,
// whatever it plans.
func (j *job) planned() *hybridcore.Plan {
	for _, c := range slices.Backward(j.answers) {
		if c.req.Action != hybridcore.ActionPlan || c.plan == nil || c.plan.Base != nil ||
			hybridcore.Blocked(c.plan.Findings) != hybridcore.NotBlocked {
			continue
		}
		if j.own.Plan && c.at != len(j.Requests)-1 {
			continue
		}
		plan := *c.plan
		if j.Unreviewed {
			plan.Targets = nil
		}
		return &plan
	}
	return nil
}
