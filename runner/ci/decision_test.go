// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:38:11Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// decisionOf is a decision, as JSON with some members replaced.
func decisionOf(changed object) string {
	o := object{
		"run": "99", "sha": shaMerge, "policy": shaMerge, "until": "2999-01-01T00:00:00Z", "merged": true, "env": "prod",
		"lines":     []string{"build --env prod", "publish --env prod"},
		"platforms": []string{"vsphere"}, "images": []string{}, "actor": "583231", "change": "", "reply_to": "",
		"request": "", "rule": "merged into main",
	}
	maps.Copy(o, changed)
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestDecisionIsStrict(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(decisionOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.Encode()
	if again, parsed := ci.ParseDecision(text); err != nil || parsed != nil || cmp.Diff(d, again) != "" ||
		strings.Contains(text, "\n") {
		t.Errorf("%v, %v: %s", err, parsed, text)
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = "status --env prod"
	}
	for name, text := range map[string]string{
		"nothing":        "",
		"null":           "null",
		"a list":         "[" + decisionOf(nil) + "]",
		"two":            decisionOf(nil) + decisionOf(nil),
		"another member": decisionOf(object{"runs_on": "self-hosted"}),
		"a member twice": strings.Replace(decisionOf(nil), "{", `{"env":"lab",`, 1),
		"another case":   strings.Replace(decisionOf(nil), `"env"`, `"Env"`, 1),
		"invalid text":   strings.Replace(decisionOf(nil), "merged into", "merged \xff", 1),
		"no run":         decisionOf(object{"run": ""}),
		"a run's name":   decisionOf(object{"run": "latest"}),
		"a branch":       decisionOf(object{"sha": "main"}),
		"no commit":      decisionOf(object{"sha": shaZero}),
		"a path":         decisionOf(object{"env": "../lab"}),
		"no lines":       decisionOf(object{"lines": []string{}}),
		"null lines":     decisionOf(object{"lines": nil}),
		"many lines":     decisionOf(object{"lines": many}),
		"no verb":        decisionOf(object{"lines": []string{"rm -rf /"}}),
		"another env":    decisionOf(object{"lines": []string{"build --env lab"}}),
		"no env":         decisionOf(object{"lines": []string{"build"}}),
		"a part": decisionOf(object{"lines": []string{"build a --env prod --targets vsphere --part " +
			strings.Repeat("0", 64)}}),
		"collect":          decisionOf(object{"lines": []string{"collect parts --env prod"}}),
		"another commit":   decisionOf(object{"lines": []string{"build --env prod --commit " + shaOther}}),
		"another platform": decisionOf(object{"lines": []string{"build --env prod --targets azure"}}),
		"another image": decisionOf(object{
			"images": []string{"debian-12"},
			"lines":  []string{"build debian-13 --env prod"},
		}),
		"unmerged publish": decisionOf(object{"merged": false}),
		"unmerged reap":    decisionOf(object{"merged": false, "lines": []string{"reap --env prod"}}),
		"unknown platform": decisionOf(object{"platforms": []string{"hyperv"}}),
		"platform twice":   decisionOf(object{"platforms": []string{"vsphere", "vsphere"}}),
		"null platform":    decisionOf(object{"platforms": []any{nil}}),
		"an image's path":  decisionOf(object{"images": []string{"a/../b"}}),
		"a command":        decisionOf(object{"actor": "x\n::add-mask::e"}),
		"a rule's command": decisionOf(object{"rule": "x\n::add-mask::e"}),
		"a long rule":      decisionOf(object{"rule": strings.Repeat("x", 5000)}),
		"a request's path": decisionOf(object{"request": "../x"}),
		"very long":        decisionOf(object{"actor": strings.Repeat("x", 100_000)}),
		"a number":         decisionOf(object{"run": 99}),
	} {
		if d, err := ci.ParseDecision(text); hybridcore.ExitCode(err) != hybridcore.ExitBlocked || len(err.Error()) > 700 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

// A job takes its requests from the decision, whatever its event says.
func TestJobOfADecision(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(decisionOf(object{"change": "42", "reply_to": "5", "ticket": true}))
	if err != nil {
		t.Fatal(err)
	}
	in := github(t, "workflow_dispatch",
		with(dispatch, object{
			"inputs.command": "reap --env lab",
			"inputs.ticket":  "sealed",
		}), map[string]string{"INPUT_COMMAND": "reap"})
	job, err := d.Job(in)
	if got := said(job, err); got != "build prod; publish prod, merged" || string(job.Ticket) != "sealed" ||
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
	inertJob(t, job)
	in = github(t, "workflow_dispatch", dispatch, nil)
	if _, err := d.Job(in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("without the ticket that was decided on: %v", err)
	}
	in = github(t, "push", push, map[string]string{"GITHUB_RUN_ID": "98"})
	if _, err := d.Job(in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("in another run: %v", err)
	}
	over := d
	over.Until = time.Now().Add(-time.Second)
	if _, err := over.Job(github(t, "push", push, nil)); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
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
		in := github(t, "schedule", schedule, nil)
		in.Repo = repo(func(p *ci.Policy) { p.Schedule = c.lines })
		job, err := ci.Read(in)
		if err == nil {
			_, err = job.Decision()
		}
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	job, err := ci.Read(github(t, "pull_request", pullRequest, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Decision(); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "`packer-hybrid ci --hold`") {
		t.Errorf("a change is decided on: %v", err)
	}
	outputs, err := ci.Decision{}.Outputs(nil)
	want := []ci.Output{
		{"decision", ""},
		{"sha", ""},
		{"plan", "false"},
		{"release", "false"},
		{"reap", "false"},
		{"platforms", "[]"},
		{"runners", "{}"},
		{"environments", "{}"},
	}
	if diff := cmp.Diff(want, outputs); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	d, err := ci.ParseDecision(decisionOf(object{"lines": []string{"plan --env prod", "reap --env prod"}}))
	if err != nil {
		t.Fatal(err)
	}
	outputs, err = d.Outputs(siteRunners)
	want = []ci.Output{
		{"plan", "true"},
		{"release", "false"},
		{"reap", "true"},
		{"platforms", `["vsphere"]`},
		{"runners", `{"vsphere":["self-hosted","vsphere"]}`},
		{"environments", `{"vsphere":"prod-vsphere"}`},
	}
	if err != nil || !slices.Equal(want, outputs[2:]) {
		t.Errorf("%v %v", err, outputs)
	}
}

// A bot's ticket is no proof for who decides; the jobs verify it.
func TestDecideWithATicket(t *testing.T) {
	t.Parallel()
	in := github(t, "workflow_dispatch", with(dispatch, object{"inputs.sha": shaOther, "inputs.ticket": "sealed"}), nil)
	in.Repo = repo(nil, shaOther)
	if _, err := ci.Read(in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("without the environment in unmerged: %v", err)
	}
	in.Repo = repo(func(p *ci.Policy) { p.Unmerged = []string{"lab"} }, shaOther)
	job, err := ci.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	d, err := job.Decision()
	if err != nil || !d.Ticket || d.Merged || !strings.Contains(d.Rule, "a ticket of the bot that the job verifies") {
		t.Errorf("%+v, %v", d, err)
	}
	d.Lines, d.Merged = []string{"reap --env lab"}, true
	outputs, err := d.Outputs(nil)
	if err != nil || !slices.Contains(outputs, ci.Output{Name: "plan", Value: "true"}) {
		t.Errorf("no job verifies the ticket before the others: %v, %v", outputs, err)
	}
}

// The jobs of a child pipeline that publishes and reaps: each has the
// environment of one platform, or none.
func TestPipelineOfADecision(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(decisionOf(object{
		"env": "lab", "lines": []string{
			"build --env lab", "publish --env lab --release v1",
			"reap --env lab --targets vsphere",
		}, "platforms": []string{"vsphere", "azure"},
		"ticket": true, "request": "20261130t120000-1a2b3c4d",
	}))
	if err != nil {
		t.Fatal(err)
	}
	plan := planOf(1)
	text, err := ci.Pipeline(&plan, ci.Child{Runners: siteRunners, Decision: d})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "pipeline-release.yml", text)
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	count := 0
	for name, node := range doc {
		var job struct {
			Environment map[string]string
			Variables   map[string]string
			Script      []string
		}
		if name == "stages" || node.Decode(&job) != nil {
			continue
		}
		count++
		platform := job.Variables[ci.PlatformVariable]
		if target := job.Variables[ci.TargetVariable]; target != "" {
			_, platform, _ = strings.Cut(target, "@")
		}
		if want := map[bool]string{
			true:  "lab/" + platform,
			false: "packer-hybrid-state",
		}[platform != ""]; job.Environment["name"] != want || len(job.Script) != 1 {
			t.Errorf("%s has the environment %q, want %q: %v", name, job.Environment["name"], want, job.Script)
		}
		if _, has := job.Variables[ci.TicketVariable]; has || job.Variables[ci.SHAVariable] == "" ||
			job.Variables[ci.RequestVariable] != d.Request {
			t.Errorf("%s has the variables %v", name, job.Variables)
		}
		if r, err := hybridcore.Parse(job.Variables[ci.CommandVariable]); err != nil || r.Env != "lab" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if count != 2+1+6+2 {
		t.Errorf("%d jobs", count)
	}
}

func TestApproving(t *testing.T) {
	t.Parallel()
	if got := ci.Approving([]ci.Review{{State: "APPROVED"}, {User: 1, State: "APPROVED"}}, ""); len(got) > 0 {
		t.Errorf("of no commit, or nobody: %v", got)
	}
	got := ci.Approving([]ci.Review{
		{User: 1, Login: "a", State: "APPROVED", Commit: shaHead},
		{User: 2, Login: "b", State: "APPROVED", Commit: shaHead},
		{User: 1, Login: "a", State: "APPROVED", Commit: shaHead},
		{User: 3, Login: "c", State: "APPROVED", Commit: shaHead},
	}, shaHead, 3)
	if len(got) != 2 || got[0].Login != "b" || got[1].Login != "a" {
		t.Errorf("%v", got)
	}
}

func FuzzDecision(f *testing.F) {
	f.Add(decisionOf(nil))
	f.Add(decisionOf(object{"merged": false, "lines": []string{"build --env prod"}}))
	f.Add(`{"run":"1","lines":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ci.ParseDecision(text)
		if err != nil {
			if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("%v", err)
			}
			return
		}
		requests, err := d.Requests()
		if err != nil || len(requests) == 0 || !hybridcore.IsObjectID(d.SHA) {
			t.Fatalf("%+v, %v", d, err)
		}
		for _, r := range requests {
			if r.Env != d.Env || r.Part != "" || !d.Merged &&
				(r.Action == hybridcore.ActionReap || r.Action == hybridcore.ActionPublish) {
				t.Errorf("%+v", r)
			}
		}
		if _, err := d.Outputs(nil); err != nil {
			t.Error(err)
		}
	})
}

// FuzzApproving holds approvals to what they are for: the last word of another
// person about just this commit.
func FuzzApproving(f *testing.F) {
	f.Add([]byte{1, 0, 1, 2, 1, 0}, byte(1))
	f.Fuzz(func(t *testing.T, data []byte, asker byte) {
		states := []string{"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING", "approved", ""}
		var all []ci.Review
		for i := 0; i+2 < len(data); i += 3 {
			all = append(all, ci.Review{
				User: int64(data[i] % 8), Login: fmt.Sprint(data[i]), State: states[int(data[i+1])%len(states)],
				Commit: []string{shaHead, shaOther, ""}[data[i+2]%3],
			})
		}
		for _, found := range ci.Approving(all, shaHead, int64(asker%8)) {
			last := ci.Review{}
			for _, r := range all {
				if r.User == found.User && r.State != "COMMENTED" && r.State != "PENDING" {
					last = r
				}
			}
			if found.User == 0 || found.User == int64(asker%8) || last.State != "APPROVED" || last.Commit != shaHead {
				t.Errorf("%+v approves, and the last word was %+v", found, last)
			}
		}
	})
}
