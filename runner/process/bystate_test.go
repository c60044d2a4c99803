// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:28:00Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// TestByState tells what is recorded, without what the redactor hides.
func TestByState(t *testing.T) {
	t.Parallel()
	root, folder := t.TempDir(), filepath.Join(t.TempDir(), "state")
	text := "project {\n  name = \"x\"\n}\nenvironment \"lab\" {}\n"
	if err := os.WriteFile(filepath.Join(root, "packer-hybrid.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := directory.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	err = store.Append(t.Context(), hybridcore.Record{
		FormatVersion: 1, RunID: "20261201t112800-1a2b3c4d", At: time.Now(), Status: hybridcore.Failed,
		Request: hybridcore.Request{Action: hybridcore.ActionBuild, Env: "lab"},
		Results: []hybridcore.Result{{
			Target: "a@azure", Image: "a", Platform: hybridcore.Azure, Status: hybridcore.Failed,
			Failure: &hybridcore.Failure{Message: "wrong password hunter2-of-the-lab"},
		}},
	}, nil)
	if err = errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	redactor, _ := redact.New(redact.Secret{Name: "PASSWORD", Value: "hunter2-of-the-lab"})
	p := process.Process{Dir: root, Environ: []string{"PACKER_HYBRID_STATE=" + folder}, Redactor: redactor}
	for _, run := range []string{"", "20261201t112800-1a2b3c4d"} {
		answer, err := p.ByState(t.Context(), hybridcore.Request{Action: hybridcore.ActionInspect, Record: run})
		if err != nil || answer.Record == nil || answer.Record.Request.Env != "lab" ||
			strings.Contains(answer.Record.Results[0].Failure.Message, "hunter2") {
			t.Errorf("inspect %s: %+v, %v", run, answer.Record, err)
		}
	}
	_, err = p.ByState(t.Context(), hybridcore.Request{Action: hybridcore.ActionInspect, Record: "gone"})
	if _, usage := errors.AsType[*hybridcore.UsageError](err); !usage {
		t.Errorf("a run that is not recorded: %v", err)
	}
}
