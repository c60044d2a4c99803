// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package safefile

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// RefusedError says why something is no file that is read.
type RefusedError struct{ Why string }

// Error implements error.
func (e *RefusedError) Error() string { return e.Why }

// Read reads a regular file of at most so many bytes. It follows links, and waits for no pipe.
func Read(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	defer func() { _ = f.Close() }() // only read
	data, err := whole(f, nil, limit)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return data, nil
}

// ReadIn is Read for a file below a folder, which is no link itself.
func ReadIn(in *os.Root, name string, limit int64) ([]byte, error) {
	named, err := in.Lstat(name)
	if err == nil {
		err = readable(named, limit)
	}
	if err != nil {
		return nil, err
	}
	f, err := in.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	defer func() { _ = f.Close() }() // only read
	return whole(f, named, limit)
}

// whole reads a file that is the one which was looked at, unless nobody did.
func whole(f *os.File, named fs.FileInfo, limit int64) ([]byte, error) {
	opened, err := f.Stat()
	if err == nil {
		err = readable(opened, limit)
	}
	if err == nil && named != nil && !os.SameFile(named, opened) {
		err = &RefusedError{"it was replaced while it was opened"}
	}
	if err != nil {
		return nil, err
	}
	var data bytes.Buffer
	data.Grow(int(opened.Size()) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	if n := int64(data.Len()); n > limit {
		return nil, tooLarge(n, limit)
	}
	return data.Bytes(), nil
}

// readable says why something is no regular file within the limit.
func readable(info fs.FileInfo, limit int64) error {
	switch {
	case info.IsDir():
		return &RefusedError{"it is a directory, not a file"}
	case !info.Mode().IsRegular():
		return &RefusedError{"it is not a regular file"}
	case info.Size() > limit:
		return tooLarge(info.Size(), limit)
	}
	return nil
}

func tooLarge(size, limit int64) error {
	most := fmt.Sprint(limit)
	if limit%(1<<20) == 0 {
		most += fmt.Sprintf(" (%d MiB)", limit>>20)
	}
	return &RefusedError{fmt.Sprintf("it has %d bytes; at most %s are read", size, most)}
}
