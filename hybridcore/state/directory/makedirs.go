// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:04:47Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// makeDirs creates a directory and its parents.
func makeDirs(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil, errors.Is(err, syscall.ENOTDIR):
		return hybridcore.Usagef(
			"state directory %s: there is a file of that name; give another directory or move the file away", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("opening the state directory: %w", err)
	}
	if err := makeDirs(filepath.Dir(path)); err != nil {
		return err
	}
	err = makeDir(path, filepath.Dir(path))
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return &hybridcore.BlockedError{Msg: "state directory " + path +
			" cannot be created; give this user write permission or another directory", Err: err}
	}
	return err
}

// makeDir creates a directory with its parents, durably.
func makeDir(dir, parent string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating the state directory: %w", err)
	}
	f, err := os.Open(parent)
	if err != nil {
		return fmt.Errorf("creating the state directory: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("syncing the parent of the state directory: %w", err)
	}
	return nil
}

// clean removes temporary files of killed writers. All of them are written
// under the lock: whoever holds it knows that those that exist are older. When
// a writer is at work, or the directory cannot be written, they stay and are ignored.
func (d disk) clean() {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil || !hasTemp(entries) {
		return
	}
	lock, free, err := d.tryLock(syscall.LOCK_EX)
	if err != nil || !free {
		return
	}
	defer func() { _ = lock.Unlock() }() // closing frees it in any case
	entries, _ = fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), safefile.TempPrefix) {
			_ = d.root.Remove(e.Name()) // ignored by everybody, tried again at the next Open
		}
	}
}

func hasTemp(entries []fs.DirEntry) bool {
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), safefile.TempPrefix) {
			return true
		}
	}
	return false
}
