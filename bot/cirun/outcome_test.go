// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:04:12Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package cirun_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func planned(decision hybridcore.Decision, image string, platform hybridcore.Platform,
	reasons ...string,
) hybridcore.PlannedTarget {
	t := hybridcore.PlannedTarget{Decision: decision}
	t.Target.Image.Name, t.Target.Platform = image, platform
	for _, reason := range reasons {
		t.Reasons = append(t.Reasons, hybridcore.Reason{Text: reason})
	}
	return t
}

// Every verb's answer is shown, and none as something else than it is.
func TestOutcomes(t *testing.T) {
	dry := hybridcore.Request{Caution: hybridcore.Caution{DryRun: true}}
	blocked := 3
	lab := map[string]string{"lab": "lab-one", "plugin:github.com/hashicorp/vsphere": "1.4.2+lab"}
	for name, test := range map[string]struct {
		answer hybridcore.Answer
		want   cirun.Outcome
	}{
		"plan": {
			hybridcore.Answer{Plan: &hybridcore.Plan{
				Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: "lab"},
				Targets: []hybridcore.PlannedTarget{
					planned(hybridcore.Unchanged, "debian-12", hybridcore.Azure, "as run x"),
					planned(hybridcore.Build, "debian-12", hybridcore.VSphere, "one", "two", "three", "four", "five"),
				},
				Removed: []hybridcore.Removed{{Image: "old", Platform: hybridcore.Proxmox, Text: "no longer in the catalogue"}},
				Findings: []hybridcore.Finding{
					{Severity: hybridcore.Warning, Message: "odd", File: "a.hcl", Line: 3},
					{Severity: hybridcore.Info, Message: "quiet"},
				},
				Versions: map[string]string{"plugin:github.com/hashicorp/vsphere": "1.4.2+lab"},
			}},
			cirun.Outcome{
				Status: cirun.Answered, Title: "Planned", Why: "1 to build and 1 unchanged in lab",
				Grid: &cirun.Grid{Columns: []string{"Target", "Plan", "Why"}, Rows: [][]string{
					{"debian-12@vsphere", "build", "one; two; three; and 2 more"},
					{"debian-12@azure", "unchanged", "as run x"},
					{"old@proxmox", "removed", "no longer in the catalogue"},
				}},
				Notes: []string{
					"stand-in: github.com/hashicorp/vsphere 1.4.2+lab, of the lab, not the real plugin",
					"warning: a.hcl:3: odd",
				},
			},
		},
		"plans": {
			hybridcore.Answer{Plans: []hybridcore.EnvPlan{
				{Env: "lab", Plan: &hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
					planned(hybridcore.Unchanged, "debian-12", hybridcore.Azure, "as run x"),
				}}},
				{Env: "prod", Plan: &hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
					planned(hybridcore.Build, "debian-12", hybridcore.VSphere, "one"),
				}}},
				{Env: "site", Exit: 2, Error: "it cannot be read"},
			}},
			cirun.Outcome{
				Status: cirun.Answered, Title: "Planned",
				Why: "0 of 1 target to build in lab, 1 of 1 target to build in prod, not planned in site",
				Grid: &cirun.Grid{Columns: []string{"Target", "Plan", "Why"}, Rows: [][]string{
					{"prod/debian-12@vsphere", "build", "one"},
				}},
				Notes: []string{"site: it cannot be read"},
			},
		},
		"validate, blocked": {
			hybridcore.Answer{
				Request: &hybridcore.Request{Action: hybridcore.ActionValidate}, Exit: &blocked,
				Plan: &hybridcore.Plan{
					Request: hybridcore.Request{Env: "lab"}, Targets: make([]hybridcore.PlannedTarget, 6),
					Findings: []hybridcore.Finding{{Severity: hybridcore.Error, Message: "a secret", Blocking: true}},
				},
			},
			cirun.Outcome{
				Status: hybridcore.BlockedStatus, Title: "Not valid", Why: "6 targets of lab checked: 1 finding",
				Notes: []string{"error: a secret"},
			},
		},
		"status": {
			hybridcore.Answer{Status: &hybridcore.StatusReport{
				Targets: map[string]hybridcore.Current{"lab/debian-12@vsphere": {
					RunID: "run-1", At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Inputs: lab,
					Artifact: &hybridcore.Artifact{ID: "/a/long/id", URIs: []hybridcore.URI{{Name: "debian-12-run-1"}}},
				}},
				Dead: []hybridcore.Lease{{Key: "lab/debian-12@azure", RunID: "run-2"}},
			}},
			cirun.Outcome{
				Status: cirun.Answered, Title: "Status", Why: "1 target built",
				Grid: &cirun.Grid{Columns: []string{"Target", "Artifact", "Built", "Run", "Release"}, Rows: [][]string{
					{"lab/debian-12@vsphere", "debian-12-run-1", "2026-11-30 12:00 UTC", "run-1", ""},
				}},
				Notes: []string{
					"lab: lab/debian-12@vsphere was built in the lab lab-one: no real platform has it",
					"stand-in: lab/debian-12@vsphere was built with github.com/hashicorp/vsphere 1.4.2+lab, of the lab, not the " +
						"real plugin",
					"not looked at: whether the platforms still have them",
					"interrupted: run run-2 of lab/debian-12@azure; what it may have left is removed by reap, and by the next build",
				},
			},
		},
		"parity": {
			hybridcore.Answer{Exit: &blocked, Parity: &hybridcore.ParityReport{Env: "lab", Parity: []hybridcore.Parity{
				{Image: "a", Manifests: []hybridcore.Manifest{
					{Platform: "azure", SHA256: "1"},
					{Platform: "vsphere", SHA256: "1"},
				}},
				{Image: "b", Manifests: []hybridcore.Manifest{{Platform: "azure", SHA256: "1"}, {Platform: "vsphere"}}},
				{
					Image: "d", Manifests: []hybridcore.Manifest{{Platform: "azure", SHA256: "1"}, {Platform: "vsphere", SHA256: "1"}},
					Findings: []hybridcore.Finding{{Kind: hybridcore.KindIdentity, Blocking: true}},
				},
				{Image: "c", Unexpected: []hybridcore.Difference{{Category: "package", Key: "curl"}}, Unlisted: 4},
			}}},
			cirun.Outcome{
				Status: hybridcore.BlockedStatus, Title: "Parity", Why: "4 images of lab compared",
				Grid: &cirun.Grid{Columns: []string{"Image", "Platforms", "Parity", "First difference"}, Rows: [][]string{
					{"a", "azure, vsphere", "identical", ""},
					{"b", "azure, vsphere", "not compared", ""},
					{"d", "azure, vsphere", "blocked", ""},
					{"c", "", "5 unexpected", "package curl"},
				}},
			},
		},
		"reap": {
			hybridcore.Answer{Request: &dry, Reaped: &[]hybridcore.Reaped{
				{
					Lease:   hybridcore.Lease{Key: "lab/a@azure", RunID: "run-1"},
					Removed: []hybridcore.URI{{Kind: "vm", Name: "a-run-1"}},
				},
				{Lease: hybridcore.Lease{Key: "prod/a@azure", RunID: "run-2"}, Elsewhere: "it is of prod"},
			}},
			cirun.Outcome{
				Status: cirun.Answered, Title: "Reap, dry run", Why: "1 interrupted run looked for, 1 not; nothing was removed",
				Grid: &cirun.Grid{Columns: []string{"Target", "Run", "Removed", "Kept", "Left"}, Rows: [][]string{
					{"lab/a@azure", "run-1", "vm a-run-1", "", ""}, {"prod/a@azure", "run-2", "", "", "it is of prod"},
				}},
			},
		},
		"inspect, of a lease that was released": {
			hybridcore.Answer{
				Request: &hybridcore.Request{Action: hybridcore.ActionInspect, Record: "run-2"},
				Record: &hybridcore.Record{
					RunID: "run-2", At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Status: hybridcore.FreedDone,
					Request: hybridcore.Request{
						Action: hybridcore.ActionFree, Env: "lab", Origin: hybridcore.Origin{Reason: "host gone"},
					},
					Freed: &hybridcore.Lease{Key: "lab/a@azure", RunID: "run-1"},
				},
			},
			cirun.Outcome{
				Status: cirun.Answered, Title: "Record", Why: "run-2, lease-release of lab at 2026-11-30 12:00 UTC: freed",
				Notes: []string{"released: the lease of lab/a@azure, held by run run-1: host gone"},
			},
		},
		"inspect": {
			hybridcore.Answer{
				Request: &hybridcore.Request{Action: hybridcore.ActionInspect, Record: "run-1"},
				Record: &hybridcore.Record{
					RunID: "run-1", Request: hybridcore.Request{Action: hybridcore.ActionBuild, Env: "lab"},
					At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), Status: hybridcore.Failed,
					Results: []hybridcore.Result{{
						Target: "a@azure", Status: hybridcore.Failed, Failure: &hybridcore.Failure{Step: "ssh", Message: "no route"},
					}},
				},
			},
			cirun.Outcome{
				Status: cirun.Answered, Title: "Record", Why: "run-1, build of lab at 2026-11-30 12:00 UTC: failed",
				Targets: []cirun.Target{{Name: "a@azure", Status: "failed", Step: "ssh"}}, Notes: []string{"a@azure: no route"},
			},
		},
		"error": {hybridcore.Answer{Error: "no such image"}, cirun.Outcome{Status: cirun.Answered, Why: "no such image"}},
	} {
		if diff := cmp.Diff(test.want, cirun.OutcomeOf(test.answer)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A table has no more rows than Slack shows, and says how many there are beside.
func TestOutcomeIsBounded(t *testing.T) {
	plan := hybridcore.Plan{}
	for range 500 {
		plan.Targets = append(plan.Targets,
			planned(hybridcore.Build, strings.Repeat("x", 1000), hybridcore.Azure, strings.Repeat("y", 5000)))
		plan.Findings = append(plan.Findings,
			hybridcore.Finding{Severity: hybridcore.Error, Message: strings.Repeat("z", 5000)})
	}
	out := cirun.OutcomeOf(hybridcore.Answer{Plan: &plan})
	data, err := json.Marshal(out)
	if err != nil || len(data) > 32<<10 || len(out.Grid.Rows)+out.Grid.More != 500 || len(out.Notes)+out.Unsaid != 500 {
		t.Errorf("%d bytes, %d rows and %d more, %d notes and %d more: %v", len(data), len(out.Grid.Rows), out.Grid.More,
			len(out.Notes), out.Unsaid, err)
	}
}

// The targets of a record are bounded as well, with all that a job may write there.
func TestOutcomeOfManyTargets(t *testing.T) {
	rec := hybridcore.Record{Status: hybridcore.Failed}
	long := strings.Repeat("x\n", 50_000)
	for range 3000 {
		rec.Results = append(rec.Results, hybridcore.Result{
			Target: long, Status: hybridcore.Status(long), Artifact: &hybridcore.Artifact{URIs: []hybridcore.URI{{Name: long}}},
			Failure: &hybridcore.Failure{Message: long, Step: long, Tail: slices.Repeat([]string{long}, 500)},
		})
	}
	out := cirun.OutcomeOf(hybridcore.Answer{Record: &rec})
	data, err := json.Marshal(out)
	if err != nil || len(data) > 64<<10 || len(out.Targets) != 20 || out.More != 2980 || out.Status != hybridcore.Failed {
		t.Errorf("%d bytes, %d targets and %d more, %s: %v", len(data), len(out.Targets), out.More, out.Status, err)
	}
	for _, status := range []hybridcore.Status{"", "done", "Built", hybridcore.Status(long)} {
		out := cirun.OutcomeOf(hybridcore.Answer{Record: &hybridcore.Record{Status: status}})
		if out.Status != hybridcore.Failed || !strings.Contains(out.Why, "which is none") || len(out.Why) > 500 {
			t.Errorf("%.20q: %s %q", status, out.Status, out.Why)
		}
	}
}

// TestForeign says which answers are to an order.
func TestForeign(t *testing.T) {
	request := func(action hybridcore.Action, env string) *hybridcore.Request {
		return &hybridcore.Request{Action: action, Env: env}
	}
	record := func(action hybridcore.Action, env string) *hybridcore.Record {
		return &hybridcore.Record{Request: *request(action, env)}
	}
	plan := func(action hybridcore.Action, env string) *hybridcore.Plan {
		return &hybridcore.Plan{Request: *request(action, env)}
	}
	for name, c := range map[string]struct {
		line   string
		answer hybridcore.Answer
		want   string // that it names; empty: it is to the order
	}{
		"the same": {
			"build --env lab",
			hybridcore.Answer{Request: request("build", "lab"), Record: record("build", "lab"), Plan: plan("build", "lab")},
			"",
		},
		"only an error": {"build --env lab", hybridcore.Answer{Error: "x"}, ""},
		"does not say":  {"build --env lab", hybridcore.Answer{Record: &hybridcore.Record{}}, ""},
		"planned": {
			"build --env lab",
			hybridcore.Answer{Request: request("plan", "lab"), Plan: plan("plan", "lab")},
			"",
		},
		"collected": {
			"build --env lab",
			hybridcore.Answer{Request: request("collect", "lab"), Record: record("collect", "lab")},
			"",
		},
		"changes since": {
			"build --env lab",
			hybridcore.Answer{Record: record("build", "lab"), Parity: &hybridcore.ParityReport{Env: "lab"}},
			"",
		},
		"another environment": {
			"build --env lab",
			hybridcore.Answer{Request: request("build", "prod")},
			"build for prod, and build for lab",
		},
		"its record": {
			"build --env lab",
			hybridcore.Answer{Request: request("build", "lab"), Record: record("build", "prod")},
			"build for prod",
		},
		"its plan": {"plan --env lab", hybridcore.Answer{Plan: plan("plan", "prod")}, "plan for prod"},
		"its status": {
			"status --env lab",
			hybridcore.Answer{Request: request("status", "lab"), Status: &hybridcore.StatusReport{Env: "prod"}},
			"status for prod",
		},
		"its parity": {
			"parity --env lab",
			hybridcore.Answer{Parity: &hybridcore.ParityReport{Env: "prod"}},
			"for prod",
		},
		"another verb": {
			"publish --env lab",
			hybridcore.Answer{Request: request("build", "lab")},
			"build for lab, and publish for lab",
		},
		"a status for a build": {
			"build --env lab",
			hybridcore.Answer{Status: &hybridcore.StatusReport{Env: "lab"}},
			"status for lab",
		},
		"a build for a plan": {
			"plan --env lab",
			hybridcore.Answer{Request: request("plan", "lab"), Record: record("build", "lab")},
			"build for lab",
		},
		"a record by name": {
			"inspect 20261123t050000-1a2b3c4d --env lab",
			hybridcore.Answer{Request: request("inspect", "lab"), Record: record("build", "prod")},
			"",
		},
		"hostile": {
			"build --env lab",
			hybridcore.Answer{Request: request("x\n<!channel>", strings.Repeat("y", 5000))},
			"x <!channel> for yyy",
		},
	} {
		got := cirun.Foreign(cirun.Order{Line: c.line}, c.answer)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) || strings.ContainsAny(got, "\n") ||
			len(got) > 500 {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzOutcomeOf(f *testing.F) {
	for _, seed := range []string{
		`{"plan":{"targets":[null,{"reasons":null}],"removed":[null]}}`,
		`{"status":{"targets":{"x":{"artifact":{"uris":[null]}}},"dead":[null]}}`,
		`{"reaped":[null],"reaped_on":[{"reaped":[null]}]}`, `{"parity":{"parity":[{"manifests":[null]}]}}`,
		`{"record":{"results":[null]},"exit_code":1}`,
		"{\"error\":\"\u202e<!channel>\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a hybridcore.Answer
		if json.Unmarshal(data, &a) != nil {
			return
		}
		out := cirun.OutcomeOf(a)
		if out.Status == "" {
			t.Error("no status")
		}
		for _, note := range out.Notes {
			if strings.ContainsAny(note, "\n\u202e\x1b") {
				t.Errorf("%q", note)
			}
		}
		if len(out.Targets) > 20 || len(out.Why) > 2100 {
			t.Errorf("%d targets, why has %d bytes", len(out.Targets), len(out.Why))
		}
		cirun.Foreign(cirun.Order{Line: "build --env lab"}, a)
		if out.Grid != nil && slices.ContainsFunc(out.Grid.Rows,
			func(row []string) bool { return len(row) != len(out.Grid.Columns) }) {
			t.Errorf("rows of another length: %q", out.Grid.Rows)
		}
	})
}
