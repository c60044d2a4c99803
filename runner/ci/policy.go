// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Policy is what the project says about events: lines of the shared grammar
// for each kind. A nil list takes the default, an empty one means nothing.
type Policy struct {
	Change   []string // a pull or merge request is new or has new commits
	Merge    []string // a push to the default branch
	Tag      []string
	Schedule []string
	// DefaultEnv is meant by a line that names no environment.
	DefaultEnv string
	// Prod are the environments that only merged code is built for.
	Prod []string

	input string // the action's own command line, which counts instead of the others
}

// only is the policy of a job whose workflow gives the line itself.
func (p Policy) only(line string) Policy {
	all := []string{line}
	p.Change, p.Merge, p.Tag, p.Schedule, p.input = all, all, all, all, line
	return p
}

// Default is the policy of a project that declares none.
func Default() Policy {
	return Policy{
		Change:   []string{"plan", "validate"},
		Merge:    []string{"build"},
		Tag:      []string{"build", "publish"},
		Schedule: []string{"plan", "reap"},
	}
}

// lines are the policy's lines for one kind of event.
func lines(declared, standard []string) []string {
	if declared == nil {
		return standard
	}
	return declared
}

// run ends the reading of an event with the requests of the policy's lines.
func (j Job) run(kind string, declared []string, policy Policy) (Job, error) {
	if len(declared) == 0 {
		return j.nothing("the policy of this project says that nothing is done for a %s", kind)
	}
	var requests []hybridcore.Request
	for _, line := range declared {
		r, err := hybridcore.Parse(line)
		if err != nil {
			return Job{}, fmt.Errorf("the policy for a %s: %w", kind, err)
		}
		requests = append(requests, r)
	}
	return j.allow(requests, policy)
}

// allow keeps the requests that code of this trust may make, and completes
// them. What is asked for in prod without being merged is an error, so that
// nobody takes the silence for a build.
func (j Job) allow(requests []hybridcore.Request, policy Policy) (Job, error) {
	if !j.Trusted {
		requests = slices.DeleteFunc(requests, func(r hybridcore.Request) bool { return r.Action != hybridcore.ActionPlan && !r.InProcess() })
		if len(requests) == 0 {
			return j.nothing("code from outside of %s is only planned and validated without Packer, and neither is asked for", j.Repository)
		}
	}
	for i := range requests {
		r := &requests[i]
		if err := j.merged(*r, policy); err != nil {
			return Job{}, err
		}
		if r.Action == hybridcore.ActionPlan && r.Base == "" && !r.Rebuild && j.Base != "" {
			r.Base = j.Base + "..."
		}
		for _, id := range r.Heads {
			if !slices.Contains(j.heads, id) {
				return Job{}, hybridcore.Blockedf("the command is about commit %.12s, and this job about %.12s: run it for the commit that was planned", id, j.Commit)
			}
		}
		if len(r.Heads) == 0 {
			r.Heads = j.heads
		}
		// A tag that is no name of a release must not keep the build from being made:
		// the publish says what is wrong with it.
		if r.Action == hybridcore.ActionPublish && r.Release == "" && hybridcore.CheckName("release", j.tag) == nil {
			r.Release = j.tag
		}
		r.Origin = j.origin
	}
	j.Requests = requests
	return j, nil
}

// merged refuses what only merged code may do.
func (j Job) merged(r hybridcore.Request, policy Policy) error {
	env := r.Env
	if env == "" {
		env = policy.DefaultEnv
	}
	switch {
	case j.Merged:
		return nil
	case r.Action == hybridcore.ActionPublish && !r.DryRun:
		return hybridcore.Blockedf("commit %.12s is not merged, and only merged code is published", j.Commit)
	case r.Action == hybridcore.ActionReap:
		return hybridcore.Blockedf("commit %.12s is not merged, and only merged code removes things from a platform", j.Commit)
	case r.Action == hybridcore.ActionBuild && r.RetryFailed != "" && r.Env == "" && len(policy.Prod) > 0:
		return hybridcore.Blockedf("commit %.12s is not merged, and run %s may be for an environment of merged code only (%s); name the run's environment with --env",
			j.Commit, r.RetryFailed, strings.Join(policy.Prod, ", "))
	case r.Records() && slices.Contains(policy.Prod, env):
		return hybridcore.Blockedf("commit %.12s is not the tip of the default branch, and the environment %s is for merged code only; merge it, or ask for the new tip", j.Commit, env)
	}
	return nil
}
