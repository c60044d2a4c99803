// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:25:47Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#objects

package directory

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

func TestDirectory(t *testing.T) {
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		d, err := New(filepath.Join(t.TempDir(), "a", "b", "state"))
		if err != nil {
			t.Fatal(err)
		}
		return d, state.Capabilities{Liveness: d, Guide: d}
	})
}

// Four processes count in one snapshot: no update is lost.
func TestFourProcesses(t *testing.T) {
	dir := filepath.Join(fastDir(t), "state")
	start := time.Now()
	errs := make(chan error)
	for range 4 {
		cmd := command(t, "loop", dir)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = errors.Join(err, errors.New(string(out)))
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	s, err := open(t, dir).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Serial != 1000 || s.Targets["lab/counter@vsphere"].Digest != "1000" || len(s.Targets) != 5 {
		t.Errorf("serial %d, counter %s, %d targets; want 1000, 1000, 5", s.Serial, s.Targets["lab/counter@vsphere"].Digest,
			len(s.Targets))
	}
	t.Logf("4 processes made 250 updates each in %v: serial %d", time.Since(start).Round(time.Millisecond), s.Serial)
}

func TestOpen(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "a", "b")
	open(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v, %v; want a directory for its owner only", info.Mode(), err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", file, filepath.Join(file, "state")} {
		_, err := Open(path)
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("Open(%q): %v", path, err)
		}
	}
}

func TestOpenRemovesLeftovers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	open(t, dir)
	left := filepath.Join(dir, safefile.TempPrefix+"abc")
	other := filepath.Join(dir, ".gitignore")
	for _, name := range []string{left, other} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unlock := lock(t, dir)
	open(t, dir)
	if _, err := os.Lstat(left); err != nil {
		t.Errorf("the file of a writer at work was removed: %v", err)
	}
	unlock()
	open(t, dir)
	if _, err := os.Lstat(left); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Lstat(other); err != nil {
		t.Errorf("a foreign file was removed: %v", err)
	}
}

func TestLockWaitIsBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	d := open(t, dir)
	defer lock(t, dir)()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	statetest.WantBlocked(t, d.Update(ctx, statetest.Put("lab/x@vsphere")), "locked by another process", "fuser -v "+dir)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := d.Append(ctx, statetest.Record("run-1"), nil); !errors.Is(err, context.Canceled) ||
		hybridcore.ExitCode(err) == hybridcore.ExitBlocked {
		t.Errorf("cancelled while waiting: %v", err)
	}
	if _, err := d.Read(t.Context()); err != nil {
		t.Errorf("reading waits for no lock: %v", err)
	}
}

// Whatever is put in place of a lock, no file is made elsewhere, and nothing waits.
func TestLockIsNoLink(t *testing.T) {
	for name, plant := range map[string]func(dir, outside string) error{
		"link": func(dir, outside string) error {
			return os.Symlink(filepath.Join(outside, "new"), filepath.Join(dir, lockFile("lab/x@vsphere")))
		},
		"pipe": func(dir, _ string) error {
			return syscall.Mkfifo(filepath.Join(dir, lockFile("lab/x@vsphere")), 0o600)
		},
		"folder": func(dir, _ string) error { return os.Mkdir(filepath.Join(dir, lockFile("lab/x@vsphere")), 0o700) },
		"link of the folder": func(dir, outside string) error {
			return errors.Join(os.Remove(filepath.Join(dir, locksFolder)), os.Symlink(outside, filepath.Join(dir, locksFolder)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, outside := filepath.Join(t.TempDir(), "state"), t.TempDir()
			d := open(t, dir)
			if err := errors.Join(os.Mkdir(filepath.Join(dir, locksFolder), 0o700), plant(dir, outside)); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := d.Acquire(t.Context(), hybridcore.Lease{Key: "lab/x@vsphere", RunID: "run-1"})
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil {
					t.Error("the lease was acquired")
				}
			case <-time.After(time.Minute):
				t.Fatal("it waits for the other end of a pipe")
			}
			if all, err := os.ReadDir(outside); err != nil || len(all) > 0 {
				t.Errorf("outside are %v, %v", all, err)
			}
		})
	}
}

// A folder of the state that is a pipe is refused, and nobody waits for its other end.
func TestFolderIsNoPipe(t *testing.T) {
	for _, folder := range []string{"leases", "snapshot", state.RecordsFolder} {
		dir := filepath.Join(t.TempDir(), "state")
		if err := errors.Join(os.Mkdir(dir, 0o700), syscall.Mkfifo(filepath.Join(dir, folder), 0o600)); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			d, err := Open(dir)
			if err == nil {
				_, err = d.Read(t.Context())
			}
			if err == nil {
				_, err = d.Leases(t.Context())
			}
			if err == nil {
				_, err = d.Records(t.Context())
			}
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s is a pipe, and nobody says so", folder)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: it waits for the other end of a pipe", folder)
		}
	}
}
