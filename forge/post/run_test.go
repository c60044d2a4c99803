// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:18:30Z
// Spec: openspec/specs/posting/spec.md#requirement-check-runs
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// build is a run of three targets with n findings, as runner reports it.
func build(n int) report.Report {
	plan := hybridcore.Plan{
		Request: hybridcore.Request{ID: runID, Action: hybridcore.ActionBuild, Env: "lab"},
		Commit:  commit,
	}
	rec := hybridcore.Record{RunID: runID, Request: plan.Request, At: begin, Duration: 10 * time.Minute}
	for _, platform := range []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure} {
		target := hybridcore.Target{Image: hybridcore.Image{Name: "debian-12"}, Platform: platform, Env: "lab"}
		plan.Targets = append(plan.Targets,
			hybridcore.PlannedTarget{
				Target: target, Decision: hybridcore.Build,
				Reasons: []hybridcore.Reason{{Kind: "never-built", Text: "it was never built"}},
			})
		rec.Results = append(rec.Results, hybridcore.Result{
			Target: target.Name(), Platform: platform, Status: hybridcore.Failed, Started: begin, Duration: time.Minute,
			Failure: &hybridcore.Failure{
				Message: "exit status 1",
				Tail:    []string{strings.Repeat("x ", 400), "</pre> @everyone"},
			},
		})
	}
	for i := range n {
		plan.Findings = append(plan.Findings, hybridcore.Finding{
			Kind: "schema", Message: fmt.Sprintf("finding %d %s", i, strings.Repeat("long ", 60)),
			File: "configs/lab/common.pkrvars.hcl", Line: i + 1, Severity: hybridcore.Warning,
		})
	}
	rec.Status = hybridcore.Overall(rec.Results)
	return report.Report{Plan: plan, Record: &rec, Full: "the artifact `report` of this job"}
}

// A whole run, rendered as it is, passes GitHub's own description and limits.
func TestWholeRun(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, clock := quiet(t, t.TempDir(), s, 1)
	r := build(3000)
	before := r
	before.Record = nil
	state := func() string {
		t.Helper()
		if err := p.FlushNow(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, c := range s.Checks() {
			output, _ := c["output"].(map[string]any)
			title := strings.Fields(fmt.Sprint(output["title"]))
			all = append(all, fmt.Sprint(strings.TrimPrefix(fmt.Sprint(c["name"]), "packer-hybrid build lab"), ":", c["status"],
				":", title[0]))
		}
		return strings.Join(all, " ")
	}
	event := func(kind hybridcore.EventKind, text string) {
		clock.now = clock.now.Add(time.Minute)
		p.Event(hybridcore.Event{At: clock.now, Target: "debian-12@azure", Kind: kind, Text: text, Elapsed: time.Second})
	}
	p.Report(before)
	want := ":in_progress:3 /debian-12@proxmox:queued:Waiting /debian-12@vsphere:queued:Waiting /debian-12@azure:"
	if got := state(); got != want+"queued:Waiting" {
		t.Errorf("planned: %s", got)
	}
	event(hybridcore.EventStart, "Starting")
	if got := state(); got != want+"in_progress:Starting" {
		t.Errorf("started: %s", got)
	}
	event(hybridcore.EventStep, "Provisioning with Ansible")
	if got := state(); got != want+"in_progress:Provisioning" {
		t.Errorf("in a step: %s", got)
	}
	event(hybridcore.EventOutput, "a line of output")
	event(hybridcore.EventDone, "failed")
	if got := state(); got != want+"in_progress:failed;" {
		t.Errorf("done: %s", got)
	}
	p.Report(r)
	if left := p.Close(t.Context(), 2*time.Minute); len(left) > 0 {
		t.Errorf("%q", left)
	}
	for i, c := range s.Checks() {
		all, _ := c["annotations"].([]any)
		if c["conclusion"] != "failure" || (i == 0) != (len(all) == report.MaxAnnotations) {
			t.Errorf("%v is %v with %d annotations", c["name"], c["conclusion"], len(all))
		}
	}
	body := fmt.Sprint(s.Comments()[0]["body"])
	if len(s.Comments()) != 1 ||
		!strings.Contains(body, "more findings do not fit here; all is in the artifact `report`") || len(body) > 65_536 {
		t.Errorf("%d comments, the first of %d bytes", len(s.Comments()), len(body))
	}
}
