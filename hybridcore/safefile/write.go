// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package safefile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TempPrefix begins the names of files that are being written. A process that was killed leaves them.
const TempPrefix = ".tmp-"

// TempName is a name for a file that is being written, which no other has.
func TempName() string { return TempPrefix + strings.ToLower(rand.Text()) }

// Replace makes a file in place of another: whole or not at all, and on the disk before it has its name.
func Replace(path string, data []byte, perm fs.FileMode) error {
	in, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return errors.Join(ReplaceIn(in, filepath.Base(path), data, perm), in.Close())
}

// ReplaceIn is Replace for a file in a folder.
func ReplaceIn(in *os.Root, name string, data []byte, perm fs.FileMode) error {
	temp := TempName()
	err := New(in, temp, data, perm)
	if err == nil {
		err = rename(in, temp, name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Join(in.Name(), name), err)
	}
	return nil
}

// Keep is Replace for a file of a cache, whose folder it makes: nobody misses one that a crash took.
func Keep(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	in, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	temp := TempName()
	err = write(in, temp, data, 0o600, false)
	if err == nil {
		err = rename(in, temp, filepath.Base(path))
	}
	return errors.Join(err, in.Close())
}

// New makes a new file that is on the disk. On an error there is none.
func New(in *os.Root, name string, data []byte, perm fs.FileMode) error {
	return write(in, name, data, perm, true)
}

func write(in *os.Root, name string, data []byte, perm fs.FileMode, durable bool) error {
	f, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err //nolint:wrapcheck // a PathError says all
	}
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(perm) // which the process's mask has narrowed
	}
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = in.Remove(name) // the first error counts
	}
	return err
}

func rename(in *os.Root, temp, name string) error {
	err := in.Rename(temp, name)
	if err != nil {
		_ = in.Remove(temp) // the first error counts
	}
	return err //nolint:wrapcheck // a LinkError says all
}
