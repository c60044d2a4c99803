// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:35Z
// Spec: openspec/specs/logs/spec.md#requirement-target-logs-stay-inside-the-log-directory
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// maxTargetName is the number of bytes of a target's name: with the extension it stays under the 255 of file systems.
const maxTargetName = 200

// OpenTarget opens the log file of one target, dir/name.log, for appending. dir is the run's directory (logs/<run>)
// and is
// created with mode 0700 if missing; the file has mode 0600. Names hold letters, digits and "-_.@+" and do not begin
// with a
// dot: colons are refused by CI artifact uploads, separators would leave the directory. Neither logs nor the run's
// directory
// may be a link, or another user's. A name that is taken by anything but a regular file of this user, such as a link
// or a
// pipe, is an error.
func OpenTarget(dir, name string) (*os.File, error) {
	if err := checkTargetName(name); err != nil {
		return nil, fmt.Errorf("target log in %s: %w", dir, err)
	}
	dir = filepath.Clean(dir)
	root, err := folder(filepath.Dir(dir), filepath.Base(dir))
	if err != nil {
		return nil, err
	}
	file, err := openLog(root, name+".log")
	if err := errors.Join(err, root.Close()); err != nil {
		if file != nil {
			_ = file.Close() // the error that counts is already there
		}
		return nil, fmt.Errorf("target log in %s: %w", dir, err)
	}
	return file, nil
}

// folder opens the directory of the logs, or one in it, and makes what is missing.
func folder(dir, inside string) (*os.Root, error) {
	above, name := filepath.Split(filepath.Clean(dir))
	err := os.MkdirAll(filepath.Clean(above), 0o700)
	if err != nil {
		return nil, fmt.Errorf("creating log directory: %w", err)
	}
	root, err := safefile.Folder(filepath.Clean(above), filepath.ToSlash(filepath.Join(name, inside)), 0o700)
	if err != nil {
		return nil, fmt.Errorf("opening log directory: %w", err)
	}
	return root, nil
}

// openLog opens or creates a regular file that only this user reads, to append to it.
func openLog(root *os.Root, name string) (*os.File, error) {
	file, err := safefile.Open(root, name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("closing %s to others: %w", name, err), file.Close())
	}
	return file, nil
}

// targetNameRunes are those that a target's name may have.
const targetNameRunes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.@+"

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
		if !strings.ContainsRune(targetNameRunes, r) {
			return fmt.Errorf("target name %q holds %q: use letters, digits and -_.@+", name, r)
		}
	}
	return nil
}
