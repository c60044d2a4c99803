// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:27Z
// Spec: openspec/specs/reports/spec.md#requirement-progress-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

var at = time.Date(2026, 11, 22, 22, 45, 1, 0, time.UTC)

const runID = "20261122t224501-1a2b3c4d"

func record() hybridcore.Record {
	return hybridcore.Record{
		FormatVersion: 1, RunID: runID, At: at, Duration: 95 * time.Second, Status: hybridcore.Failed,
		Request: hybridcore.Request{
			Action: hybridcore.ActionBuild, Env: "lab", Images: []string{"debian-12"},
			Origin: hybridcore.Origin{Kind: "cli"},
		},
		Versions: map[string]string{
			"plugin:github.com/hashicorp/proxmox": "1.2.3+lab", "packer": "1.15.0",
			"plugin:github.com/hashicorp/vsphere": "1.4.2",
		},
		Results: []hybridcore.Result{
			{
				Target: "debian-12@vsphere", Platform: hybridcore.VSphere, Status: hybridcore.Built,
				Duration: 12300 * time.Millisecond, Log: "logs/" + runID + "/debian-12@vsphere.log",
				Artifact: &hybridcore.Artifact{ID: "debian-12-" + runID, Builder: "jetbrains.vsphere", URIs: []hybridcore.URI{
					{Kind: "vm-template", Name: "debian-12-" + runID, ID: "vm-61"},
					{Kind: "content-library-item", Name: "debian-12-" + runID, ID: "7d3c8a52"},
				}},
				Digest:    "0123456789abcdef0123",
				Inputs:    map[string]string{"file:a": "1", "file:b": "2", "var:c": "3", "packer": "1.15.0"},
				Inventory: &hybridcore.Inventory{File: "records/" + runID + "/debian-12@vsphere.inventory.json", Packages: 214},
				Notes:     []string{"ansible: default : ok=31 changed=24"},
				Steps:     []hybridcore.Step{{Name: "Creating virtual machine...", At: at, Duration: 300 * time.Millisecond}},
			},
			{
				Target: "ubuntu-24.04@vsphere", Platform: hybridcore.VSphere, Status: hybridcore.Failed, Duration: 91 * time.Second,
				Failure: &hybridcore.Failure{
					Step: "Provisioning with Ansible...", File: "ansible/roles/base/tasks/debian.yml", Message: "exit status 2",
					Tail: []string{"TASK [base : install]", "fatal: [default]: FAILED!"},
				},
			},
			{Target: "debian-11@proxmox", Platform: hybridcore.Proxmox, Status: hybridcore.UnchangedDone, Notes: []string{
				"stand-in: github.com/hashicorp/proxmox 1.2.3+lab, of the lab, not the real plugin",
				"unchanged: all 40 inputs equal run x of 2026-11-01 10:00:00 UTC",
			}},
		},
	}
}

func plan() hybridcore.Plan {
	target := func(image string) hybridcore.Target {
		return hybridcore.Target{
			Image: hybridcore.Image{Name: image}, Platform: hybridcore.VSphere, Env: "lab",
			Source: "vsphere-iso.linux",
		}
	}
	var many []hybridcore.Reason
	for range 14 {
		many = append(many, hybridcore.Reason{
			Kind: "file", Text: "file ansible/linux.yml changed",
			File: "templates/ansible/linux.yml",
		})
	}
	return hybridcore.Plan{
		Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: "lab"},
		Targets: []hybridcore.PlannedTarget{
			{Target: target("debian-12"), Decision: hybridcore.Build, Reasons: []hybridcore.Reason{
				{Kind: "variable", Text: "variable vm_cpu_count: 2 → 4", File: "configs/lab/common.pkrvars.hcl", Line: 7},
				{Kind: "version", Text: "version packer: 1.14.0 → 1.15.0"},
			}},
			{Target: target("debian-13"), Decision: hybridcore.Build, Reasons: many},
			{
				Target: target("ubuntu-24.04"), Decision: hybridcore.Unchanged,
				Reasons: []hybridcore.Reason{{Kind: "unchanged", Subject: "x", Text: "all 40 inputs equal run x"}},
			},
		},
		Findings: []hybridcore.Finding{{
			Kind: "schema", Message: `undeclared variable "vm_cpus"`, Hint: `did you mean "vm_cpu_count"?`,
			Source: "vm_cpus = 2",
			File:   "configs/lab/common.pkrvars.hcl", Line: 9, Column: 1, Severity: hybridcore.Warning,
		}},
	}
}

func TestGolden(t *testing.T) {
	status := hybridcore.StatusReport{
		Targets: map[string]hybridcore.Current{"lab/debian-12@vsphere": {
			RunID: runID, At: at, Artifact: record().Results[0].Artifact, Inventory: record().Results[0].Inventory,
			Inputs: map[string]string{"packer": "1.15.0", "plugin:github.com/hashicorp/vsphere": "1.4.2", "lab": "lab-one"},
		}, "lab/debian-12@proxmox": {
			RunID: runID, At: at, Inputs: map[string]string{
				"packer":                              "1.15.0",
				"plugin:github.com/hashicorp/proxmox": "1.2.3+lab", "lab": "lab-one",
			},
		}, "prod/debian-12@azure": {RunID: runID, At: at, Inputs: map[string]string{"lab": "none"}}},
		Running: []hybridcore.Lease{{
			Key: "lab/debian-12@vsphere", RunID: "r2", Owner: "ci@runner-1", PID: 42, At: at,
			Phase: "cancelling", Expires: at.Add(5*time.Hour + 4*time.Minute),
		}},
		Dead: []hybridcore.Lease{
			{Key: "lab/ubuntu-24.04@vsphere", RunID: "r1", Owner: "ci@runner-1", Phase: "running", At: at, Lab: "lab-one"},
			{
				Key: "lab/ubuntu-24.04@vsphere", RunID: "r0", Owner: "ci@runner-1", Phase: "uncleaned", At: at,
				QuietSince: at.Add(time.Hour),
			},
		},
	}
	tests := map[string]func(*bytes.Buffer, Style) error{
		"plan": func(b *bytes.Buffer, s Style) error { return WritePlan(b, s, plan()) },
		"record": func(b *bytes.Buffer, s Style) error {
			return WriteRecord(b, s, record(), "state/runs/20261122t224501-1a2b3c4d.json")
		},
		"inspect": func(b *bytes.Buffer, s Style) error {
			return WriteInspect(b, s, record(), "state/runs/20261122t224501-1a2b3c4d.json")
		},
		"status":    func(b *bytes.Buffer, s Style) error { return WriteStatus(b, s, status, at.Add(5*time.Hour)) },
		"reaped":    func(b *bytes.Buffer, s Style) error { return WriteReaped(b, s, reaped(), false) },
		"reap-dry":  func(b *bytes.Buffer, s Style) error { return WriteReaped(b, s, reaped()[:1], true) },
		"reap-none": func(b *bytes.Buffer, s Style) error { return WriteReaped(b, s, nil, false) },
		"empty":     func(b *bytes.Buffer, s Style) error { return WriteStatus(b, s, hybridcore.StatusReport{}, at) },
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			var plain, colour bytes.Buffer
			if err := write(&plain, Style{}); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", plain.Bytes())
			if strings.ContainsRune(plain.String(), 0x1b) {
				t.Error("plain output has control sequences")
			}
			if err := write(&colour, Style{Color: true}); err != nil {
				t.Fatal(err)
			}
			if got := stripColour(colour.String()); got != plain.String() {
				t.Errorf("colours change the text:\n%s", cmp.Diff(plain.String(), got))
			}
		})
	}
}

func reaped() []hybridcore.Reaped {
	lease := hybridcore.Lease{Key: "lab/debian-12@vsphere", RunID: "r1", Owner: "ci@runner-1", Phase: "running", At: at}
	return []hybridcore.Reaped{
		{Lease: lease, Removed: []hybridcore.URI{{Kind: "vm", ID: "vm-7", Name: "debian-12-r1"}}},
		{
			Lease: lease, Removed: []hybridcore.URI{{Kind: "vm", ID: "vm-7", Name: "debian-12-r1"}},
			LookAgain: at.Add(15 * time.Minute),
		},
		{Lease: lease, LookAgain: at.Add(15 * time.Minute)},
		{Lease: lease, Kept: []hybridcore.URI{{Kind: "vm-template", ID: "vm-8", Name: "debian-12-r1"}}},
		{Lease: lease, Error: "connecting to vCenter: refused\nsecond line"},
		{Lease: lease},
		{Lease: lease, Elsewhere: "it was in the lab lab-one"},
	}
}

func stripColour(s string) string {
	for _, code := range []string{"0", "2", "31", "32", "33"} {
		s = strings.ReplaceAll(s, "\x1b["+code+"m", "")
	}
	return s
}

func TestJSON(t *testing.T) {
	p, r := plan(), record()
	var out bytes.Buffer
	if err := WriteJSON(&out, hybridcore.Answer{Plan: &p, Record: &r}); err != nil {
		t.Fatal(err)
	}
	golden(t, "document.json", out.Bytes())
	if !json.Valid(out.Bytes()) || !bytes.HasSuffix(out.Bytes(), []byte("}\n")) {
		t.Error("not one JSON document with a line break at its end")
	}
}

// Scripts read these names: a change of the golden file is a change of the interface.
func TestJSONOfLeases(t *testing.T) {
	held := hybridcore.Lease{
		Key: "lab/debian-12@vsphere", RunID: "r2", Owner: "ci@runner-1", Host: "runner-1", BootID: "b1", PID: 42, At: at,
		Artifact: "debian-12-r2", Scratch: "/tmp/ph-abcdefgh27", Phase: hybridcore.PhaseRunning, Serial: 7,
		Expires: at.Add(5 * time.Minute),
	}
	past := held
	past.Media = []string{"packer55.iso"}
	past.RunID, past.Artifact, past.Phase = "r1", "debian-12-r1", hybridcore.PhaseUncleaned
	past.Serial, past.QuietSince = 6, at
	reaped := []hybridcore.Reaped{{
		Lease: past, Removed: []hybridcore.URI{{Kind: "vm", ID: "vm-7", Name: "debian-12-r1"}}, Kept: []hybridcore.URI{},
		LookAgain: past.LookAgain(),
	}}
	status := hybridcore.StatusReport{
		Env: "lab", Serial: 3, Targets: map[string]hybridcore.Current{},
		Running: []hybridcore.Lease{held}, Dead: []hybridcore.Lease{past},
	}
	var out bytes.Buffer
	if err := WriteJSON(&out, hybridcore.Answer{Status: &status, Reaped: &reaped}); err != nil {
		t.Fatal(err)
	}
	golden(t, "leases.json", out.Bytes())
}

func TestConsole(t *testing.T) {
	events := []hybridcore.Event{
		{Target: "debian-12@vsphere", Kind: hybridcore.EventStart, Text: "packer 1.15.0"},
		{
			Target: "debian-12@vsphere", Kind: hybridcore.EventStep, Text: "Creating virtual machine...",
			Elapsed: 1234 * time.Millisecond,
		},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventOutput, Text: "ok: [default]", Elapsed: 2 * time.Second},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventError, Text: "no such ISO", Elapsed: 3 * time.Second},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventNote, Text: "cancelling", Elapsed: 3 * time.Second},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventDone, Text: "failed", Elapsed: 4 * time.Second},
	}
	play := func(style Style, verbose bool) string {
		var out bytes.Buffer
		c := NewConsole(&out, style, verbose)
		for _, e := range events {
			c.Event(e)
		}
		c.Close()
		return out.String()
	}
	golden(t, "console.txt", []byte(play(Style{}, false)))
	if out := play(Style{}, true); !strings.Contains(out, "ok: [default]") {
		t.Errorf("--verbose hides output:\n%s", out)
	}
	live := play(Style{Live: true, Color: true}, false)
	for _, want := range []string{"Creating virtual machine...", "no such ISO", "\x1b[31merror"} {
		if !strings.Contains(live, want) {
			t.Errorf("live output lacks %q:\n%q", want, live)
		}
	}
}

func TestJSONKeepsValuesAndHidesControls(t *testing.T) {
	t.Parallel()
	const text = "a\u009b31m\u202e\U000e0041é😀\u2028\x1b\x7f"
	var out bytes.Buffer
	if err := WriteJSON(&out, hybridcore.Answer{Error: text}); err != nil {
		t.Fatal(err)
	}
	var read hybridcore.Answer
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read.Error != text {
		t.Errorf("%q became %q, error %v", text, read.Error, err)
	}
	if got := hybridcore.Sanitize(out.String()); got != out.String() || !strings.Contains(got, "é😀") {
		t.Errorf("it is %q", out.String())
	}
}
