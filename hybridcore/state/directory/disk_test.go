// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:25:47Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

const mountEnv = "STATE_TEST_MOUNT"

// inMount runs the present test once more in a mount namespace of its own, and
// mounts a file system in memory there; nothing is left behind. In the inner
// run it returns the mount point, in the outer an empty string.
func inMount(t *testing.T, options string) string {
	t.Helper()
	if dir := os.Getenv(mountEnv); dir != "" {
		if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatalf("making mounts private: %v", err)
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
			t.Fatalf("mounting a tmpfs with %s: %v", options, err)
		}
		return dir
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mountEnv+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in a mount namespace (it needs root or user namespaces): %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
	return ""
}

func TestDiskFull(t *testing.T) {
	mount := inMount(t, "size=64k")
	if mount == "" {
		return
	}
	dir := filepath.Join(mount, "state")
	d := open(t, dir)
	if err := d.Append(t.Context(), statetest.Record("run-0"), nil); err != nil {
		t.Fatal(err)
	}
	updates, err := 0, error(nil)
	for err == nil {
		if err = d.Update(t.Context(), statetest.Put(fmt.Sprintf("lab/image-%d@vsphere", updates))); err == nil {
			updates++
		}
		if updates > 1000 {
			t.Fatal("the disk is never full")
		}
	}
	statetest.WantBlocked(t, err, "no space left on the disk of "+dir, "the state is as before")
	if !errors.Is(err, syscall.ENOSPC) || hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("exit code %d, %v", hybridcore.ExitCode(err), err)
	}
	check := func() {
		t.Helper()
		if s, err := open(t, dir).Read(t.Context()); err != nil || s.Serial != uint64(updates) || len(s.Targets) != updates {
			t.Errorf("serial %d with %d targets, %v; want %d", s.Serial, len(s.Targets), err, updates)
		}
		if left := temps(t, dir); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
	check()
	runs := 1
	for err = nil; err == nil && runs < 1000; runs++ {
		err = d.Append(t.Context(), statetest.Record(fmt.Sprintf("run-%d", runs)),
			map[string][]byte{"inventory.json": make([]byte, 3000)})
	}
	statetest.WantBlocked(t, err, "no space left on the disk of "+dir, "the state is as before")
	runs-- // the last one failed
	check()
	ids, err := d.Records(t.Context())
	if err != nil || len(ids) != runs {
		t.Errorf("%d records, %v; want %d", len(ids), err, runs)
	}
	if _, err := os.Lstat(filepath.Join(dir, "records", fmt.Sprintf("run-%d", runs))); err == nil {
		t.Error("the attachments of the run that was not recorded are there")
	}
	if err := os.RemoveAll(filepath.Join(dir, "snapshot")); err != nil {
		t.Fatal(err)
	}
	if err := d.Append(t.Context(), statetest.Record(fmt.Sprintf("run-%d", runs)), nil); err != nil {
		t.Errorf("after space was made: %v", err)
	}
	t.Logf("full after %d updates and %d records; the state was as before", updates, runs)
}

func TestReadOnlyDisk(t *testing.T) {
	mount := inMount(t, "size=4m")
	if mount == "" {
		return
	}
	dir := filepath.Join(mount, "state")
	d := open(t, dir)
	if err := errors.Join(d.Update(t.Context(), statetest.Put("lab/debian-12@vsphere")),
		d.Append(t.Context(), statetest.Record("run-0"), statetest.Attachments())); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Acquire(t.Context(), statetest.Lease("run-0")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, safefile.TempPrefix+"x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", mount, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatalf("remounting read-only: %v", err)
	}
	d = open(t, dir)
	if s, err := d.Read(t.Context()); err != nil || s.Serial != 1 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
	if _, err := d.Record(t.Context(), "run-0"); err != nil {
		t.Error(err)
	}
	if all, err := d.Leases(t.Context()); err != nil || len(all) != 1 || !all[0].Live {
		t.Errorf("leases %+v, %v", all, err)
	}
	statetest.WantBlocked(t, d.Update(t.Context(), statetest.Put("lab/x@vsphere")), "cannot be written",
		"give this user write permission")
	statetest.WantBlocked(t, d.Append(t.Context(), statetest.Record("run-1"), nil), "cannot be written")
	_, err := d.Acquire(t.Context(), hybridcore.Lease{Key: "lab/x@vsphere", RunID: "run-1"})
	statetest.WantBlocked(t, err, "cannot be written")
	_, err = Open(filepath.Join(mount, "other"))
	statetest.WantBlocked(t, err, "cannot be created")
}
