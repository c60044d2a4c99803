// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:28:00Z
// Spec: openspec/specs/leaks/spec.md#requirement-every-file-of-the-project
// Diagram: openspec/specs/leaks/diagram.md#one-scan

package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
)

// TestLeaksBlock has secrets in plain text lie where no template looks, and asks for everything.
func TestLeaksBlock(t *testing.T) {
	key := "-----BEGIN OPENSSH PRIV" + "ATE KEY-----\n" +
		strings.Repeat("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA\n", 3)
	places := map[string]string{
		"templates/ansible/files/id_ed25519": key,
		"secrets.pkrvars.hcl":                "build_password = \"hunter2\"\n",
		"x/.env":                             "DB_PASSWORD=hunter2\n",
		"notes/tokens.txt":                   "gl" + "pat-Kd8sTq2LmZx0PvRb7NcY\n",
	}
	for name, content := range places {
		s := newSandbox(t)
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r := &Runner{
			Project: s.Project, Folders: s.folders,
			Remember: plan.Memory{Verdicts: plan.Verdicts(t.TempDir()), Program: "x"},
		}
		for _, action := range []hybridcore.Action{
			hybridcore.ActionPlan, hybridcore.ActionValidate, hybridcore.ActionBuild, hybridcore.ActionPublish,
		} {
			req := s.request(action, "debian-12")
			req.Release = map[bool]string{true: "v1"}[action == hybridcore.ActionPublish]
			answer, err := r.Do(t.Context(), req, nil)
			if code := answer.ExitCode(); code != hybridcore.ExitBlocked && hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("%s of %s: exit code %d: %v", action, name, code, err)
			}
			if answer.Plan == nil || !slices.ContainsFunc(answer.Plan.Findings, func(f hybridcore.Finding) bool {
				return f.Kind == "leak" && f.File == name && f.Line == 1 && f.Blocking
			}) {
				t.Errorf("%s of %s: %+v", action, name, answer.Plan)
			}
			if rec := answer.Record; rec != nil && (rec.Status == hybridcore.Built || rec.Status == hybridcore.Published) {
				t.Errorf("%s of %s: %s", action, name, rec.Status)
			}
		}
	}
}
