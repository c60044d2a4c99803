// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:16:29Z
// Spec: openspec/specs/packer/spec.md#requirement-success-needs-evidence
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// manifest is what Packer writes, with one thing changed.
func manifest(old, replacement string) string {
	const good = `{"builds": [{"name": "linux", "builder_type": "null", "build_time": 1795387732, "files": null,
 "artifact_id": "vm-1", "packer_run_uuid": "u1", "custom_data": {"k": "v"}}], "last_run_uuid": "u1"}`
	return strings.Replace(good, old, replacement, 1)
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want string // part of the error, empty for none
	}{
		"good":            {text: manifest("", "")},
		"unknown key":     {text: manifest(`"name"`, `"new_in_1_17": [{}], "name"`)},
		"empty file":      {text: "", want: "it is empty or ends too early"},
		"truncated":       {text: manifest("", "")[:100], want: "reading JSON"},
		"trailing":        {text: manifest("", "") + "{}", want: "something follows"},
		"not UTF-8":       {text: manifest("vm-1", "vm\xff"), want: "not UTF-8"},
		"top is null":     {text: "null", want: "not an object"},
		"top is a list":   {text: "[]", want: "not an object"},
		"builds is null":  {text: `{"builds": null, "last_run_uuid": "u1"}`, want: "builds is not a list"},
		"builds is empty": {text: `{"builds": [], "last_run_uuid": "u1"}`, want: "builds is empty"},
		"build is null":   {text: `{"builds": [null], "last_run_uuid": "u1"}`, want: "not an object"},
		"other case": {
			text: manifest(`"builds"`, `"BUILDS": [], "builds"`),
			want: `the key "BUILDS" is not "builds"`,
		},
		"key twice": {text: manifest(`"name"`, `"name": "x", "name"`), want: "is there twice"},
		"entry twice": {
			text: manifest(`{"name"`,
				`{"name": "linux", "builder_type": "null", "artifact_id": "vm-1", "packer_run_uuid": "u1"}, {"name"`),
			want: "two entries of one build",
		},
		"name is a number":   {text: manifest(`"linux"`, "1"), want: "name is missing or not a text"},
		"no name":            {text: manifest(`"name": "linux",`, ""), want: "name is missing"},
		"time is a text":     {text: manifest("1795387732", `"1795387732"`), want: "build_time"},
		"time is a fraction": {text: manifest("1795387732", "1.5"), want: "build_time"},
		"time with exponent": {text: manifest("1795387732", "1e3"), want: "build_time"},
		"time is endless":    {text: manifest("1795387732", "12345678901234567890"), want: "build_time"},
		"time is null":       {text: manifest("1795387732", "null"), want: "build_time"},
		"files is a text":    {text: manifest(`"files": null`, `"files": "x"`), want: "files is not a list"},
		"older run only":     {text: manifest(`"last_run_uuid": "u1"`, `"last_run_uuid": "u2"`), want: "not of the last run"},
		"no run":             {text: manifest(`, "last_run_uuid": "u1"`, ""), want: "last_run_uuid is missing"},
		"no id":              {text: manifest("vm-1", ""), want: "artifact_id is missing"},
		"id of two lines":    {text: manifest("vm-1", `vm-1\n::error::x`), want: "control character"},
		"endless id":         {text: manifest("vm-1", strings.Repeat("x", output.MaxID+1)), want: "longer than"},
		"other artifact":     {text: manifest("vm-1", "vm-2"), want: "which packer did not report"},
		"other build":        {text: manifest(`"linux"`, `"other"`), want: "which packer did not report"},
		"custom is a list":   {text: manifest(`{"k": "v"}`, "[]"), want: "not an object"},
		"custom is a number": {text: manifest(`"v"`, "1"), want: "is not a text"},
		"custom is a secret": {text: manifest(`"v"`, `"my hunter2"`), want: "holds a secret"},
		"deep":               {text: strings.Repeat("[", 100000), want: "nested more than"},
		"huge":               {text: manifest("vm-1", strings.Repeat(" ", output.MaxManifest)), want: "at most"},
		"merge conflict":     {text: "<<<<<<< HEAD\n" + manifest("", ""), want: "reading JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := Job{
				Source: "null.linux", Manifest: filepath.Join(t.TempDir(), "m.json"),
				Redact: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") },
			}
			write(t, job.Manifest, tt.text)
			err := checkEvidence(job, []Artifact{{Build: "null.linux", ID: "vm-1"}})
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v: want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

// A manifest cut at any byte is refused.
func TestManifestTruncatedAnywhere(t *testing.T) {
	t.Parallel()
	good := manifest("", "")
	for i := range len(good) {
		if _, err := output.ParseManifest([]byte(good[:i])); err == nil {
			t.Errorf("accepted after %d of %d bytes", i, len(good))
		}
	}
}

func TestManifestIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	write(t, filepath.Join(dir, "m.json"), manifest("", ""))
	if err := os.Symlink("m.json", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, link, filepath.Join(dir, "missing")} {
		if _, err := output.ReadManifest(path); err == nil {
			t.Errorf("%s was accepted", path)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(manifest("", ""))
	f.Add(manifest("1795387732", "1e3"))
	f.Add(`{"builds":[null]}`)
	f.Fuzz(func(t *testing.T, said string) {
		entries, err := output.ParseManifest([]byte(said))
		if err == nil && len(entries) == 0 {
			t.Error("no entries and no error")
		}
		for _, e := range entries {
			if err == nil && (e.Name == "" || e.Builder == "" || e.ID == "" || e.Run == "" ||
				e.ID != text.Sanitize(e.ID)) {
				t.Errorf("entry %+v", e)
			}
		}
	})
}
