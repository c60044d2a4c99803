// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:10:42Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package job

import (
	"fmt"
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
	shares := forge.Shares{Plan: plan, Runners: j.asked.Runners(), Next: following(j)}
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

// following are the plans of the environments that a merge is built for later, as far
// as they could be made.
func following(j *job) []hybridcore.Plan {
	var all []hybridcore.Plan
	for _, c := range j.answers {
		switch {
		case c.at < len(j.Requests)-j.ahead:
		case c.plan == nil || hybridcore.Blocked(c.plan.Findings) != hybridcore.NotBlocked || len(c.extra) > 0:
			j.problems = append(j.problems, "no jobs for "+c.req.Env+" follow, because it could not be planned: see above")
			return all
		case len(c.plan.Pending()) > forge.MaxFollowing:
			j.problems = append(j.problems, fmt.Sprintf("no jobs for %s follow: %d targets are to be built, and %d at once "+
				"can be approved; ask for fewer with PACKER_HYBRID_COMMAND", c.req.Env, len(c.plan.Pending()), forge.MaxFollowing))
			return all
		default:
			all = append(all, *c.plan)
		}
	}
	return all
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
		if j.own.Plan && c.at != len(j.Requests)-1-j.ahead {
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
