// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#directory

package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// refuse makes the error for a file that cannot be trusted: path, cause, next
// step. Exit code 3.
func (d *Dir) refuse(name string, cause error, next string) error {
	return &hybridcore.BlockedError{
		Msg: fmt.Sprintf("state file %s cannot be used: %v\n  hint: %s", filepath.Join(d.path, name), cause, next),
	}
}

// refuseSnapshot adds the way back: the newest generation that can be read.
func (d *Dir) refuseSnapshot(cause error) error {
	if _, ok := errors.AsType[*newerError](cause); ok {
		return d.refuse(snapshotName, cause, "update packer-hybrid to the version that the others use")
	}
	file := filepath.Join(d.path, snapshotName)
	for g := 1; g <= generations; g++ {
		data, err := d.readFile(generation(g))
		if err != nil {
			continue
		}
		s, err := decodeSnapshot(data)
		if err != nil {
			continue
		}
		at := ""
		if info, err := d.root.Stat(generation(g)); err == nil {
			at = ", written " + info.ModTime().UTC().Format(time.RFC3339)
		}
		return d.refuse(snapshotName, cause, fmt.Sprintf("generation %d can be read (serial %d, %d targets%s); restore it with\n    cp %s %s",
			g, s.Serial, len(s.Targets), at, quote(filepath.Join(d.path, generation(g))), quote(file)))
	}
	return d.refuse(snapshotName, cause, fmt.Sprintf(
		"no former generation can be read; restore %s from a backup, or move it away to begin with an empty state (every target is then built again; the records are kept)", quote(file)))
}

// writeError says what happened to a write. Full disks, quotas and missing
// permission block (exit code 3); anything else is a failure.
func (d *Dir) writeError(doing string, err error) error {
	var blocked *hybridcore.BlockedError
	var usage *hybridcore.UsageError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &blocked), errors.As(err, &usage):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &hybridcore.BlockedError{
			Msg: fmt.Sprintf("no space left on the disk of %s while %s; the state is as before; free space and run again", d.path, doing),
			Err: err,
		}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &hybridcore.BlockedError{
			Msg: fmt.Sprintf("state directory %s cannot be written while %s; the state is as before; give this user write permission", d.path, doing),
			Err: err,
		}
	default:
		return fmt.Errorf("%s in %s (the state is as before): %w", doing, d.path, err)
	}
}

// unreadable is the error for a file that is there but cannot be read.
func (d *Dir) unreadable(name string, err error) error {
	next := "check the disk and the path"
	if errors.Is(err, fs.ErrPermission) {
		next = "give this user read permission"
	}
	return &hybridcore.BlockedError{
		Msg: fmt.Sprintf("state file %s cannot be read (hint: %s)", filepath.Join(d.path, name), next), Err: err,
	}
}

var plainPath = hybridcore.Pattern(`^[A-Za-z0-9_./@%+=:,-]+$`)

// quote makes a path safe to paste into a shell.
func quote(path string) string {
	if plainPath().MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
