// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:40:00Z
// Spec: openspec/specs/cli/spec.md#requirement-signals
// Diagram: openspec/specs/runner/diagram.md#cancelling

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

// bed is a lab, a project and the program: the test binary under the name
// packer-hybrid.
type bed struct {
	lab     *lab.Lab
	dir     string // of the project
	program string
	cache   string
}

// newBed starts nothing but the project; beds share one lab.
func newBed(t *testing.T, l *lab.Lab) *bed {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{lab: l, dir: t.TempDir(), program: filepath.Join(t.TempDir(), "packer-hybrid"), cache: ownCache(t)}
	if err := os.Symlink(self, b.program); err != nil {
		t.Fatal(err)
	}
	if code, out := b.run(t, "init", b.dir); code != 0 {
		t.Fatalf("init: exit %d\n%s", code, out)
	}
	return b
}

// newShortBed is for tests that ask what becomes of a build, not what is in its image.
func newShortBed(t *testing.T, l *lab.Lab) *bed {
	t.Helper()
	b := newBed(t, l)
	labtest.ShortRecipe(t, b.dir)
	return b
}

func startLab(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.Start(context.Background(), lab.Config{Cache: ownCache(t), Log: t.Output()})
	if err != nil {
		t.Fatalf("the lab cannot start: %v", err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (b *bed) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.program, args...)
	cmd.Dir = b.dir
	// The race detector's library sleeps a second at the end of each process otherwise.
	race := "GORACE=" + os.Getenv("GORACE") + " atexit_sleep_ms=0"
	cmd.Env = append(os.Environ(), append(b.lab.Env(), "PACKER_HYBRID_CACHE="+b.cache, race)...)
	return cmd
}

// run runs the program to its end.
func (b *bed) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out, err := b.command(args...).CombinedOutput()
	return exitCode(t, err), string(out)
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		t.Fatal(err)
		return -1
	}
}

// running is a build under way.
type running struct {
	cmd  *exec.Cmd
	out  *follower
	done chan error
	told time.Time // when it was told to end
}

// follower keeps output and tells when a text appears in it.
type follower struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (f *follower) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Write(p)
}

func (f *follower) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

var _ io.Writer = (*follower)(nil)

// start starts a build and returns when Ansible is at work in the guest.
func (b *bed) start(t *testing.T) *running {
	t.Helper()
	r := &running{
		cmd: b.command("build", "debian-12", "--platforms", "vsphere", "--rebuild", "-v"), out: &follower{},
		done: make(chan error, 1),
	}
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.cmd.Wait() }()
	deadline := time.After(2 * time.Minute)
	for !strings.Contains(r.out.String(), "TASK [") {
		select {
		case err := <-r.done:
			t.Fatalf("the build ended before Ansible started: %v\n%s", err, r.out)
		case <-deadline:
			_ = r.cmd.Process.Kill()
			t.Fatalf("Ansible did not start\n%s", r.out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return r
}

// end waits for the program.
func (r *running) end(t *testing.T) int {
	t.Helper()
	select {
	case err := <-r.done:
		return exitCode(t, err)
	case <-time.After(time.Minute):
		_ = r.cmd.Process.Kill()
		t.Fatalf("the program did not end\n%s", r.out)
		return -1
	}
}

// record reads the last record.
func (b *bed) record(t *testing.T) hybridcore.Record {
	t.Helper()
	out, err := b.command("inspect", "-o", "json").Output()
	if err != nil {
		t.Fatalf("inspect: %v\n%s", err, out)
	}
	var doc hybridcore.Answer
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	return *doc.Record
}

func want(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("the output lacks %q:\n%s", p, text)
		}
	}
}

func TestEndToEnd(t *testing.T) {
	l := startLab(t)
	t.Run("in a CI job", func(t *testing.T) { testCIBuild(t, newShortBed(t, l)) })
	t.Run("on three machines", func(t *testing.T) { testFanOut(t, newShortBed(t, l)) })
	t.Run("in a lab, then outside", func(t *testing.T) { testOutside(t, newShortBed(t, l)) })
	t.Run("three platforms", func(t *testing.T) { testThree(t, newBed(t, l)) })
	t.Run("three machines that share a repository", func(t *testing.T) { testSharedByGit(t, l) })
	t.Run("three machines that share a bucket", func(t *testing.T) { testSharedByBucket(t, l) })
	t.Run("one platform fails", func(t *testing.T) { testOneFails(t, newShortBed(t, l)) })
	t.Run("failing provisioner", func(t *testing.T) { testFailure(t, newBed(t, l)) })
	t.Run("planted differences", func(t *testing.T) { testPlanted(t, newBed(t, l)) })
	t.Run("residue", func(t *testing.T) { testResidue(t, newBed(t, l)) })
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) { testCancel(t, newBed(t, l), sig) })
	}
	t.Run("GitHub's cancel", func(t *testing.T) { testGitHubCancel(t, newBed(t, l)) })
	t.Run("killed", func(t *testing.T) { testKilled(t, newBed(t, l)) })
	t.Run("killed with packer", func(t *testing.T) { testReap(t, newBed(t, l)) })
	t.Run("inner packer killed", func(t *testing.T) { testInnerKilled(t, newBed(t, l)) })
}

func testFailure(t *testing.T, b *bed) {
	t.Helper()
	broken := "- name: Stop here\n  ansible.builtin.fail:\n    msg: planted failure\n"
	if err := os.WriteFile(filepath.Join(b.dir, "templates/ansible/roles/base/tasks/main.yml"), []byte(broken),
		0o600); err != nil {
		t.Fatal(err)
	}
	code, out := b.run(t, "build", "debian-12", "--platforms", "vsphere")
	if code != hybridcore.ExitFailed {
		t.Errorf("exit %d, want 1", code)
	}
	want(t, out, "failed", "Stop here", "planted failure", "roles/base/tasks/main.yml", "last lines")
	b.nothingOn(t)
}

func testCancel(t *testing.T, b *bed, sig syscall.Signal) {
	t.Helper()
	r := b.start(t)
	if err := r.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if code := r.end(t); code != hybridcore.ExitCancelled {
		t.Errorf("exit %d, want 130\n%s", code, r.out)
	}
	want(t, r.out.String(), "cancelled")
	if rec := b.record(t); rec.Status != hybridcore.Cancelled {
		t.Errorf("record says %s", rec.Status)
	}
	b.nothingOn(t)
	b.noSecret(t, r.out.String())
}

// testGitHubCancel is what a cancelled job gets: SIGINT to one process, SIGTERM
// 7.5 s later, SIGKILL 2.5 s after that (actions/runner, ProcessInvoker). A
// Packer that is stopped cannot clean up by itself: ours must.
func testGitHubCancel(t *testing.T, b *bed) {
	t.Helper()
	r := b.start(t)
	for _, pid := range descendants(t, r.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it may have ended
	}
	killed := false
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{syscall.SIGINT, 7500 * time.Millisecond}, {syscall.SIGTERM, 2500 * time.Millisecond}, {
		syscall.SIGKILL,
		time.Minute,
	}} {
		if err := r.cmd.Process.Signal(step.sig); err != nil {
			t.Fatal(err)
		}
		killed = step.sig == syscall.SIGKILL
		if r.endsWithin(step.wait) {
			break
		}
	}
	if killed {
		t.Errorf("the program needed SIGKILL\n%s", r.out)
	}
	if rec := b.record(t); rec.Status != hybridcore.Cancelled {
		t.Errorf("record says %s", rec.Status)
	}
	b.nothingOn(t)
}

// endsWithin says whether the program ends in that time.
func (r *running) endsWithin(d time.Duration) bool {
	select {
	case _, ended := <-r.done:
		return ended
	case <-time.After(d):
		return false
	}
}

func testKilled(t *testing.T, b *bed) {
	t.Helper()
	r := b.start(t)
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	// Packer has its SIGTERM and removes the machine on its own.
	for deadline := time.Now().Add(time.Minute); len(b.machines(t)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("left in vCenter: %v", b.machines(t))
		}
	}
	_, status := b.run(t, "status")
	want(t, status, "interrupted:")
	labtest.ShortRecipe(t, b.dir)
	code, out := b.run(t, "build", "debian-12", "--platforms", "vsphere")
	if code != 0 {
		t.Errorf("next build: exit %d\n%s", code, out)
	}
	want(t, out, "interrupted run", "nothing named debian-12-")
}

func testInnerKilled(t *testing.T, b *bed) {
	t.Helper()
	r := b.start(t)
	outer := children(t, r.cmd.Process.Pid)
	if len(outer) != 1 {
		t.Fatalf("packer-hybrid has the children %v, want one packer", outer)
	}
	killed := false
	for _, pid := range children(t, outer[0]) {
		name, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline"))
		if err == nil && bytes.Contains(name, []byte("build")) {
			killed = syscall.Kill(pid, syscall.SIGKILL) == nil
		}
	}
	if !killed {
		t.Fatal("no inner packer found")
	}
	if code := r.end(t); code != hybridcore.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", code, r.out)
	}
	if rec := b.record(t); rec.Status != hybridcore.Failed {
		t.Errorf("record says %s", rec.Status)
	}
	b.nothingOn(t) // Packer's own clean-up died with it
}

// testReap kills packer-hybrid and all that it started, so that nobody cleans
// up: the machine stays until reap removes it.
func testReap(t *testing.T, b *bed) {
	t.Helper()
	r := b.start(t)
	everybody := descendants(t, r.cmd.Process.Pid)
	if len(everybody) < 3 {
		t.Fatalf("packer-hybrid has the descendants %v", everybody)
	}
	for _, pid := range append([]int{r.cmd.Process.Pid}, everybody...) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended with another
	}
	r.end(t)
	left := b.machines(t)
	if len(left) != 1 {
		t.Fatalf("left in vCenter: %v, want the machine of the build", left)
	}
	for range 2 { // looking changes nothing
		code, out := b.run(t, "reap", "--dry-run")
		if code != 0 {
			t.Errorf("dry run: exit %d", code)
		}
		want(t, out, "would remove  vm vm-", left[0])
	}
	if code, out := b.run(t, "reap"); code != 0 || !strings.Contains(out, "removed  vm vm-") {
		t.Errorf("reap: exit %d\n%s", code, out)
	}
	b.nothingOn(t)
	cds, err := filepath.Glob(filepath.Join(b.lab.VSphere().Datastore(), "packer_cache", "*.iso"))
	if err != nil || len(cds) != 0 {
		t.Errorf("CDs left in the datastore: %v, %v", cds, err)
	}
	code, out := b.run(t, "reap")
	if code != 0 {
		t.Errorf("second reap: exit %d", code)
	}
	want(t, out, "look again from ") // too early to say that nothing is left
}
