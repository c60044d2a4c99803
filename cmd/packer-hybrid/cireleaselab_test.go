// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:34:42Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// phaseJob runs one job of a release: a process in a checkout of its own. One for
// a platform has the credentials of that one and no state; the others have the
// state and no credentials. What it hands over goes to a folder.
func (b *bed) phaseJob(t *testing.T, p phases, platform, files string, args ...string) (int, string, string) {
	t.Helper()
	s, folder := site{t, t.TempDir()}, t.TempDir()
	s.git("clone", "-q", b.dir, ".")
	for _, name := range []string{"output", "summary"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Error(err)
		}
	}
	cmd := b.command(append([]string{"ci"}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = append(onlyFor(platform, cmd.Env), p.environ(t, s.dir, folder)...)
	if platform == "" {
		cmd.Env = append(cmd.Env, stored.Variable+"="+filepath.Join(b.dir, "state"))
	} else {
		cmd.Env = append(cmd.Env, ci.PlatformVariable+"="+platform)
	}
	out, err := cmd.CombinedOutput()
	if platform != "" {
		if _, err := os.Stat(filepath.Join(s.dir, "state")); err == nil {
			t.Errorf("%v made a state", args)
		}
	}
	from := filepath.Join(s.dir, "artifacts", "release")
	to := filepath.Join(files, args[1]+platform)
	if _, err := os.Stat(from); err == nil {
		if err := os.RemoveAll(to); err != nil {
			t.Error(err)
		}
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Error(err)
		}
	}
	return exitCode(t, err), string(out), s.dir
}

// onAll does a phase on all platforms at once.
func (b *bed) onAll(t *testing.T, p phases, files, phase string) {
	t.Helper()
	var all sync.WaitGroup
	for _, platform := range hybridcore.PlatformNames() {
		all.Go(func() {
			if code, out, _ := b.phaseJob(t, p, platform, files, "--release", phase, "--from", files); code != 0 {
				t.Errorf("%s on %s: exit %d\n%s", phase, platform, code, out)
			}
		})
	}
	all.Wait()
}

// releasedInJobs publishes what was built in jobs that have the credentials of one
// platform each. Azure refuses the mark at first.
func (b *bed) releasedInJobs(t *testing.T) {
	t.Helper()
	s := site{t, b.dir}
	p := phases{site: s, head: s.head(), lines: []string{"publish debian-12 --env lab --release v0.9.0"}}
	files := t.TempDir()
	named := func() int { return strings.Count(strings.Join(b.marks(t), "\n"), "v0.9.0") }
	if code, out, _ := b.phaseJob(t, p, "", files, "--release", "plan"); code != 0 {
		t.Fatalf("plan: exit %d\n%s", code, out)
	}
	_, status := b.run(t, "status")
	want(t, status, "releasing: release v0.9.0 of lab", "packer-hybrid publish --env lab --release v0.9.0 completes it")
	b.onAll(t, p, files, "prepare")
	if err := os.RemoveAll(filepath.Join(files, "prepareazure")); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := b.phaseJob(t, p, "proxmox", files, "--release", "mark", "--from",
		files); code != hybridcore.ExitBlocked || named() > 0 ||
		!strings.Contains(out, "nothing is marked as release v0.9.0, because of Microsoft Azure, which is not prepared") {
		t.Errorf("not everything is prepared: exit %d, %d marks\n%s", code, named(), out)
	}
	b.onAll(t, p, files, "prepare")
	rule, err := fault.ParseRule(`PATCH /subscriptions/** status=403 reason="no write"`)
	if err != nil {
		t.Fatal(err)
	}
	b.lab.Azure().Faults().Add(rule)
	for platform, exit := range map[string]int{"proxmox": 0, "vsphere": 0, "azure": hybridcore.ExitFailed} {
		if code, out, _ := b.phaseJob(t, p, platform, files, "--release", "mark", "--from", files); code != exit {
			t.Errorf("mark on %s: exit %d, want %d\n%s", platform, code, exit, out)
		}
	}
	b.lab.Azure().Faults().Clear()
	code, out, _ := b.phaseJob(t, p, "", files, "--release", "record", "--from", files)
	if code != hybridcore.ExitFailed {
		t.Errorf("record: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@proxmox  published", "debian-12@azure    failed", "no write",
		"it completes the release v0.9.0")
	if _, status = b.run(t, "status"); !strings.Contains(status, "releasing: release v0.9.0") {
		t.Errorf("a release that is marked in part is not under way\n%s", status)
	}
	// The two jobs are run again.
	if code, out, _ = b.phaseJob(t, p, "azure", files, "--release", "mark", "--from", files); code != 0 {
		t.Errorf("mark again: exit %d\n%s", code, out)
	}
	code, out, dir := b.phaseJob(t, p, "", files, "--release", "record", "--from", files)
	if code != 0 {
		t.Errorf("record again: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@azure    published", "release v0.9.0 of lab in artifacts/release.json")
	file, err := os.ReadFile(filepath.Join(dir, "artifacts", "release.json"))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, compileSchema(t, "release"), string(file))
	if _, status = b.run(t, "status"); strings.Contains(status, "releasing:") || !strings.Contains(status,
		"released: lab/debian-12@azure is v0.9.0") {
		t.Errorf("the release is not complete\n%s", status)
	}
	_, out, _ = strings.Cut(out, "::group::") // before it the secrets are named to be masked
	b.noSecret(t, out+status)
}
