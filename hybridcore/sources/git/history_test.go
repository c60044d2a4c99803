// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:41:10Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package git

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

// gitIn runs git in a folder and returns its answer.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return (&gittest.Upstream{TB: t, Dir: dir}).Git(args...)
}

func history(t *testing.T, dir string) *Repository {
	t.Helper()
	r, err := Open(dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestContains(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commit := func(name string) string {
		gitIn(t, dir, "commit", "-q", "--allow-empty", "-m", name)
		return gitIn(t, dir, "rev-parse", "HEAD")
	}
	gitIn(t, dir, "init", "-q", "-b", "main", "--template=")
	first := commit("first")
	gitIn(t, dir, "checkout", "-q", "-b", "side")
	side := commit("side")
	gitIn(t, dir, "tag", "-a", "-m", "x", "v1")
	tagged := gitIn(t, dir, "rev-parse", "refs/tags/v1")
	gitIn(t, dir, "checkout", "-q", "-b", "other", first)
	other := commit("other")
	// A branch, a tag and a replacement that claim to be a commit of main.
	gitIn(t, dir, "branch", other, first)
	gitIn(t, dir, "tag", "main", other)
	gitIn(t, dir, "checkout", "-q", "refs/heads/main")
	gitIn(t, dir, "checkout", "-q", "-B", "main")
	gitIn(t, dir, "merge", "-q", "--no-ff", "-m", "merge", side)
	tip := gitIn(t, dir, "rev-parse", "HEAD")
	gitIn(t, dir, "replace", other, first)
	gitIn(t, dir, "tag", "refs/remotes/origin/main", other)
	r := history(t, dir)
	if got, err := r.Tip(t.Context(), "main"); err != nil || got != tip {
		t.Errorf("the tip of main is %s, %v; want %s", got, err, tip)
	}
	for name, c := range map[string]struct {
		commit string
		want   bool
	}{
		"the tip": {tip, true}, "the first": {first, true}, "inside a merged branch": {side, false},
		"on a branch": {other, false}, "a tag object": {tagged, false},
		"unknown": {strings.Repeat("12", 20), false},
	} {
		if got, err := r.Contains(t.Context(), tip, c.commit); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
	if head, err := r.Head(t.Context()); err != nil || head != tip {
		t.Errorf("HEAD is %s, %v", head, err)
	}
	if _, err := r.Contains(t.Context(), tip, "main"); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("a name: %v", err)
	}
	if got, err := r.Parents(t.Context(), first); err != nil || len(got) != 0 {
		t.Errorf("the first commit has the parents %v, %v", got, err)
	}
	if got, err := r.Parents(t.Context(), strings.Repeat("e", len(tip))); err != nil || got != nil {
		t.Errorf("an absent commit has the parents %v, %v", got, err)
	}
	if _, err := r.Parents(t.Context(), "main"); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("the parents of a name: %v", err)
	}
	for _, branch := range []string{"gone", "--help", "a..b"} {
		if got, err := r.Tip(t.Context(), branch); err == nil {
			t.Errorf("the branch %s is at %s", branch, got)
		}
	}
	shallow := filepath.Join(t.TempDir(), "clone")
	gitIn(t, dir, "clone", "-q", "--depth", "1", "--no-local", "file://"+dir, shallow)
	r = history(t, shallow)
	if has, err := r.Contains(t.Context(), tip, tip); err != nil || !has {
		t.Errorf("the tip of a shallow clone: %v, %v", has, err)
	}
	if _, err := r.Contains(t.Context(), tip, first); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "fetch-depth: 0") {
		t.Errorf("below the end of a shallow clone: %v", err)
	}
	// The server's branch counts, not one of that name in the clone.
	whole := filepath.Join(t.TempDir(), "clone")
	gitIn(t, dir, "clone", "-q", "-b", "other", "file://"+dir, whole)
	gitIn(t, whole, "branch", "-f", "main", other)
	r = history(t, whole)
	if got, err := r.Tip(t.Context(), "main"); err != nil || got != tip {
		t.Errorf("the tip of main is %s in a clone, %v; want %s", got, err, tip)
	}
}
