// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:00Z
// Spec: openspec/specs/lab/spec.md#requirement-identity
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package lab

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestIdentity: a lab is the same in each start, whoever makes it first, and
// that of another cache is another.
func TestIdentity(t *testing.T) {
	cache := t.TempDir()
	ids := make([]string, 20)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			var err error
			if ids[i], err = identity(t.Context(), cache); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] || len(id) != idLength {
			t.Errorf("identities %q", ids)
			break
		}
	}
	if other, err := identity(t.Context(), t.TempDir()); err != nil || other == ids[0] {
		t.Errorf("another cache: %q, %v", other, err)
	}
	for _, text := range []string{"", "lab-", "lab-UPPERCASEUPPERCASEUPPERCASE\n", "lab-one\nlab-two\n"} {
		if err := os.WriteFile(filepath.Join(cache, "lab-id"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := identity(t.Context(), cache)
		again, more := identity(t.Context(), cache)
		if err != nil || more != nil || id != again || len(id) != idLength || id == ids[0] {
			t.Errorf("after %q: %q, %q, %v, %v", text, id, again, err, more)
		}
	}
}

// TestOnlyOwnFiles: what somebody else may have put there is not read.
func TestOnlyOwnFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	write := func() error { return os.WriteFile(path, []byte("x"), 0o600) }
	for name, make := range map[string]func() error{
		"another user's": func() error { return errors.Join(write(), os.Chown(path, 4242, 4242)) },
		"readable":       func() error { return errors.Join(write(), os.Chmod(path, 0o640)) },
		"writable":       func() error { return errors.Join(write(), os.Chmod(path, 0o602)) },
		"a FIFO":         func() error { return unix.Mkfifo(path, 0o600) },
		"a folder":       func() error { return os.Mkdir(path, 0o700) },
		"a link":         func() error { return os.Symlink("/etc/hostname", path) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		_, err := readOwn(path)
		_, ours := errors.AsType[*NotOursError](err)
		if err == nil || !ours && name != "a link" {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	if text, err := readOwn(path); err != nil || string(text) != "x" {
		t.Errorf("an own one: %q, %v", text, err)
	}
	if err := checkOwnDir(dir); err != nil {
		t.Errorf("an own folder: %v", err)
	}
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700), os.Chmod(path, 0o777)); err != nil {
		t.Fatal(err)
	}
	if checkOwnDir(path) == nil {
		t.Error("a folder that everybody may write is taken")
	}
}
