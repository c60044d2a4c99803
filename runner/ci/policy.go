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
	// Environments are those that are declared.
	Environments []Environment
	// Unmerged are the environments that a commit may be built for that is not
	// merged, but approved.
	Unmerged []string
	Runners  Runners
	Place    string // of the block ci, FILE:LINE; empty without one

	input string // the action's own command line, which counts instead of the others
}

// Environment is one that images are built for.
type Environment struct {
	Name      string
	Prod      bool // only merged code is built for it
	Platforms []hybridcore.Platform
}

// environment finds a declared environment.
func (p Policy) environment(name string) (Environment, error) {
	i := slices.IndexFunc(p.Environments, func(e Environment) bool { return e.Name == name })
	if i < 0 {
		return Environment{}, hybridcore.Usagef("the project file of the default branch declares no environment %.80q",
			name)
	}
	return p.Environments[i], nil
}

// only is the policy of a job whose workflow gives the line itself, if it does.
func (p Policy) only(line string) Policy {
	if line == "" {
		return p
	}
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

// command is one line of the grammar, read.
type command struct {
	line string
	hybridcore.Request
}

func parse(line string) (command, error) {
	r, err := hybridcore.Parse(line)
	return command{strings.Join(strings.Fields(line), " "), r}, err
}

// add adds words to the line.
func (c *command) add(words ...string) { c.line += " " + strings.Join(words, " ") }

// run ends the reading of an event with the requests of the policy's lines.
func (j Job) run(kind string, declared []string) (Job, error) {
	if len(declared) == 0 {
		return j.nothing("the policy of this project says that nothing is done for a %s", kind)
	}
	var commands []command
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
func (j Job) allow(commands []command) (Job, error) {
	if j.Unreviewed {
		commands = slices.DeleteFunc(commands,
			func(c command) bool { return c.Action != hybridcore.ActionPlan && !c.InProcess() })
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
	}
	return j, nil
}

// complete adds to a command what its line leaves out.
func (j Job) complete(c *command) error {
	if c.Env == "" && j.reading.policy.DefaultEnv != "" {
		c.Env = j.reading.policy.DefaultEnv
		c.add("--env", c.Env)
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
	tag := j.reading.tag
	if c.Action == hybridcore.ActionPublish && c.Release == "" && hybridcore.CheckName("release", tag) == nil {
		c.Release = tag
		c.add("--release", tag)
	}
	c.Origin = j.origin
	return nil
}
