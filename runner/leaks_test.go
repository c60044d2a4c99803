// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:28:00Z
// Spec: openspec/specs/leaks/spec.md#requirement-every-file-of-the-project
// Diagram: openspec/specs/leaks/diagram.md#one-scan

package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/leaks/leakstest"
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

// TestEveryPlacementBlocksEveryVerb puts each secret of the table into a project, one after the other, and asks for
// everything: what holds a secret is refused, and what only looks like one is not.
func TestEveryPlacementBlocksEveryVerb(t *testing.T) {
	if len(leakstest.Placements) < 60 {
		t.Errorf("%d placements", len(leakstest.Placements))
	}
	for i, p := range leakstest.Placements {
		t.Run(fmt.Sprintf("%d %s", i, strings.ReplaceAll(p.File, "/", "|")), func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			name := "placed/" + p.File // where nothing but the search for secrets reads it
			path := filepath.Join(s.dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(p.Content), 0o600); err != nil {
				t.Fatal(err)
			}
			r := &Runner{Project: s.Project, Folders: s.folders}
			for _, action := range []hybridcore.Action{
				hybridcore.ActionPlan, hybridcore.ActionValidate, hybridcore.ActionBuild, hybridcore.ActionPublish,
			} {
				if p.Line == 0 && action == hybridcore.ActionBuild {
					continue // it would build
				}
				req := s.request(action, "debian-12")
				req.Release = map[bool]string{true: "v1"}[action == hybridcore.ActionPublish]
				answer, err := r.Do(t.Context(), req, nil)
				if answer.Plan == nil {
					t.Fatalf("%s: %v", action, err)
				}
				at := slices.IndexFunc(answer.Plan.Findings,
					func(f hybridcore.Finding) bool { return f.Kind == "leak" && f.File == name })
				switch {
				case p.Line == 0 && at >= 0:
					t.Errorf("%s finds %+v", action, answer.Plan.Findings[at])
				case p.Line == 0:
				case at < 0 || answer.Plan.Findings[at].Line != p.Line:
					t.Errorf("%s: %+v", action, answer.Plan.Findings)
				case !answer.Plan.Findings[at].Blocking: // only a random text that may be one
					if !strings.Contains(p.Message, "may be a secret") {
						t.Errorf("%s does not block: %+v", action, answer.Plan.Findings[at])
					}
					return
				case answer.ExitCode() != hybridcore.ExitBlocked && hybridcore.ExitCode(err) != hybridcore.ExitBlocked:
					t.Errorf("%s: exit code %d, %v", action, answer.ExitCode(), err)
				}
			}
		})
	}
}
