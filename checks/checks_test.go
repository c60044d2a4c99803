// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:27Z
// Spec: openspec/specs/reports/spec.md#requirement-progress-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/checks/checkstest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// The values that reports are rendered from.
const runID = checkstest.RunID

var (
	at                       = checkstest.At()
	record, plan, comparison = checkstest.Record, checkstest.Plan, checkstest.Comparison
)

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
			goldentest.Compare(t, name+".txt", plain.String())
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
	goldentest.Compare(t, "document.json", out.String())
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
	goldentest.Compare(t, "leases.json", out.String())
}

func TestJSONKeepsValuesAndHidesControls(t *testing.T) {
	t.Parallel()
	const said = "a\u009b31m\u202e\U000e0041é😀\u2028\x1b\x7f"
	var out bytes.Buffer
	if err := WriteJSON(&out, hybridcore.Answer{Error: said}); err != nil {
		t.Fatal(err)
	}
	var read hybridcore.Answer
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read.Error != said {
		t.Errorf("%q became %q, error %v", said, read.Error, err)
	}
	if got := text.Sanitize(out.String()); got != out.String() || !strings.Contains(got, "é😀") {
		t.Errorf("it is %q", out.String())
	}
}
