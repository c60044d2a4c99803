// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#update

package state

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
)

// tempPrefix begins the names of files that are being written under the lock.
const tempPrefix = ".tmp-"

// newTemp names a temporary file in the state directory itself, so that one
// look at that directory finds all leftovers.
func newTemp() string { return tempPrefix + strings.ToLower(rand.Text()) }

// stage writes a new temporary file and syncs it. On an error there is none.
func (d *Dir) stage(temp string, data []byte) (err error) {
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

// place stages data under the name temp and renames it to name. The caller
// syncs the directory of name.
func (d *Dir) place(temp, name string, data []byte) error {
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
func (d *Dir) syncDir(dir string) error {
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

// mkdir makes a directory in the state directory durable, if it is missing.
func (d *Dir) mkdir(dir string) error {
	err := d.root.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", dir, err)
	}
	return d.syncDir(path.Dir(dir))
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

// readFile reads a regular file of at most maxFile bytes. A cause that is
// about the file itself is an errForm.
func (d *Dir) readFile(name string) ([]byte, error) {
	// A named pipe must not make the open wait for a writer.
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	size, err := regular(f)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, size+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > maxFile:
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

// regular checks that the file is a regular one that fits maxFile.
func regular(f *os.File) (int64, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return 0, fmt.Errorf("looking at it: %w", err)
	case info.IsDir():
		return 0, errForm("it is a directory, not a file")
	case !info.Mode().IsRegular():
		return 0, errForm("it is not a regular file")
	case info.Size() > maxFile:
		return 0, tooLarge(info.Size())
	}
	return info.Size(), nil
}

func tooLarge(size int64) error {
	return errForm(fmt.Sprintf("it has %d bytes; at most %d (64 MiB) are read", size, int64(maxFile)))
}
