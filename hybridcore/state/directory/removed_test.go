// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:31:54Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#locks

package directory

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// Somebody removes or replaces the lock file of a target while its holder, a
// process of its own, lives: no other run gets the target, the holder locks it
// again with its next renewal, and once the holder is dead the target is free.
func TestLockFileIsRemovedUnderItsHolder(t *testing.T) {
	for name, remove := range map[string]func(file string) error{
		"removed": os.Remove,
		"replaced": func(file string) error {
			return errors.Join(os.Remove(file), os.WriteFile(file, nil, 0o600))
		},
		"copied": func(file string) error {
			return errors.Join(os.Rename(file, file+".old"), os.WriteFile(file, []byte("run-of-nobody 1\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			cmd, _, _ := holder(t, dir)
			d := open(t, dir)
			key := statetest.Lease("run-mine").Key
			if err := remove(filepath.Join(dir, lockFile(key))); err != nil {
				t.Fatal(err)
			}
			for range 3 { // also the second try, which finds the file of the first
				_, err := d.Acquire(t.Context(), statetest.Lease("run-mine"))
				statetest.WantBlocked(t, err, "is held by run run-", "was removed or replaced")
			}
			if all, err := d.Leases(t.Context()); err != nil || len(all) != 1 || !all[0].Live {
				t.Errorf("leases %+v, %v", all, err)
			}
			if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				_, err := d.Acquire(t.Context(), statetest.Lease("run-mine"))
				if err != nil && strings.Contains(err.Error(), "its process holds the lock") {
					break
				}
				if err == nil || time.Now().After(end) {
					t.Fatalf("the holder has not locked it again: %v", err)
				}
			}
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()
			mine, err := d.Acquire(t.Context(), statetest.Lease("run-mine"))
			if err != nil || len(mine.Past()) != 1 {
				t.Fatalf("after the holder's death: %v", err)
			}
		})
	}
}

// While a process writes, nothing that can be removed from the state lets a
// second one write.
func TestNothingRemovesTheWritersLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	d := open(t, dir)
	if err := d.Update(t.Context(), statetest.Put("lab/x@vsphere")); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "write", dir)
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
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("the writer says %q: %v", line, err)
	}
	for _, name := range []string{"lock", ".lock"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	statetest.WantBlocked(t, d.Update(ctx, statetest.Put("lab/y@vsphere")), "locked by another process")
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()
	if err := d.Update(t.Context(), statetest.Put("lab/y@vsphere")); err != nil {
		t.Error(err)
	}
	if s, err := d.Read(t.Context()); err != nil || len(s.Targets) != 2 || hybridcore.ExitCode(err) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
