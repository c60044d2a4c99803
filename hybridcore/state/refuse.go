// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// words are what people read of an object that cannot be used.
type words struct{ guide Guide }

// refuse makes the error for an object that cannot be trusted: where it is, the
// cause, the next step. Exit code 3.
func (s words) refuse(name string, cause error, next string) error {
	return &hybridcore.BlockedError{
		Msg: fmt.Sprintf("state file %s cannot be used: %v\n  hint: %s", s.guide.Where(name), cause, next),
	}
}

// refuseSnapshot refuses generation n, and adds the way back: the newest former
// generation that can be read, as a copy with the next number.
func (s *Store) refuseSnapshot(ctx context.Context, n uint64, cause error) error {
	c := Chain{s.b, SnapshotFolder}
	if _, ok := errors.AsType[*newerError](cause); ok {
		return s.refuse(c.name(n), cause, "update packer-hybrid to the version that the others use")
	}
	all, _ := c.numbers(ctx) // without them there is no way back to name
	for _, g := range slices.Backward(all) {
		if g >= n {
			continue
		}
		data, err := s.b.Get(ctx, c.name(g))
		if err != nil {
			continue
		}
		if file, err := decodeSnapshot(data); err == nil {
			return s.refuse(c.name(n), cause,
				fmt.Sprintf("generation %d can be read (serial %d, %d targets); restore it with\n    %s",
					g, file.Serial, len(file.Targets), s.guide.Copy(c.name(g), c.name(n+1))))
		}
	}
	return s.refuse(c.name(n), cause, "no former generation can be read; restore it from a backup, or move "+
		s.guide.Where(SnapshotFolder)+" away to begin with an empty state (every target is then built again; the records "+
		"are kept)")
}

// writeError says what happened to a write, unless the backend has said it.
func (s words) writeError(doing string, err error) error {
	var blocked *hybridcore.BlockedError
	var usage *hybridcore.UsageError
	if err == nil || errors.As(err, &blocked) || errors.As(err, &usage) {
		return err
	}
	return fmt.Errorf("%s in %s (the state is as before): %w", doing, s.guide.Where(""), err)
}

// unreadable is the error for an object that is there but cannot be read.
func (s words) unreadable(name string, err error) error {
	next := "check the disk and the path"
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrPermission):
		next = "give this user read permission"
	}
	return &hybridcore.BlockedError{
		Msg: fmt.Sprintf("state file %s cannot be read (hint: %s)", s.guide.Where(name), next), Err: err,
	}
}
