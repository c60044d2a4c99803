// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:20:00Z
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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// abandon leaves a lease as a killed process does: a process of its own takes
// it and is ended by SIGKILL.
func abandon(t *testing.T, dir string, lease hybridcore.Lease) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestHelperHoldLease")
	cmd.Env = append(os.Environ(), "HOLD_LEASE="+dir, "HOLD_KEY="+lease.Key, "HOLD_RUN="+lease.RunID, "HOLD_ARTIFACT="+lease.Artifact, "HOLD_SCRATCH="+lease.Scratch, "HOLD_LAB="+lease.Lab)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make([]byte, 5)
	if _, err := out.Read(ready); err != nil || string(ready) != "ready" {
		t.Fatalf("helper said %q, %v", ready, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its error is that it was killed
}

// TestHelperHoldLease is the process that abandon kills.
func TestHelperHoldLease(t *testing.T) {
	dir := os.Getenv("HOLD_LEASE")
	if dir == "" {
		return
	}
	store, err := directory.Open(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Acquire(t.Context(), hybridcore.Lease{
		Key: os.Getenv("HOLD_KEY"), RunID: os.Getenv("HOLD_RUN"), Artifact: os.Getenv("HOLD_ARTIFACT"), Scratch: os.Getenv("HOLD_SCRATCH"), Lab: os.Getenv("HOLD_LAB"),
		Owner: "ci@gone", PID: os.Getpid(), At: time.Now(), Phase: "starting",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdout.WriteString("ready"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

func TestDecide(t *testing.T) {
	target := hybridcore.Target{
		Env: "lab", Image: hybridcore.Image{OS: "linux"}, Platform: hybridcore.VSphere, Source: "null.linux",
		Files:  []hybridcore.File{{Path: "ansible/linux.yml", From: "templates/ansible/linux.yml"}},
		Inputs: map[string]string{"source": "vsphere-clone.linux", "file:ansible/linux.yml": "aa", "file:new.sh": "bb", "var:size": "2", "packer": "1.15.0", "plugin:x/y": "2.0"},
		Variables: []hybridcore.Variable{{Name: "size", Layers: []hybridcore.Layer{
			{Name: "default", File: "a.pkr.hcl", Line: 1}, {Name: "linux/common", File: "templates/vars/linux/common.pkrvars.hcl", Line: 4},
		}}, {Name: "build_from", Layers: []hybridcore.Layer{{Name: "configs/lab/vsphere", File: "configs/lab/vsphere.pkrvars.hcl", Line: 7}}}},
	}
	was := map[string]string{"source": "vsphere-iso.linux", "file:ansible/linux.yml": "a0", "file:old.sh": "cc", "var:size": "1", "packer": "1.14.0", "plugin:x/y": "2.0"}
	set, err := templates.LoadFS(os.DirFS("testdata/project"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		inputs   map[string]string
		current  *hybridcore.Current
		rebuild  bool
		decision hybridcore.Decision
		texts    []string
	}{
		{"never built", target.Inputs, nil, false, hybridcore.Build, []string{"never built in lab"}},
		{
			"equal", target.Inputs, &hybridcore.Current{Inputs: target.Inputs, RunID: "r1"}, false, hybridcore.Unchanged,
			[]string{"all 6 inputs equal run r1 of 0001-01-01 00:00:00 UTC"},
		},
		{"forced", target.Inputs, &hybridcore.Current{Inputs: target.Inputs}, true, hybridcore.Build, []string{"a rebuild was asked for"}},
		{"everything changed", target.Inputs, &hybridcore.Current{Inputs: was}, false, hybridcore.Build, []string{
			"source vsphere-iso.linux → vsphere-clone.linux configs/lab/vsphere.pkrvars.hcl:7",
			"file ansible/linux.yml changed templates/ansible/linux.yml:0", "new file new.sh", "file old.sh is gone",
			"version packer: 1.14.0 → 1.15.0", "variable size: 1 → 2 templates/vars/linux/common.pkrvars.hcl:4",
		}},
		{
			"no packer here",
			map[string]string{"source": "vsphere-iso.linux", "var:size": "1", "file:ansible/linux.yml": "a0", "file:old.sh": "cc"},
			&hybridcore.Current{Inputs: was}, false, hybridcore.Unchanged,
			[]string{"all 4 inputs equal run  of 0001-01-01 00:00:00 UTC"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target.Inputs = tt.inputs
			p := &planning{now: &tree{set: set, files: os.DirFS("testdata/project")}, req: hybridcore.Request{Rebuild: tt.rebuild}}
			if tt.current != nil {
				p.snapshot.Targets = map[string]hybridcore.Current{target.Key(): *tt.current}
			}
			got := p.decide(t.Context(), target)
			if got.Decision != tt.decision {
				t.Errorf("decision %s, want %s", got.Decision, tt.decision)
			}
			var texts []string
			for _, r := range got.Reasons {
				text := r.Text
				if r.File != "" {
					text += " " + r.File + ":" + string(rune('0'+r.Line))
				}
				texts = append(texts, text)
			}
			if diff := cmp.Diff(tt.texts, texts); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHead(t *testing.T) {
	dir := t.TempDir()
	at := func(root string) string {
		t.Helper()
		r := &Runner{Project: config.Project{Root: root}}
		commit, err := r.head(t.Context())
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
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
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
	for _, args := range [][]string{{"init", "-q"}, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", dir, "golden"}} {
		if out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", super}, args...)...).CombinedOutput(); err != nil {
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
	if got, err := (&Runner{Project: config.Project{Root: broken}}).head(t.Context()); err == nil {
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
	r := &Runner{Project: config.Project{Root: sub}, State: store, Log: slog.New(slog.DiscardHandler)}
	other := strings.Repeat("1", 40)
	for _, tt := range []struct {
		heads []string
		says  string
	}{{nil, ""}, {[]string{want}, ""}, {[]string{other, want}, ""}, {[]string{other}, "about commit 111111111111, but the checkout is at " + want[:12]}} {
		_, planned := r.Plan(t.Context(), hybridcore.Request{Pin: hybridcore.Pin{Heads: tt.heads}, Env: "none"})
		_, reaped := r.Reap(t.Context(), hybridcore.Request{Pin: hybridcore.Pin{Heads: tt.heads}, DryRun: true})
		for _, err := range []error{planned, reaped} {
			refused := hybridcore.ExitCode(err) == hybridcore.ExitBlocked && tt.says != "" && strings.Contains(err.Error(), tt.says)
			if refused != (tt.says != "") {
				t.Errorf("pinned to %v: %v", tt.heads, err)
			}
		}
	}
	r.Project.Root = t.TempDir()
	if _, err := r.Plan(t.Context(), hybridcore.Request{Pin: hybridcore.Pin{Heads: []string{want}}}); hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), "there is no checkout at") {
		t.Errorf("outside a checkout: %v", err)
	}
}
