// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:05:47Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci

import (
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Decision makes of what an event asks for the one value that all jobs of the
// run go by. It is about one environment.
func (j Job) Decision() (Decision, error) {
	switch {
	case j.reading.decided != nil:
		return *j.reading.decided, nil
	case j.Unreviewed:
		return Decision{}, hybridcore.Blockedf("the event %s is about code that nobody has reviewed: "+
			"`packer-hybrid ci --hold` plans and validates it, in a job without secrets", j.Place.Event)
	case len(j.Requests) == 0:
		return Decision{}, hybridcore.Usagef("there is nothing to decide on: %s", j.Nothing)
	}
	first := j.Requests[0]
	if first.Env == "" {
		return Decision{}, hybridcore.Usagef("%q names no environment, and the project file of the default branch "+
			"has no default_environment: add --env", j.lines[0])
	}
	env, err := j.reading.policy.environment(first.Env)
	if err != nil {
		return Decision{}, err
	}
	d := Decision{
		Scheduled: j.Scheduled(),
		Run:       j.Place.Run, Until: time.Now().UTC().Truncate(time.Second).Add(decisionLife), SHA: j.Commit,
		Policy: j.reading.tip, Merged: j.Merged, Env: env.Name, Lines: j.lines,
		Actor: j.Place.Origin.Actor, Change: j.Place.Origin.Change, ReplyTo: j.Place.Origin.ReplyTo, Request: j.RequestID,
		Ticket: len(j.Ticket) > 0, Rule: shownRule(j.reading.rule), Next: j.Next(),
	}
	all, count := false, map[hybridcore.Action]int{}
	for i, r := range j.Requests {
		count[r.Action]++
		switch {
		case r.Env != env.Name:
			return Decision{}, hybridcore.Usagef("%q is for %s and %q for %s: one run is for one environment, whose "+
				"secrets its jobs have; keep one of them in the block ci, and %s",
				j.lines[0], env.Name, j.lines[i], r.Env, j.Place.Apart)
		case r.Action == hybridcore.ActionCollect || r.Part != "":
			return Decision{}, hybridcore.Usagef("%q is what the jobs of a build do by themselves: ask for the build",
				j.lines[i])
		case count[r.Action] > 1 && slices.Contains(once, r.Action):
			return Decision{}, hybridcore.Usagef("the event asks for several of %s, and one is done: declare one "+
				"line with %s in the block ci of the project file", r.Action, r.Action)
		}
		for _, p := range r.Platforms {
			if !slices.Contains(env.Platforms, p) {
				return Decision{}, hybridcore.Usagef("the environment %s has no %s, which %q names", env.Name,
					p.Info().Title, j.lines[i])
			}
		}
		d.Platforms = union(d.Platforms, reached(r, env.Platforms))
		all = all || len(r.Images) == 0
		d.Images = union(d.Images, r.Images)
	}
	if all {
		d.Images = nil
	}
	return d, d.check()
}

// once are the verbs that other jobs do, and of which one is done in a run.
var once = []hybridcore.Action{
	hybridcore.ActionBuild, hybridcore.ActionPublish, hybridcore.ActionReap, hybridcore.ActionDrift,
}

// Looks says whether the drift of the decision is looked for on the platforms, by jobs of
// their own.
func (d Decision) Looks() bool {
	r, ok := d.Find(hybridcore.ActionDrift)
	return ok && r.Looks()
}

// Scheduled says whether the job is of a schedule that does what the project file says.
func (j Job) Scheduled() bool {
	if j.reading.decided != nil {
		return j.reading.decided.Scheduled
	}
	return j.reading.event.Kind == KindSchedule || j.reading.event.Scheduled
}

// reached are the platforms that a request may reach, of all.
func reached(r hybridcore.Request, all []hybridcore.Platform) []hybridcore.Platform {
	if len(r.Platforms) == 0 {
		return all
	}
	return r.Platforms
}

// Reached are the platforms of the decision that one of its requests may reach.
func (d Decision) Reached(r hybridcore.Request) []hybridcore.Platform { return reached(r, d.Platforms) }

func union[T comparable](one, other []T) []T {
	for _, v := range other {
		if !slices.Contains(one, v) {
			one = append(one, v)
		}
	}
	return one
}

// shownRule bounds a rule, which a name of the event is part of.
func shownRule(rule string) string {
	runes := []rune(strings.Join(strings.Fields(text.JobLog(rule)), " "))
	return string(runes[:min(len(runes), maxRule)])
}

// Has says whether any line asks for one of the actions.
func (d Decision) Has(actions ...hybridcore.Action) bool {
	return slices.ContainsFunc(actions, func(a hybridcore.Action) bool { _, has := d.Find(a); return has })
}

// Job is the job that does what was decided, in its place. Of the event it takes the
// ticket only, which the job verifies, and nothing of a checkout.
func (d Decision) Job(place Place, ticket func() (string, error)) (Job, error) {
	if d.Run != place.Run {
		return Job{}, hybridcore.Blockedf("the decision is for the run %s, and this one is %.40q: a decision counts "+
			"in its own run only", d.Run, place.Run)
	}
	if !time.Now().Before(d.Until) {
		return Job{}, hybridcore.Blockedf("the decision of this run ended at %s: ask anew, or start the whole run again",
			d.Until.Format(time.RFC3339))
	}
	place, err := place.checked()
	if err != nil {
		return Job{}, err
	}
	place.Origin.Actor, place.Origin.Change, place.Origin.ReplyTo = d.Actor, d.Change, d.ReplyTo
	j := Job{
		Place: place, RequestID: d.Request, ByBot: d.Ticket, Trusted: true, Merged: d.Merged, lines: d.Lines,
		reading: reading{rule: d.Rule, decided: &d},
	}
	if err := j.pin(d.SHA); err != nil {
		return Job{}, err
	}
	if j.Requests, err = d.Requests(); err != nil {
		return Job{}, err
	}
	for i := range j.Requests {
		j.Requests[i].Origin = place.asks(j.Requests[i])
	}
	if !d.Ticket {
		return j, nil
	}
	text, err := ticket()
	if err != nil {
		return Job{}, err
	}
	if text == "" || len(text) > maxTicket {
		return Job{}, hybridcore.Blockedf("the decision is for a command of the bot, and the event brings no ticket of "+
			"it, but %d bytes", len(text))
	}
	j.Ticket = []byte(text)
	return j, nil
}

// Rule says why the job may do what it does.
func (j Job) Rule() string { return shownRule(j.reading.rule) }

// Runners are what the project file of the default branch says of them; none in
// a job of a decision, which other jobs have chosen a runner for.
func (j Job) Runners() Runners { return j.reading.policy.Runners }
