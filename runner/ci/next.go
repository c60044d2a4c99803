// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:44:00Z
// Spec: openspec/specs/ci/spec.md#requirement-what-a-merge-builds
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci

import (
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// Next are the environments that this commit is built for after the one of this job, by
// the rule `merge`: after a push, and after a run that does for one environment just what
// the rule has for it. A job of a decision has that one's.
func (j Job) Next() []string {
	if j.reading.decided != nil {
		return j.reading.decided.Next
	}
	all, e := j.reading.policy.MergeEnvironments, j.reading.event
	if len(all) < 2 || !j.Merged || j.Unreviewed || len(j.Ticket) > 0 {
		return nil
	}
	build := slices.IndexFunc(j.Requests, func(r hybridcore.Request) bool { return r.Action == hybridcore.ActionBuild })
	if build < 0 {
		return nil
	}
	env := j.Requests[build].Env
	at := slices.Index(all, env)
	switch e.Kind {
	case KindMerge:
		if !j.Spread[build] || at != 0 { // the line says itself what it is for
			return nil
		}
	case KindCommand:
		rule := lines(j.reading.policy.Merge, Default().Merge)
		if e.Command.Child || at < 0 || !slices.ContainsFunc(rule, func(line string) bool {
			c, err := parse(line)
			return err == nil && c.Action == hybridcore.ActionBuild && c.Env == "" && c.line+" --env "+env == j.lines[build]
		}) {
			return nil
		}
	default:
		return nil
	}
	return slices.Clone(all[at+1:])
}

// For is the decision's build for another environment: its line, and what it asks for.
func (d Decision) For(env string) (string, hybridcore.Request, error) {
	for _, line := range d.Lines {
		words := strings.Fields(line)
		at := slices.Index(words, "--env")
		if words[0] != string(hybridcore.ActionBuild) || at < 0 || at+1 >= len(words) {
			continue
		}
		words[at+1] = env
		line = strings.Join(words, " ")
		r, err := command.Parse(line)
		r.Heads = []string{d.SHA}
		return line, r, err
	}
	return "", hybridcore.Request{}, hybridcore.Blockedf("this run builds nothing, and so nothing follows it in %s", env)
}
