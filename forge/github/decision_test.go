// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:38:11Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package github_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

var decide = github.Forge().Jobs.Decide

// decided is the job of a decision.
func decided(d ci.Decision, in ci.Input) (ci.Job, error) { return github.Forge().Jobs.Decided(d, in) }

// A job takes its requests from the decision, whatever its event says.
func TestJobOfADecision(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(forgetest.Decision(object{"change": "42", "reply_to": "5", "ticket": true}))
	if err != nil {
		t.Fatal(err)
	}
	in := onGitHub(t, "workflow_dispatch",
		with(dispatch, object{
			"inputs.command": "reap --env lab",
			"inputs.ticket":  "sealed",
		}), map[string]string{"INPUT_COMMAND": "reap"})
	job, err := decided(d, in)
	if got := forgetest.Said(job, err); got != "build prod; publish prod, merged" || string(job.Ticket) != "sealed" ||
		!job.Trusted || job.Unreviewed || job.Commit != shaMerge {
		t.Errorf("%s: %+v", got, job)
	}
	want := hybridcore.Origin{
		Kind: "github", Actor: "583231", URL: "https://github.example/acme/images/actions/runs/99",
		Change: "42", ReplyTo: "5",
	}
	if diff := cmp.Diff(want, job.Requests[1].Origin) + cmp.Diff([]string{shaMerge}, job.Requests[1].Heads); diff != "" {
		t.Error(diff)
	}
	forgetest.InertJob(t, job)
	in = onGitHub(t, "workflow_dispatch", dispatch, nil)
	if _, err := decided(d, in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("without the ticket that was decided on: %v", err)
	}
	in = onGitHub(t, "push", push, map[string]string{"GITHUB_RUN_ID": "98"})
	if _, err := decided(d, in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("in another run: %v", err)
	}
	over := d
	over.Until = time.Now().Add(-time.Second)
	if _, err := decided(over, onGitHub(t, "push", push, nil)); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "ended at") {
		t.Errorf("after its time: %v", err)
	}
	for target, ok := range map[string]bool{
		"debian-12@vsphere": true, "debian-12@azure": false, "debian-12": false,
		"@vsphere": false, "a b@vsphere": false,
	} {
		part, err := d.Part(target, strings.Repeat("a", 64))
		if (err == nil) != ok || err != nil && hybridcore.ExitCode(err) != hybridcore.ExitBlocked || ok &&
			(part.Env != "prod" || part.Heads[0] != shaMerge) {
			t.Errorf("%s: %+v, %v", target, part, err)
		}
	}
	if _, err := d.Platform("azure"); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("another platform: %v", err)
	}
}

// One run is for one environment, and for what one job can do once.
func TestDecide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"two environments": {[]string{"plan", "reap --env prod"}, "dispatch the workflow with the other as its command"},
		"two builds":       {[]string{"build debian-12", "build debian-13"}, "the event asks for several of build"},
		"two reaps":        {[]string{"reap a", "reap b"}, "the event asks for several of reap"},
		"collect":          {[]string{"collect parts"}, "is what the jobs of a build do by themselves"},
		"its platforms":    {[]string{"build --env prod --targets azure"}, "the environment prod has no Microsoft Azure"},
		"no such":          {[]string{"plan --env nowhere"}, "declares no environment"},
	} {
		in := onGitHub(t, "schedule", schedule, nil)
		in.Repo = forgetest.Repo(func(p *ci.Policy) { p.Schedule = c.lines })
		job, err := read(in)
		if err == nil {
			_, err = job.Decision()
		}
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	job, err := read(onGitHub(t, "pull_request", pullRequest, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Decision(); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "`packer-hybrid ci --hold`") {
		t.Errorf("a change is decided on: %v", err)
	}
	outputs, err := decide(ci.Decision{}, nil)
	want := []forge.Value{
		{Name: "decision", Value: ""},
		{Name: "sha", Value: ""},
		{Name: "plan", Value: "false"},
		{Name: "release", Value: "false"},
		{Name: "reap", Value: "false"},
		{Name: "platforms", Value: "[]"},
		{Name: "runners", Value: "{}"},
		{Name: "environments", Value: "{}"},
	}
	if diff := cmp.Diff(want, outputs); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	d, err := ci.ParseDecision(forgetest.Decision(object{"lines": []string{"plan --env prod", "reap --env prod"}}))
	if err != nil {
		t.Fatal(err)
	}
	outputs, err = decide(d, forgetest.Runners())
	want = []forge.Value{
		{Name: "plan", Value: "true"},
		{Name: "release", Value: "false"},
		{Name: "reap", Value: "true"},
		{Name: "platforms", Value: `["vsphere"]`},
		{Name: "runners", Value: `{"vsphere":["self-hosted","vsphere"]}`},
		{Name: "environments", Value: `{"vsphere":"prod-vsphere"}`},
	}
	if err != nil || !slices.Equal(want, outputs[2:]) {
		t.Errorf("%v %v", err, outputs)
	}
	for lines, want := range map[string][2]string{
		"drift --env prod": {"true", "false"}, "drift --env prod --live": {"false", "true"},
	} {
		if d, err = ci.ParseDecision(forgetest.Decision(object{"lines": []string{lines}})); err != nil {
			t.Fatal(err)
		}
		outputs, err = decide(d, forgetest.Runners())
		if err != nil || outputs[2].Value != want[0] || outputs[4].Value != want[1] {
			t.Errorf("%s: %v %v", lines, err, outputs)
		}
	}
}

// A bot's ticket is no proof for who decides; the jobs verify it.
func TestDecideWithATicket(t *testing.T) {
	t.Parallel()
	in := onGitHub(t, "workflow_dispatch", with(dispatch, object{"inputs.sha": shaOther, "inputs.ticket": "sealed"}), nil)
	in.Repo = forgetest.Repo(nil, shaOther)
	if _, err := read(in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("without the environment in unmerged: %v", err)
	}
	in.Repo = forgetest.Repo(func(p *ci.Policy) { p.Unmerged = []string{"lab"} }, shaOther)
	job, err := read(in)
	if err != nil {
		t.Fatal(err)
	}
	d, err := job.Decision()
	if err != nil || !d.Ticket || d.Merged || !strings.Contains(d.Rule, "a ticket of the bot that the job verifies") {
		t.Errorf("%+v, %v", d, err)
	}
	d.Lines, d.Merged = []string{"reap --env lab"}, true
	outputs, err := decide(d, nil)
	if err != nil || !slices.Contains(outputs, forge.Value{Name: "plan", Value: "true"}) {
		t.Errorf("no job verifies the ticket before the others: %v, %v", outputs, err)
	}
}

// FuzzDecide checks that every decision has its values.
func FuzzDecide(f *testing.F) {
	f.Add(forgetest.Decision(nil))
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ci.ParseDecision(text)
		if err != nil {
			return
		}
		if _, err := decide(d, nil); err != nil {
			t.Error(err)
		}
	})
}
