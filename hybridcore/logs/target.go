// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:35Z
// Spec: openspec/specs/logs/spec.md#requirement-target-logs-stay-inside-the-log-directory
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// maxTargetName is the number of bytes of a target's name: with the extension it stays under the 255 of file systems.
const maxTargetName = 200

// OpenTarget opens the log file of one target, dir/name.log, for appending. dir is the run's directory (logs/<run>) and is
// created with mode 0700 if missing; the file has mode 0600. Names hold letters, digits and "-_.@+" and do not begin with a
// dot: colons are refused by CI artifact uploads, separators would leave the directory. A name that is taken by anything but
// a regular file, such as a symbolic link or a pipe, is an error.
func OpenTarget(dir, name string) (*os.File, error) {
	if err := checkTargetName(name); err != nil {
		return nil, fmt.Errorf("target log in %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating log directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening log directory: %w", err)
	}
	file, err := openRegular(root, name+".log")
	if err := errors.Join(err, root.Close()); err != nil {
		if file != nil {
			_ = file.Close() // the error that counts is already there
		}
		return nil, fmt.Errorf("target log in %s: %w", dir, err)
	}
	return file, nil
}

// openRegular opens or creates a regular file in root. The check before opening keeps it from waiting on a pipe, the one
// after it from a file that was put there in between.
func openRegular(root *os.Root, file string) (*os.File, error) {
	flags := os.O_APPEND | os.O_CREATE | os.O_WRONLY
	before, err := root.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		flags |= os.O_EXCL
	case err != nil:
		return nil, fmt.Errorf("looking at %s: %w", file, err)
	case !before.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file (%s): remove it", file, before.Mode().Type())
	}
	f, err := root.OpenFile(file, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	after, err := f.Stat()
	if err == nil && (!after.Mode().IsRegular() || before != nil && !os.SameFile(before, after)) {
		err = fmt.Errorf("%s was replaced while it was opened", file)
	}
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkTargetName returns why a name cannot be a file's name, or nil.
func checkTargetName(name string) error {
	switch {
	case name == "":
		return errors.New("target name is empty")
	case len(name) > maxTargetName:
		return fmt.Errorf("target name has %d bytes, at most %d are allowed", len(name), maxTargetName)
	case name[0] == '.':
		return fmt.Errorf("target name %q begins with a dot", name)
	}
	for _, r := range name {
		if r >= 0x80 || !tokenBytes[byte(r)] && r != '@' && r != '+' {
			return fmt.Errorf("target name %q holds %q: use letters, digits and -_.@+", name, r)
		}
	}
	return nil
}
