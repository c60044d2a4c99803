// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:06:12Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#locks

package directory

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// kernelHold is the lock of one key.
type kernelHold struct {
	d    disk
	file string
	mine string // the mark of this process
	lock *kernelLock
}

// keyTries bounds how often a lock file is opened that somebody removes.
const keyTries = 10

// try tries to lock the file for the holder after the one with that mark. The
// lock is there, but not taken, when the file is Living or Taken.
func (h *kernelHold) try(before string) (*kernelLock, state.Life, error) {
	var err error
	for range keyTries {
		var l *kernelLock
		if l, err = h.d.openLock(h.file, os.O_CREATE|os.O_RDONLY); errors.Is(err, errRemoved) {
			continue
		}
		if err != nil {
			return nil, state.Unknown, err
		}
		free, err := l.take()
		if err == nil && free && !h.d.there(l.file, h.file) {
			_ = l.Unlock() // of nobody's file
			continue
		}
		life := state.Unknown
		if err == nil {
			life, err = l.tells(before, free)
		}
		if err != nil {
			return nil, state.Unknown, errors.Join(err, l.Unlock())
		}
		return l, life, nil
	}
	return nil, state.Unknown, fmt.Errorf("locking: %w", errors.Join(errRemoved, err))
}

// mark says in the lock file whose it is from now on, and whose it was: the new
// lease is not stored yet. The file is open for writing no longer than that, so
// that a disk can become read-only meanwhile.
func (h *kernelHold) mark(text string) (err error) {
	again, err := h.d.openLock(h.file, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.file.Close()) }()
	if !h.d.there(h.lock.file, h.file) {
		return fmt.Errorf("marking the lock: %w", errRemoved)
	}
	if _, err := again.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("marking the lock: %w", err)
	}
	if err := again.file.Truncate(int64(len(text))); err != nil {
		return fmt.Errorf("marking the lock: %w", err)
	}
	return nil
}

// Again locks the file once more, when somebody has removed it. Another run that
// locked it meanwhile has not acquired the lease: it believes the holder.
func (h *kernelHold) Again(ctx context.Context) error {
	if h.lock.file == nil || h.d.there(h.lock.file, h.file) {
		return nil
	}
	unlock, err := h.d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	l, life, err := h.try("")
	if err != nil {
		return h.d.writeError("locking again", err)
	}
	if life == state.Taken {
		return errors.Join(fmt.Errorf("%s was replaced, and another process has locked it", h.file), l.Unlock())
	}
	former := h.lock
	h.lock = l
	if err := h.mark(h.mine); err != nil {
		h.lock = former
		return h.d.writeError("locking again", errors.Join(err, l.Unlock()))
	}
	_ = former.Unlock() // of a file that nobody can open any more
	return nil
}

// Unlock frees the lock.
func (h *kernelHold) Unlock() error { return h.lock.Unlock() }
