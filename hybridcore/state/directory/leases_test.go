// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:23:40Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package directory

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// holder starts a process that holds the lease, and returns it with the ID of
// its child.
func holder(t *testing.T, dir string) (cmd *exec.Cmd, child int, foundDead bool) {
	t.Helper()
	cmd = command(t, "hold", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if child != 0 {
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(line, "held %d %t", &child, &foundDead); err != nil {
		t.Fatalf("the holder says %q: %v", line, err)
	}
	return cmd, child, foundDead
}

func TestLeaseOfAnotherProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	cmd, child, _ := holder(t, dir)
	pid := cmd.Process.Pid
	d := open(t, dir)

	_, err := d.Acquire(t.Context(), statetest.Lease("run-mine"))
	var held *state.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("error %v, want a HeldError", err)
	}
	host, _ := os.Hostname()
	statetest.WantBlocked(t, err, "lab/debian-12@vsphere is held", "run-"+strconv.Itoa(pid), "@"+host, "host "+host,
		fmt.Sprintf("process %d", pid),
		"running since "+held.Lease.At.UTC().Format(time.RFC3339), fmt.Sprintf("kill -TERM %d", pid))
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("exit code %d", hybridcore.ExitCode(err))
	}
	if all, err := d.Leases(t.Context()); err != nil || len(all) != 1 || !all[0].Live || all[0].PID != pid {
		t.Errorf("leases %+v, %v", all, err)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the holder's child should outlive it: %v", err)
	}
	all, err := d.Leases(t.Context())
	if err != nil || len(all) != 1 || all[0].Live ||
		!strings.Contains(all[0].Why, fmt.Sprintf("process %d has ended", pid)) {
		t.Errorf("leases of a killed holder %+v, %v", all, err)
	}
	start := time.Now()
	mine, err := d.Acquire(t.Context(), statetest.Lease("run-mine"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("acquired %v after the holder was killed", time.Since(start))
	if past := mine.Past(); len(past) != 1 || past[0].RunID != "run-"+strconv.Itoa(pid) || past[0].Phase != "running" ||
		past[0].PID != pid {
		t.Errorf("past %+v", past)
	}
	if err := mine.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// BenchmarkRenew is what a heartbeat costs.
func BenchmarkRenew(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	held, err := s.Acquire(b.Context(), statetest.Lease("run-1"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := held.Renew(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
