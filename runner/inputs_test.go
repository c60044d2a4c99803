// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:27:30Z
// Spec: openspec/specs/security/spec.md#requirement-every-matching-rule-is-satisfied
// Diagram: openspec/specs/plan/diagram.md#two-trees

package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestInputs compares the inputs of a commit with those of the files on disk: they
// are the same until a file, or a variable of the environment, is another.
func TestInputs(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git",
			append([]string{"-C", s.dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main", "--template=")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	commit := git("rev-parse", "HEAD")
	req := hybridcore.Request{Env: s.Config.Environments[0].Name}
	planned, err := s.planner().CommitInputs(t.Context(), req, commit)
	if err != nil || len(planned) == 0 {
		t.Fatal(planned, err)
	}
	now := func() map[string]map[string]string {
		t.Helper()
		s := openSandbox(t, s.dir)
		s.Environ = append(os.Environ(), "PKR_VAR_build_password=secret", "PKR_VAR_vsphere_password=secret",
			"PKR_VAR_vsphere_endpoint=vc.example")
		inputs, err := s.planner().TreeInputs(req)
		if err != nil {
			t.Fatal(err)
		}
		return inputs
	}
	if diff := cmp.Diff(planned, now()); diff != "" {
		t.Errorf("credentials make another plan of it: %s", diff)
	}
	for target, inputs := range planned {
		for input, value := range inputs {
			if strings.Contains(value, "secret") || strings.Contains(input, "password") ||
				strings.Contains(value, "vc.example") {
				t.Errorf("%s has %s = %s", target, input, value)
			}
		}
	}
	file := ""
	for _, inputs := range planned {
		for input := range inputs {
			if path, ok := strings.CutPrefix(input, "file:"); ok && (file == "" || path < file) {
				if _, err := os.Stat(filepath.Join(s.dir, "templates", path)); err == nil {
					file = path
				}
			}
		}
	}
	if file == "" {
		t.Fatalf("no staged file is one of the project: %v", planned)
	}
	path := filepath.Join(s.dir, "templates", file)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(before, "\n# changed\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := now()
	if cmp.Equal(planned, changed) {
		t.Errorf("%s was changed, and the inputs are the same", file)
	}
	if again, err := s.planner().CommitInputs(t.Context(), req, commit); err != nil || !cmp.Equal(planned, again) {
		t.Errorf("the commit's inputs changed with the files on disk: %v", err)
	}
	git("commit", "-q", "-a", "-m", "two")
	if second, err := s.planner().CommitInputs(t.Context(), req, git("rev-parse", "HEAD")); err != nil ||
		cmp.Diff(changed, second) != "" {
		t.Errorf("the new commit: %v\n%s", err, cmp.Diff(changed, second))
	}
	if _, err := s.planner().CommitInputs(t.Context(), req, strings.Repeat("ab", 20)); err == nil {
		t.Error("a commit that is not there has inputs")
	}
}
