// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:11:14Z
// Spec: openspec/specs/logs/spec.md#requirement-what-a-run-did
// Diagram: openspec/specs/logs/diagram.md#sinks

package process_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// TestJournal builds twice with real Packer, and reads what the log says of it.
func TestJournal(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-of-the-build"
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("../testdata/project")); err != nil {
		t.Fatal(err)
	}
	script := "script = \"echo $PKR_VAR_build_password; exit 3\"\n"
	err := os.WriteFile(filepath.Join(root, "configs/lab/common.pkrvars.hcl"), []byte(script), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	redactor, _ := redact.New(redact.Secret{Name: "PKR_VAR_build_password", Value: secret})
	var console strings.Builder
	p := process.Process{
		Dir: root, Redactor: redactor, Notes: io.Discard, Log: &console, Version: "1.2.3-test",
		Environ: append(os.Environ(), "PKR_VAR_build_password="+secret, "PKR_VAR_vsphere_password=x",
			"PACKER_HYBRID_STATE="+filepath.Join(t.TempDir(), "state")),
	}
	var runs []string
	for _, image := range []string{"debian-12", "debian-13"} {
		req := process.Named(hybridcore.Request{
			Action: hybridcore.ActionBuild, Images: []string{image},
			Origin: hybridcore.Origin{Kind: "cli", Actor: "somebody"},
		})
		answer, err := p.Do(t.Context(), req, process.Screen{Out: io.Discard, Err: io.Discard})
		if answer.Record == nil || hybridcore.ExitCode(err) != hybridcore.ExitFailed {
			t.Fatalf("%+v, %v\n%s", answer.Record, err, console.String())
		}
		runs = append(runs, req.ID)
	}
	text, err := os.ReadFile(filepath.Join(root, "logs", "packer-hybrid.log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), secret) {
		t.Error("the log holds the password")
	}
	said := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		var one struct {
			Time, Level, Msg, Kind, Run, Verb, Version, Actor, Target, Status, Cause string
			Code                                                                     *int `json:"exit_code"`
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Time == "" {
			t.Fatalf("%v: %s", err, line)
		}
		if one.Msg == "progress" {
			one.Msg = one.Kind
		}
		said[one.Run] = append(said[one.Run], one.Msg)
		switch one.Msg {
		case "request":
			if one.Version != "1.2.3-test" || one.Actor != "somebody" || one.Verb != "build" {
				t.Errorf("%s", line)
			}
		case "result":
			if !strings.HasSuffix(one.Target, "@vsphere") || one.Status != "failed" ||
				!strings.Contains(one.Cause, "exit status: 3") {
				t.Errorf("%s", line)
			}
		case "end":
			if one.Code == nil || *one.Code != hybridcore.ExitFailed {
				t.Errorf("%s", line)
			}
		}
	}
	for _, run := range runs {
		got := said[run]
		for _, want := range []string{"request", "plan", "to build", "start", "step", "done", "recorded", "result", "end"} {
			if !slices.Contains(got, want) {
				t.Errorf("run %s: no %q in %q", run, want, got)
			}
		}
		if len(got) == 0 || got[0] != "request" || got[len(got)-1] != "end" {
			t.Errorf("run %s: %q", run, got)
		}
	}
	if strings.Contains(console.String(), "request") {
		t.Errorf("the console shows what is only for the log: %s", console.String())
	}
}
