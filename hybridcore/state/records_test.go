// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:23:40Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

package state

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// recorded makes a state with the records run-0 to run-(n-1).
func recorded(t *testing.T, n int) *Memory {
	t.Helper()
	m := NewMemory()
	for i := range n {
		if err := open(m).Append(t.Context(), record(fmt.Sprintf("run-%d", i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestRecordRefusals(t *testing.T) {
	m := recorded(t, 3)
	file := RecordName("run-1")
	line, other := string(m.objects[file]), string(m.objects[RecordName("run-2")])
	for _, tc := range []struct{ name, line, says string }{
		{"flipped", strings.Replace(line, `"plan_digest":"p1"`, `"plan_digest":"p2"`, 1), "changed after it was written"},
		{"status", strings.Replace(line, `"status":"failed"`, `"status":"built"`, 1), "changed after it was written"},
		{
			"white space", strings.Replace(line, `"plan_digest":"p1"`, `"plan_digest": "p1"`, 1),
			"changed after it was written",
		},
		{
			"repeated", strings.Replace(line, `"plan_digest":"p1"`, `"plan_digest":"p1","plan_digest":"p1"`, 1),
			"is there twice",
		},
		{"null", strings.Replace(line, `"results":[`, `"results":[null,`, 1), "is null"},
		{"cut", line[:len(line)/2], "cut short"},
		{"unknown name", strings.Replace(line, `"sha256":`, `"extra":1,"sha256":`, 1), "is not a name"},
		{"newer", strings.Replace(line, `"format_version":1`, `"format_version":2`, 1), "written by a newer packer-hybrid"},
		{"of another run", strings.Replace(other, `{"run_id":"run-2"`, `{"run_id":"run-1"`, 1), "it is the record of run"},
		{"as another run", other, "its name run"},
		{"empty", "", "it is empty"},
		{"trailing", strings.TrimSuffix(line, "\n") + "{}\n", "after top-level value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.line == line {
				t.Fatal("the case changes nothing")
			}
			m.objects[file] = []byte(tc.line)
			d := open(m)
			_, err := d.Record(t.Context(), "run-1")
			wantBlocked(t, err, file, tc.says)
			for _, id := range []string{"run-0", "run-2"} {
				if _, err := d.Record(t.Context(), id); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
			if err := d.Append(t.Context(), record("run-1"), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("a damaged record was given a second one: %v", err)
			}
		})
	}
}

// What is no record's name is named, with the records that are.
func TestRecordsWithAForeignFile(t *testing.T) {
	m := recorded(t, 3)
	for _, name := range []string{"runs/x", "runs/run-1/x.json", "runs/a..b.json"} {
		m.objects[name] = []byte("x")
	}
	ids, err := open(m).Records(t.Context())
	wantBlocked(t, err, "runs/x", "runs/run-1/x.json", "runs/a..b.json", "it is not the record of a run")
	if diff := cmp.Diff([]string{"run-0", "run-1", "run-2"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestRecordCutAtEveryByte(t *testing.T) {
	text := recorded(t, 1).objects[RecordName("run-0")]
	for n := range len(text) - 1 {
		if _, err := decodeRecord("run-0", text[:n]); err == nil {
			t.Fatalf("cut after %d bytes: accepted", n)
		}
	}
}

// A record never encodes null, which the reader refuses.
func TestEmptyValuesAreReadable(t *testing.T) {
	d := open(NewMemory())
	if err := d.Append(t.Context(), hybridcore.Record{RunID: "run-1", Results: []hybridcore.Result{{}}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Record(t.Context(), "run-1"); err != nil {
		t.Error(err)
	}
	full := hybridcore.Record{RunID: "run-2", Results: []hybridcore.Result{{
		Artifact: &hybridcore.Artifact{}, Inventory: &hybridcore.Inventory{}, Failure: &hybridcore.Failure{},
		Findings: []hybridcore.Finding{{}}, Steps: []hybridcore.Step{{}}, Notes: []string{""},
	}}}
	if err := d.Append(t.Context(), full, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Record(t.Context(), "run-2"); err != nil {
		t.Error(err)
	}
}

func FuzzRecord(f *testing.F) {
	rec := record("run-1")
	rec.FormatVersion = 1
	line, err := encodeRecord(rec)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"", "{}", "null", `{"run_id":"run-1","record":{"format_version":3}}`,
		string(line[:len(line)-1]), string(line[:len(line)/2]),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decodeRecord("run-1", data)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal without a cause")
			}
			return
		}
		line, err := encodeRecord(rec)
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		again, err := decodeRecord("run-1", line)
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if diff := cmp.Diff(rec, again); diff != "" {
			t.Errorf("changed by writing:\n%s", diff)
		}
	})
}
