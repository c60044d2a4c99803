// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:44:02Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// written makes a state with n updates.
func written(t *testing.T, n int) *opened {
	t.Helper()
	d := open(t, filepath.Join(fastDir(t), "state"))
	for i := range n {
		if err := d.Update(t.Context(), statetest.Put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestOddFiles(t *testing.T) {
	const irregular = "it is not a regular file"
	for name, tc := range map[string]struct {
		plant func(file string) error
		says  string
	}{
		"pipe":        {func(file string) error { return syscall.Mkfifo(file, 0o600) }, irregular},
		"link":        {func(file string) error { return os.Symlink("../../../../../../etc/passwd", file) }, irregular},
		"link inside": {func(file string) error { return os.Symlink("00000001", file) }, irregular},
		"device":      {func(file string) error { return os.Symlink("/dev/zero", file) }, irregular},
		"large": {func(file string) error {
			return os.WriteFile(file, make([]byte, state.MaxObject+1), 0o600)
		}, "at most 67108864 (64 MiB)"},
	} {
		t.Run(name, func(t *testing.T) {
			d := written(t, 2)
			file := filepath.Join(d.path, "snapshot", "00000003")
			if err := tc.plant(file); err != nil {
				t.Fatal(err)
			}
			_, err := d.Read(t.Context())
			statetest.WantBlocked(t, err, file, tc.says, "generation 2 can be read (serial 2, 2 targets", "00000004")
		})
	}
}

// A folder in place of the next generation is in the way, and is named.
func TestFolderInPlaceOfAnObject(t *testing.T) {
	d := written(t, 2)
	file := filepath.Join(d.path, "snapshot", "00000003")
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	statetest.WantBlocked(t, d.Update(t.Context(), statetest.Put("lab/x@vsphere")), file, "it is no object",
		"move it away")
	if s, err := d.Read(t.Context()); err != nil || s.Serial != 2 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
}

// No link leads to objects elsewhere, neither to read nor to write them.
func TestLinkedFolders(t *testing.T) {
	outside := written(t, 2)
	for _, folder := range []string{"snapshot", "runs", "records", "leases", "tickets"} {
		t.Run(folder, func(t *testing.T) {
			d := written(t, 0)
			if err := os.Symlink(filepath.Join(outside.path, "snapshot"), filepath.Join(d.path, folder)); err != nil {
				t.Fatal(err)
			}
			_, read := d.Read(t.Context())
			_, records := d.Records(t.Context())
			_, leases := d.Leases(t.Context())
			_, acquired := d.Acquire(t.Context(), statetest.Lease("run-1"))
			errs := map[string][]error{
				"snapshot": {read, d.Update(t.Context(), statetest.Put("lab/x@vsphere"))},
				"runs":     {records},
				"leases":   {leases, acquired},
				"records":  {d.Append(t.Context(), statetest.Record("run-1"), statetest.Attachments())},
				"tickets":  {d.UseTicket(t.Context(), "r1", "github 1", statetest.At())},
			}
			for _, err := range errs[folder] {
				if err == nil || !strings.Contains(err.Error(), folder+" is not a folder") {
					t.Errorf("the link was followed: %v", err)
				}
			}
		})
	}
	if all, err := filepath.Glob(filepath.Join(outside.path, "snapshot", "*")); err != nil || len(all) != 2 {
		t.Errorf("outside are %v, %v", all, err)
	}
}

func TestAttachmentEscapes(t *testing.T) {
	d := written(t, 0)
	if err := d.Append(t.Context(), statetest.Record("run-0"), statetest.Attachments()); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(d.path, "records", "run-0")
	for name, target := range map[string]string{
		"absolute": "/etc/passwd", "relative": "../../../../../../../etc/passwd", "device": "/dev/zero",
		"inside": "steps.txt",
	} {
		if err := os.Symlink(target, filepath.Join(run, name)); err != nil {
			t.Fatal(err)
		}
		_, err := d.Attachment(t.Context(), "records/run-0/"+name)
		statetest.WantBlocked(t, err, "it is not a regular file")
	}
	if _, err := d.Attachment(t.Context(), "records/run-0/."); err == nil {
		t.Error("a directory was read")
	}
}

// The command that a refusal names brings the state back.
func TestRestore(t *testing.T) {
	d := written(t, 5)
	moved := d.path + " of an 'odd' name"
	if err := os.Rename(d.path, moved); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00000004", "00000005"} { // the one before is no help either
		if err := os.Truncate(filepath.Join(moved, "snapshot", name), 100); err != nil {
			t.Fatal(err)
		}
	}
	d = open(t, moved)
	_, err := d.Read(t.Context())
	statetest.WantBlocked(t, err, "cut short", "generation 3 can be read (serial 3, 3 targets")
	_, command, _ := strings.Cut(err.Error(), "\n    ")
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	if s, err := d.Read(t.Context()); err != nil || s.Serial != 3 {
		t.Errorf("after %s: serial %d, %v", command, s.Serial, err)
	}
	if err := d.Update(t.Context(), statetest.Put("lab/x@vsphere")); err != nil {
		t.Error(err)
	}
}

// A part of a build comes from another machine: files of the former format in it
// are not looked for.
func TestViewObjects(t *testing.T) {
	d := written(t, 0)
	if err := d.Append(t.Context(), statetest.Record("run-0"), nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{formerSnapshot, formerRecords} {
		if err := os.WriteFile(filepath.Join(d.path, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := ViewObjects(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := s.Records(t.Context()); err != nil || len(ids) != 1 {
		t.Errorf("%v, %v", ids, err)
	}
	if _, err := ViewObjects(d.path + "-none"); !errors.Is(err, fs.ErrNotExist) || hybridcore.ExitCode(err) == 0 {
		t.Errorf("a missing directory: %v", err)
	}
}
