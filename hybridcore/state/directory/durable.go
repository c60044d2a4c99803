// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"regexp"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// place makes a file with its folders, unless there is one of that name. The
// caller has the lock, and syncs the folder.
func (d disk) place(name string, data []byte) error {
	if err := d.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	switch _, err := d.root.Lstat(name); {
	case err == nil:
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("looking for what is there: %w", err)
	}
	temp := safefile.TempName()
	if err := safefile.New(d.root, temp, data, 0o600); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	err := d.root.Link(temp, name)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EMLINK) {
		err = d.root.Rename(temp, name) // a file system without hard links: the lock must do
	} else {
		_ = d.root.Remove(temp) // the next Open tries again
	}
	if err != nil {
		_ = d.root.Remove(temp) // the first error counts
		return fmt.Errorf("giving it its name: %w", err)
	}
	return nil
}

// replace makes a file in place of another. Temporary files are in the state directory itself, so that one look at it
// finds all leftovers.
func (d disk) replace(name string, data []byte) error {
	return safefile.ReplaceIn(d.root, name, data, 0o600)
}

// syncDir makes the names in a directory durable.
func (d disk) syncDir(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return fmt.Errorf("opening the directory to sync it: %w", err)
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing the directory: %w", err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing the directory: %w", err)
	}
	return nil
}

// mkdirs makes a folder in the directory, with those above it, durable.
func (d disk) mkdirs(folder string) error {
	if err := d.noLinks(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for at := range parents(folder) {
		err := d.root.Mkdir(at, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = d.syncDir(path.Dir(at))
		}
		if err != nil {
			return fmt.Errorf("creating %s: %w", at, err)
		}
	}
	return d.noLinks(folder)
}

// readFile reads a regular file of at most state.MaxObject bytes. A cause that is
// about the file itself is a state.FormError.
func (d disk) readFile(name string) ([]byte, error) {
	data, err := safefile.ReadIn(d.root, name, state.MaxObject)
	if refused, ok := errors.AsType[*safefile.RefusedError](err); ok {
		return nil, state.FormError(refused.Why)
	}
	return data, err
}

// writeError says what happened to a write. Full disks, quotas and missing
// permission block (exit code 3).
func (d disk) writeError(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &hybridcore.BlockedError{
			Msg: fmt.Sprintf("no space left on the disk of %s while %s; the state is as before; free space and run again",
				d.path, doing),
			Err: err,
		}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &hybridcore.BlockedError{
			Msg: fmt.Sprintf("state directory %s cannot be written while %s; the state is as before; give this user write "+
				"permission",
				d.path, doing),
			Err: err,
		}
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// disk is a directory with the calls that all of it needs.
type disk struct {
	path string
	root *os.Root
}

func copyCommand(from, to string) string { return "cp " + quote(from) + " " + quote(to) }

var plainPath = regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,-]+$`)

// quote makes a path safe to paste into a shell.
func quote(path string) string {
	if plainPath.MatchString(path) {
		return path
	}
	return text.ShellWord(path)
}

// noLinks refuses a folder below which something else than a folder is.
func (d disk) noLinks(folder string) error {
	for at := range parents(folder) {
		info, err := d.root.Lstat(at)
		if err != nil {
			return fmt.Errorf("looking at a folder: %w", err)
		}
		if !info.IsDir() {
			return state.FormError(at + " is not a folder")
		}
	}
	return nil
}

// parents yields a folder and those above it, from the top.
func parents(folder string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, c := range folder + "/" {
			if c == '/' && !yield(folder[:i]) {
				return
			}
		}
	}
}
