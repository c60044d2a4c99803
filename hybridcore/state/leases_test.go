// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:23:40Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
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

	_, err := d.Acquire(t.Context(), lease("run-mine"))
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatalf("error %v, want a HeldError", err)
	}
	host, _ := os.Hostname()
	wantBlocked(t, err, "lab/debian-12@vsphere is held", "run-"+strconv.Itoa(pid), "@"+host, "host "+host, fmt.Sprintf("process %d", pid),
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
	if err != nil || len(all) != 1 || all[0].Live || !strings.Contains(all[0].Why, fmt.Sprintf("process %d has ended", pid)) {
		t.Errorf("leases of a killed holder %+v, %v", all, err)
	}
	start := time.Now()
	mine, err := d.Acquire(t.Context(), lease("run-mine"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("acquired %v after the holder was killed", time.Since(start))
	if past := mine.Past(); len(past) != 1 || past[0].RunID != "run-"+strconv.Itoa(pid) || past[0].Phase != "running" || past[0].PID != pid {
		t.Errorf("past %+v", past)
	}
	if err := mine.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLeaseRace(t *testing.T) {
	d := open(t, filepath.Join(fastDir(t), "state"))
	type result struct {
		held *Held
		err  error
	}
	results := make(chan result)
	for i := range 8 {
		go func() {
			held, err := d.Acquire(t.Context(), lease(fmt.Sprintf("run-%d", i)))
			results <- result{held, err}
		}()
		go func() {
			_, _ = d.Leases(t.Context()) // a probe is no holder
		}()
	}
	got := 0
	for range 8 {
		r := <-results
		var held *HeldError
		switch {
		case r.err == nil:
			got++
			runtime.GC() // this test forgets the lease: it is held all the same
			runtime.GC()
		case !errors.As(r.err, &held):
			t.Error(r.err)
		}
	}
	if got != 1 {
		t.Errorf("%d holders, want 1", got)
	}
}

func TestLeaseDamaged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	d := open(t, dir)
	held, err := d.Acquire(t.Context(), lease("run-1"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, leaseName(held.lease.Key))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	for says, bad := range map[string]string{
		"it is empty": "", "cut short": string(text[:len(text)/2]), "changed after": strings.Replace(string(text), "run-1", "run-2", 1),
		"newer": strings.Replace(string(text), `"format_version": 1`, `"format_version": 2`, 1),
	} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.Acquire(t.Context(), lease("run-3"))
		wantBlocked(t, err, file, says, "look on the platform")
		all, err := d.Leases(t.Context())
		wantBlocked(t, err, says)
		if len(all) != 0 {
			t.Errorf("leases %+v", all)
		}
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if held, err := d.Acquire(t.Context(), lease("run-3")); err != nil || len(held.Past()) != 1 {
		t.Errorf("the failed tries kept the lock: %v", err)
	}
}

func TestHeldErrorIsPrintable(t *testing.T) {
	err := &HeldError{Lease: hybridcore.Lease{Key: "lab/x@vsphere", Owner: "\x1b[31mroot\r\n::error::", Host: strings.Repeat("h", 500)}}
	if text := err.Error(); strings.ContainsAny(text, "\x1b\r") || strings.Contains(text, "\n::") || len(text) > 1000 {
		t.Errorf("%q", text)
	}
}

func FuzzLease(f *testing.F) {
	text, err := encodeLease(lease("run-1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format_version":1,"lease":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := decodeLease(data, "lab/debian-12@vsphere")
		if err == nil && l.Key != "lab/debian-12@vsphere" {
			t.Errorf("lease of %q", l.Key)
		}
	})
}
