// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:52:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package runner

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

func TestHead(t *testing.T) {
	dir := t.TempDir()
	at := func(root string) string {
		t.Helper()
		r := &project.Project{Config: config.Project{Root: root}}
		commit, err := r.Head(t.Context())
		if err != nil {
			t.Error(err)
		}
		return commit
	}
	if got := at(dir); got != "" {
		t.Errorf("outside a checkout: %q", got)
	}
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git",
			append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	if got := at(dir); got != "" {
		t.Errorf("before the first commit: %q", got)
	}
	git("commit", "-q", "--allow-empty", "-m", "x")
	want := git("rev-parse", "HEAD")
	if got := at(dir); got != want {
		t.Errorf("loose ref: %q, want %q", got, want)
	}
	git("pack-refs", "--all")
	if got := at(dir); got != want {
		t.Errorf("packed ref: %q, want %q", got, want)
	}
	tree := filepath.Join(t.TempDir(), "tree")
	git("worktree", "add", "-q", "-b", "side", tree)
	if got := at(tree); got != want {
		t.Errorf("worktree: %q, want %q", got, want)
	}
	git("checkout", "-q", "--detach")
	if got := at(dir); got != want {
		t.Errorf("detached: %q, want %q", got, want)
	}
	super := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q"},
		{"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", dir, "golden"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git",
			append([]string{"-C", super}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	if got := at(filepath.Join(super, "golden")); got != want {
		t.Errorf("submodule: %q, want %q", got, want)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, ".git"), []byte("gitdir: /nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := (&project.Project{Config: config.Project{Root: broken}}).Head(t.Context()); err == nil {
		t.Errorf("a checkout whose repository is not there: %q", got)
	}
	sub := filepath.Join(dir, "images", "golden")
	if err := os.MkdirAll(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := at(sub); got != want {
		t.Errorf("a project in a folder of the repository: %q, want %q", got, want)
	}
	store, err := directory.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &project.Project{Config: config.Project{Root: sub}, State: store, Log: slog.New(slog.DiscardHandler)}
	planner, builder := plan.Stage{Project: r}, build.Stage{Project: r}
	other := strings.Repeat("1", 40)
	for _, tt := range []struct {
		heads []string
		says  string
	}{{nil, ""}, {[]string{want}, ""}, {[]string{other, want}, ""}, {
		[]string{other},
		"about commit 111111111111, but the checkout is at " + want[:12],
	}} {
		_, planned := planner.Plan(t.Context(), hybridcore.Request{Pin: hybridcore.Pin{Heads: tt.heads}, Env: "none"})
		_, reaped := builder.Reap(t.Context(), hybridcore.Request{
			Pin: hybridcore.Pin{Heads: tt.heads}, Caution: hybridcore.Caution{DryRun: true},
		})
		for _, err := range []error{planned, reaped} {
			refused := hybridcore.ExitCode(err) == hybridcore.ExitBlocked && tt.says != "" &&
				strings.Contains(err.Error(), tt.says)
			if refused != (tt.says != "") {
				t.Errorf("pinned to %v: %v", tt.heads, err)
			}
		}
	}
	r.Config.Root = t.TempDir()
	if _, err := planner.Plan(t.Context(),
		hybridcore.Request{Pin: hybridcore.Pin{Heads: []string{want}}}); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "there is no checkout at") {
		t.Errorf("outside a checkout: %v", err)
	}
}
