// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:05:47Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Output is a value of a step for later jobs.
type Output struct{ Name, Value string }

// Run is the number of the run or pipeline that a process is a job of.
func Run(getenv func(string) string) string {
	if getenv("GITLAB_CI") == "true" {
		return getenv("CI_PIPELINE_ID")
	}
	return getenv("GITHUB_RUN_ID")
}

// Decision makes of what an event asks for the one value that all jobs of the
// run go by. It is about one environment.
func (j Job) Decision() (Decision, error) {
	switch {
	case j.reading.decided != nil:
		return *j.reading.decided, nil
	case j.Unreviewed:
		return Decision{}, hybridcore.Blockedf("the event %s is about code that nobody has reviewed: "+
			"`packer-hybrid ci --hold` plans and validates it, in a job without secrets", j.Event)
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
		Run: Run(j.reading.in.Getenv), Until: time.Now().UTC().Truncate(time.Second).Add(decisionLife), SHA: j.Commit,
		Policy: j.reading.tip, Merged: j.Merged, Env: env.Name, Lines: j.lines,
		Actor: j.origin.Actor, Change: j.origin.Change, ReplyTo: j.origin.ReplyTo, Request: j.RequestID,
		Ticket: len(j.Ticket) > 0, Rule: shownRule(j.reading.rule),
	}
	all, count := false, map[hybridcore.Action]int{}
	for i, r := range j.Requests {
		count[r.Action]++
		switch {
		case r.Env != env.Name:
			return Decision{}, hybridcore.Usagef("%q is for %s and %q for %s: one run is for one environment, whose "+
				"secrets its jobs have; %s",
				j.lines[0], env.Name, j.lines[i], r.Env, j.separately())
		case r.Action == hybridcore.ActionCollect || r.Part != "":
			return Decision{}, hybridcore.Usagef("%q is what the jobs of a build do by themselves: ask for the build",
				j.lines[i])
		case count[r.Action] > 1 &&
			(r.Action == hybridcore.ActionBuild || r.Action == hybridcore.ActionPublish || r.Action == hybridcore.ActionReap):
			return Decision{}, hybridcore.Usagef("the event asks for several of %s, and one is done: declare one "+
				"line with %s in the block ci of the project file", r.Action, r.Action)
		}
		for _, p := range r.Platforms {
			if !slices.Contains(env.Platforms, p) {
				return Decision{}, hybridcore.Usagef("the environment %s has no %s, which %q names", env.Name,
					p.Info().Title, j.lines[i])
			}
		}
		d.Platforms = union(d.Platforms, reached(r, env))
		all = all || len(r.Images) == 0
		d.Images = union(d.Images, r.Images)
	}
	if all {
		d.Images = nil
	}
	return d, d.check()
}

// separately says how to ask for what is for another environment. At GitHub all
// schedules have the same lines; at GitLab each brings variables of its own.
func (j Job) separately() string {
	if j.System == GitLab {
		return "keep one of them in the block ci, and ask for the other by a pipeline or schedule of its own with " +
			CommandVariable
	}
	return "keep one of them in the block ci, and dispatch the workflow with the other as its command"
}

// reached are the platforms that a request may reach.
func reached(r hybridcore.Request, env Environment) []hybridcore.Platform {
	if len(r.Platforms) == 0 {
		return env.Platforms
	}
	return r.Platforms
}

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
	runes := []rune(strings.Join(strings.Fields(Inert(rule)), " "))
	return string(runes[:min(len(runes), maxRule)])
}

// Has says whether any line asks for one of the actions.
func (d Decision) Has(actions ...hybridcore.Action) bool {
	return slices.ContainsFunc(actions, func(a hybridcore.Action) bool { _, has := d.Find(a); return has })
}

// Outputs are those of the step that decides, with what the project file of the
// default branch says of runners. The zero decision is that nothing is to be done.
func (d Decision) Outputs(runners Runners) ([]Output, error) {
	text, platforms := "", []hybridcore.Platform{}
	labels, environments := map[hybridcore.Platform][]string{}, map[hybridcore.Platform]string{}
	if d.SHA != "" {
		var err error
		if text, err = d.Encode(); err != nil {
			return nil, err
		}
	}
	requests, err := d.Requests()
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		if r.Action == hybridcore.ActionPublish || r.Action == hybridcore.ActionReap {
			platforms = union(platforms, reached(r, Environment{Platforms: d.Platforms}))
		}
	}
	for _, p := range d.Platforms {
		labels[p], environments[p] = runners.of(p), d.Env+"-"+string(p)
	}
	outputs := []Output{
		{"decision", text},
		{"sha", d.SHA},
		{"plan", fmt.Sprint(d.Ticket || d.Has(hybridcore.ActionBuild, hybridcore.ActionPlan, hybridcore.ActionValidate,
			hybridcore.ActionStatus, hybridcore.ActionParity))},
		{"release", fmt.Sprint(d.Has(hybridcore.ActionPublish))},
		{"reap", fmt.Sprint(d.Has(hybridcore.ActionReap))},
	}
	for _, one := range []struct {
		name  string
		value any
	}{{"platforms", platforms}, {"runners", labels}, {"environments", environments}} {
		encoded, err := json.Marshal(one.value)
		if err != nil {
			return nil, fmt.Errorf("encoding the output %s: %w", one.name, err)
		}
		outputs = append(outputs, Output{one.name, string(encoded)})
	}
	return outputs, nil
}

// of are the labels of a platform's runners at GitHub.
func (r Runners) of(platform hybridcore.Platform) []string {
	if labels := r[platform]; len(labels) > 0 {
		return labels
	}
	return []string{DefaultRunner}
}

// Job is the job that does what was decided. Of the event it takes the ticket
// only, which the job verifies, and nothing of a checkout.
func (d Decision) Job(in Input) (Job, error) {
	system, err := Detect(in.Getenv)
	if err != nil {
		return Job{}, err
	}
	if run := Run(in.Getenv); d.Run != run {
		return Job{}, hybridcore.Blockedf("the decision is for the run %s, and this one is %.40q: a decision counts "+
			"in its own run only", d.Run, run)
	}
	if !time.Now().Before(d.Until) {
		return Job{}, hybridcore.Blockedf("the decision of this run ended at %s: ask anew, or start the whole run again",
			d.Until.Format(time.RFC3339))
	}
	env := in.Getenv
	event, path, url, kind := env("GITHUB_EVENT_NAME"), env("GITHUB_REPOSITORY"), "", string(system)
	if system == GitLab {
		event, path, url = env("CI_PIPELINE_SOURCE"), env("CI_PROJECT_PATH"), link(env("CI_JOB_URL"))
	}
	name, err := repository(path)
	if err != nil {
		return Job{}, err
	}
	if system == GitHub {
		url = link(server(env), name, "actions", "runs", d.Run)
	}
	if event == "issue_comment" {
		kind = "comment"
	}
	j := Job{
		System: system, Event: shown(event), Repository: name, RequestID: d.Request, ByBot: d.Ticket, Trusted: true,
		Merged: d.Merged, lines: d.Lines,
		reading: reading{in: in, rule: d.Rule, decided: &d},
		origin:  hybridcore.Origin{Kind: kind, Actor: d.Actor, URL: url, Change: d.Change, ReplyTo: d.ReplyTo},
	}
	if err := j.pin(d.SHA); err != nil {
		return Job{}, err
	}
	if j.Requests, err = d.Requests(); err != nil {
		return Job{}, err
	}
	for i := range j.Requests {
		j.Requests[i].Origin = j.origin
	}
	if d.Ticket {
		j.Ticket, err = ticket(system, in)
	}
	return j, err
}

// ticket is the bot's, as the event brings it.
func ticket(system System, in Input) ([]byte, error) {
	text := in.Getenv(TicketVariable)
	if system == GitHub {
		_, p, err := readPayload(in)
		if err != nil {
			return nil, err
		}
		text = p.Inputs.Ticket
	}
	if text == "" || len(text) > maxTicket {
		return nil, hybridcore.Blockedf("the decision is for a command of the bot, and the event brings no ticket of "+
			"it, but %d bytes", len(text))
	}
	return []byte(text), nil
}

// Rule says why the job may do what it does.
func (j Job) Rule() string { return shownRule(j.reading.rule) }

// Runners are what the project file of the default branch says of them; none in
// a job of a decision, which other jobs have chosen a runner for.
func (j Job) Runners() Runners { return j.reading.policy.Runners }

// ReadChange reads which change a job's event is about, and nothing else: for
// the job that sends the report of another one, and has no checkout. A change of
// another repository gives a reason instead.
func ReadChange(in Input) (Job, error) {
	in.Repo = Repository{
		Policy:   func(string) (Policy, error) { return Policy{}, nil },
		Tip:      func(string) (string, error) { return "", hybridcore.Blockedf("this job is about a change only") },
		Contains: func(string, string) (bool, error) { return false, nil },
	}
	in.Getenv = without(in.Getenv, CommandVariable, "INPUT_COMMAND")
	j, err := Read(in)
	switch {
	case err != nil:
		return Job{}, err
	case !j.Unreviewed:
		return Job{}, hybridcore.Blockedf("the event %s is about no change: there is no held report to send for it",
			j.Event)
	case !j.Trusted && j.Nothing == "":
		return j.nothing("the change comes from another repository, or from Dependabot, and GitHub lets no job of it " +
			"write: its report is in the summary of its job")
	}
	return j, nil
}

// without is an environment that lacks some variables.
func without(getenv func(string) string, names ...string) func(string) string {
	return func(name string) string {
		if slices.Contains(names, name) {
			return ""
		}
		return getenv(name)
	}
}
