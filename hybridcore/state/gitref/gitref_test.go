// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:00:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// repository is an empty bare repository.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state.git")
	git(t, ".", "init", "--quiet", "--bare", dir)
	git(t, dir, "config", "uploadpack.allowFilter", "true")
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func open(t *testing.T, o gitref.Options) *gitref.Backend {
	t.Helper()
	o.Dir, o.Environ = t.TempDir(), os.Environ()
	b, err := gitref.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSuite is the suite of every backend, on a repository in a folder.
func TestSuite(t *testing.T) {
	t.Parallel()
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		b := open(t, gitref.Options{Repository: repository(t)})
		return b, state.Capabilities{Guide: b}
	})
}
