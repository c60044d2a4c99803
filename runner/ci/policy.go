// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"fmt"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Default is the policy of a project that declares none.
func Default() Policy {
	return Policy{
		Change:   []string{"plan", "validate"},
		Merge:    []string{"build"},
		Tag:      []string{"build", "publish"},
		Schedule: []string{"plan", "drift --live --upstream", "reap"},
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
func (j Job) run(kind string, declared []string) (Job, error) {
	if len(declared) == 0 {
		return j.nothing("the policy of this project says that nothing is done for a %s", kind)
	}
	var commands []parsed
	for _, line := range declared {
		c, err := parse(line)
		if err != nil {
			return Job{}, fmt.Errorf("the policy for a %s: %w", kind, err)
		}
		commands = append(commands, c)
	}
	place := ""
	if j.reading.policy.Place != "" {
		place = " (" + j.reading.policy.Place + ")"
	}
	j.reading.rule += "; the lines for a " + kind + place
	return j.allow(commands)
}

// allow keeps the requests that code of this trust may make, and completes
// them. What is asked for without the right to it is an error, so that nobody
// takes the silence for a build.
func (j Job) allow(commands []parsed) (Job, error) {
	if j.Unreviewed {
		commands = slices.DeleteFunc(commands,
			func(c parsed) bool { return c.Action != hybridcore.ActionPlan && !c.InProcess() })
		if len(commands) == 0 {
			return j.nothing("code that nobody has reviewed is only planned and validated without Packer, and " +
				"neither is asked for")
		}
	}
	for i := range commands {
		if err := j.complete(&commands[i]); err != nil {
			return Job{}, err
		}
	}
	if !j.Unreviewed && !j.Merged {
		var err error
		if j.reading.rule, err = j.unmerged(commands); err != nil {
			return Job{}, err
		}
	}
	for _, c := range commands {
		j.lines, j.Requests = append(j.lines, c.line), append(j.Requests, c.Request)
		j.Spread = append(j.Spread, c.spread)
	}
	return j, nil
}

// complete adds to a command what its line leaves out.
func (j Job) complete(c *parsed) error {
	c.spread = c.Env == ""
	if env := j.defaultEnv(); c.Env == "" && env != "" {
		c.Env = env
		c.add("--env", c.Env)
	}
	if c.Look && j.Base != "" {
		return hybridcore.Usagef("%q: a change is compared with its base, of which no platform has anything: leave out "+
			"--live", c.line)
	}
	if c.Action == hybridcore.ActionPlan && c.Base == "" && !c.Rebuild && j.Base != "" {
		c.Base = j.Base + "..."
		c.add("--base", c.Base)
	}
	for _, id := range c.Heads {
		if !slices.Contains(j.heads, id) {
			return hybridcore.Blockedf("the command is about commit %.12s, and this job about %.12s: run it for the "+
				"commit that was planned", id, j.Commit)
		}
	}
	if len(c.Heads) == 0 {
		c.Heads = j.heads
	}
	// A tag that is no name of a release must not keep the build from being made:
	// the publish says what is wrong with it.
	tag := j.reading.event.Tag
	if c.Action == hybridcore.ActionPublish && c.Release == "" && hybridcore.CheckName("release", tag) == nil {
		c.Release = tag
		c.add("--release", tag)
	}
	c.Origin = j.Place.asks(c.Request)
	return nil
}

// defaultEnv is meant by a line that names no environment: by the rule `merge` the
// first one that a merge is built for.
func (j Job) defaultEnv() string {
	if p := j.reading.policy; j.reading.event.Kind == KindMerge && len(p.MergeEnvironments) > 0 {
		return p.MergeEnvironments[0]
	}
	return j.reading.policy.DefaultEnv
}
