// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:00Z
// Spec: openspec/specs/leases/spec.md#requirement-clean-up-after-packer
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/runner/diagram.md#cancelling

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// TestCancelled cancels the builds of a CI job for three platforms at once, as
// GitHub does: SIGINT to one process, SIGTERM 7.5 s later, SIGKILL 2.5 s after
// that (actions/runner, ProcessInvoker); then come the job's last steps.
func TestCancelled(t *testing.T) {
	b := newBed(t, startLab(t))
	job := b.inJob(t)
	working := moment{text: "the moment has come", recipe: [3]string{"echo early", stop}, job: &job}
	for _, c := range []struct {
		name string
		test func(*testing.T, moment)
	}{
		{"Packer works", b.testPackerWorks},
		{"Packer hangs", b.testPackerHangs},
		{"GitHub hangs", b.testGitHubHangs},
		{"platforms hang", b.testPlatformsHang},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(job.hub.Checks())
			c.test(t, working)
			b.lastStep(t, job)
			if made := len(job.hub.Checks()) - before; made != 4 {
				t.Errorf("%d check-runs were made, want those of the run and its targets", made)
			}
		})
	}
}

// lastStep sends what the job could not: no check-run of it goes on.
func (b *bed) lastStep(t *testing.T, job jobOf) {
	t.Helper()
	env, _ := job.env(t, b.dir, "")
	cmd := b.command("flush", "--within", "20s")
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("flush: %v\n%s", err, out)
	}
	for _, c := range job.hub.Checks() {
		if c["status"] != "completed" || c["conclusion"] != "cancelled" {
			t.Errorf("the check-run %v is %v, %v; want cancelled", c["name"], c["status"], c["conclusion"])
		}
	}
}

// cancelled sends the signals, and says which was the last one and how long the
// program lived after it.
func (r *running) cancelled(t *testing.T, told func()) (syscall.Signal, time.Duration) {
	t.Helper()
	pid := r.cmd.Process.Pid
	var at time.Time
	for _, step := range []struct {
		sig  syscall.Signal
		to   int
		wait time.Duration
	}{{syscall.SIGINT, pid, 7500 * time.Millisecond}, {syscall.SIGTERM, pid, 2500 * time.Millisecond}, {
		syscall.SIGKILL,
		-pid, time.Minute,
	}} {
		at = time.Now()
		if err := syscall.Kill(step.to, step.sig); err != nil {
			t.Fatal(err)
		}
		if step.sig == syscall.SIGINT {
			r.told = at
			told()
		}
		if r.endsWithin(time.Until(at.Add(step.wait))) {
			return step.sig, time.Since(at)
		}
	}
	t.Fatalf("the program outlived SIGKILL\n%s", r.out)
	return 0, 0
}

// final bounds the time from SIGINT to the record of a cancelled run: SIGKILL
// comes a second later.
const final = 9 * time.Second

// clean fails unless the record says cancelled in time and nothing is left.
func (b *bed) clean(t *testing.T, r *running, before holdings) {
	t.Helper()
	all := b.recordFiles(t)
	if len(all) == 0 {
		t.Fatal("nothing is recorded")
	}
	info, err := os.Stat(all[len(all)-1])
	if err != nil {
		t.Fatal(err)
	}
	written := info.ModTime().Sub(r.told)
	t.Logf("the record was final after %v", written.Round(time.Millisecond))
	if written <= 0 || written > final {
		t.Errorf("the record was final %v after the SIGINT, want within %v", written, final)
	}
	rec := b.record(t)
	for _, res := range rec.Results {
		if res.Status != hybridcore.Cancelled {
			t.Errorf("the record says that %s %s\n%s", res.Target, res.Status, r.out)
		}
	}
	if len(rec.Results) != 3 {
		t.Errorf("the record has %d results", len(rec.Results))
	}
	if named, nameless := b.holdings(t).without(before); len(named)+len(nameless) > 0 {
		t.Errorf("left: %q %q\n%s", named, nameless, r.out)
	}
	if removed, kept := b.reaped(t, rec.RunID); len(removed)+len(kept) > 0 {
		t.Errorf("reap removed %q and kept %q", removed, kept)
	}
}

func (b *bed) testPackerWorks(t *testing.T, working moment) {
	t.Helper()
	before := b.holdings(t)
	r := b.at(t, working)
	last, lived := r.cancelled(t, func() {})
	t.Logf("ended %v after %v", lived.Round(time.Millisecond), last)
	if last != syscall.SIGINT {
		t.Errorf("the program ended at %v, want it to end by itself\n%s", last, r.out)
	}
	b.clean(t, r, before)
}

// testGitHubHangs lets no report arrive before the SIGKILL. The record does not wait for them.
func (b *bed) testGitHubHangs(t *testing.T, working moment) {
	t.Helper()
	before := b.holdings(t)
	r := b.at(t, working)
	hub := working.job.hub.Faults()
	defer hub.Clear()
	rule, err := fault.ParseRule("PATCH /repos/*/*/check-runs/*" + never)
	if err != nil {
		t.Fatal(err)
	}
	hub.Add(rule)
	last, lived := r.cancelled(t, func() {})
	t.Logf("ended %v after %v", lived.Round(time.Millisecond), last)
	if slices.Max(hub.Hits()) == 0 {
		t.Errorf("nobody reported\n%s", r.out)
	}
	b.clean(t, r, before)
}

// testPackerHangs stops each Packer, so that it cannot clean up: ours must, between
// SIGTERM and SIGKILL. For reports there may be no time left.
func (b *bed) testPackerHangs(t *testing.T, working moment) {
	t.Helper()
	before := b.holdings(t)
	r := b.at(t, working)
	packers := children(t, r.cmd.Process.Pid)
	if len(packers) != 3 {
		t.Fatalf("packer-hybrid has the children %v, want three Packers", packers)
	}
	everybody := descendants(t, r.cmd.Process.Pid)
	for _, pid := range everybody {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it may have ended
	}
	for _, pid := range packers {
		stopped(t, pid)
	}
	var after []time.Duration
	last, lived := r.cancelled(t, func() {
		sent := time.Now()
		for _, pid := range packers {
			for !pending(t, pid, syscall.SIGTERM) {
				if time.Since(sent) > 5*time.Second {
					t.Fatalf("Packer %d has no SIGTERM", pid)
				}
				time.Sleep(time.Millisecond)
			}
			after = append(after, time.Since(sent))
		}
	})
	t.Logf("Packer had its SIGTERM after %v; ended %v after %v", after, lived.Round(time.Millisecond), last)
	// The others may have waited for a processor, the fastest tells how it is made.
	if slices.Min(after) > 100*time.Millisecond {
		t.Errorf("Packer had its SIGTERM %v after the SIGINT, want within 100 ms", after)
	}
	if last == syscall.SIGINT {
		t.Errorf("the program ended before it was told to hurry\n%s", r.out)
	}
	b.clean(t, r, before)
	b.gone(t, everybody)
}

// testPlatformsHang lets nothing be deleted until the SIGKILL.
func (b *bed) testPlatformsHang(t *testing.T, working moment) {
	t.Helper()
	before := b.holdings(t)
	runs := b.runs(t)
	r := b.at(t, working)
	everybody := descendants(t, r.cmd.Process.Pid)
	b.hold(t, hybridcore.Proxmox, "DELETE /nodes/*/qemu/*"+never)
	b.hold(t, hybridcore.VSphere, "POST /sdk/Destroy_Task"+never)
	b.hold(t, hybridcore.Azure, "DELETE /subscriptions/**"+never)
	last, _ := r.cancelled(t, func() {})
	if last != syscall.SIGKILL {
		t.Errorf("the program ended at %v although nothing could be deleted\n%s", last, r.out)
	}
	b.gone(t, everybody)
	for p, faults := range b.injectors() {
		if slices.Max(faults.Hits()) == 0 {
			t.Errorf("nobody tried to delete on %s", p)
		}
		faults.Clear()
	}
	if now := b.runs(t); now != runs {
		t.Errorf("there is a record: %d runs, had %d", now, runs)
	}
	leases := b.leases(t)
	if len(leases) != 3 {
		t.Fatalf("the leases are %+v, want one for each platform", leases)
	}
	left, nameless := b.holdings(t).without(before)
	t.Logf("left: %q, and without a name %q", left, nameless)
	if want := "resource-group vm vm"; kindsOf("", left) != want {
		t.Errorf("left is %q, want %q", kindsOf("", left), want)
	}
	b.reapAll(t, leases[0], left, nameless)
}

// stopped waits until every thread of a process has stopped: one that still runs would take the next signal.
func stopped(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for running := true; running; time.Sleep(time.Millisecond) {
		running = false
		threads, err := filepath.Glob(filepath.Join("/proc", itoa(pid), "task", "*", "stat"))
		if err != nil || len(threads) == 0 || time.Now().After(deadline) {
			t.Fatalf("process %d does not stop: %v", pid, err)
		}
		for _, path := range threads {
			text, err := os.ReadFile(path)
			_, state, _ := strings.Cut(string(text), ") ")
			running = running || err == nil && !strings.HasPrefix(state, "T")
		}
	}
}

// pending says whether a stopped process has a signal that it could not take yet.
func pending(t *testing.T, pid int, sig syscall.Signal) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, mask, _ := strings.Cut(line, ":"); name == "ShdPnd" {
			set, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return set&(1<<(sig-1)) != 0
		}
	}
	t.Fatalf("process %d has no pending signals to read:\n%s", pid, text)
	return false
}

// gone fails when one of these processes outlives packer-hybrid for long.
func (b *bed) gone(t *testing.T, pids []int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for _, pid := range pids {
		for syscall.Kill(pid, 0) == nil {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still there", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// runs counts the recorded runs.
func (b *bed) runs(t *testing.T) int {
	t.Helper()
	return len(b.recordFiles(t))
}

// recordFiles lists the records of all runs, the latest last.
func (b *bed) recordFiles(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(b.dir, "state", state.RecordsFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}
