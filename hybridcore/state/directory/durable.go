// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// tempPrefix begins the names of files that are being written under the lock.
const tempPrefix = ".tmp-"

// newTemp names a temporary file in the state directory itself, so that one
// look at that directory finds all leftovers.
func newTemp() string { return tempPrefix + strings.ToLower(rand.Text()) }

// stage writes a new temporary file and syncs it. On an error there is none.
func (d disk) stage(temp string, data []byte) (err error) {
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("creating a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = d.root.Remove(temp) // the first error counts
		}
	}()
	if _, err := f.Write(data); err != nil {
		return errors.Join(fmt.Errorf("writing: %w", err), f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing: %w", err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}

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
	temp := newTemp()
	if err := d.stage(temp, data); err != nil {
		return err
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

// replace makes a file in place of another.
func (d disk) replace(name string, data []byte) error {
	temp := newTemp()
	if err := d.stage(temp, data); err != nil {
		return err
	}
	if err := d.root.Rename(temp, name); err != nil {
		_ = d.root.Remove(temp) // the first error counts
		return fmt.Errorf("renaming: %w", err)
	}
	return nil
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
	named, err := d.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("looking at it: %w", err)
	}
	if err := regular(named); err != nil {
		return nil, err
	}
	// A named pipe must not make the open wait for a writer.
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	opened, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at it: %w", err)
	}
	if !os.SameFile(named, opened) {
		return nil, state.FormError("it was replaced while it was opened")
	}
	data := make([]byte, 0, opened.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > state.MaxObject:
			return nil, tooLarge(int64(len(data)))
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, fmt.Errorf("reading: %w", err)
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}

// regular refuses what is no regular file that fits state.MaxObject.
func regular(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return state.FormError("it is a directory, not a file")
	case !info.Mode().IsRegular():
		return state.FormError("it is not a regular file")
	case info.Size() > state.MaxObject:
		return tooLarge(info.Size())
	}
	return nil
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

func tooLarge(size int64) error {
	return state.FormError(fmt.Sprintf("it has %d bytes; at most %d (64 MiB) are read", size, int64(state.MaxObject)))
}
