// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:20:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

// abandon leaves a lease as a killed process does: a process of its own takes
// it and is ended by SIGKILL.
func abandon(t *testing.T, dir string, lease hybridcore.Lease) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestHelperHoldLease")
	cmd.Env = append(os.Environ(), "HOLD_LEASE="+dir, "HOLD_KEY="+lease.Key, "HOLD_RUN="+lease.RunID,
		"HOLD_ARTIFACT="+lease.Artifact, "HOLD_SCRATCH="+lease.Scratch, "HOLD_LAB="+lease.Lab)
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
		Key: os.Getenv("HOLD_KEY"), RunID: os.Getenv("HOLD_RUN"), Artifact: os.Getenv("HOLD_ARTIFACT"),
		Scratch: os.Getenv("HOLD_SCRATCH"), Lab: os.Getenv("HOLD_LAB"),
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
