// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:31:03Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#locks

package directory

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// locksFolder holds a lock file for each key, locked by the holder of its lease.
const locksFolder = ".locks"

// lockFile is that of a key.
func lockFile(key string) string { return locksFolder + "/" + flatKey(key) }

// flatKey is a key as one part of a name: no key has a '+'.
func flatKey(key string) string { return strings.ReplaceAll(key, "/", "+") }

// Hold locks the file of a key, if allow accepts what its lock tells.
func (d *Directory) Hold(ctx context.Context, key, mine, before string, allow func(state.Life) error) (state.Hold,
	error,
) {
	unlock, err := d.lock(ctx) // a probe must not look like a holder, nor a new holder like the former one
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := d.mkdirs(locksFolder); err != nil {
		return nil, d.writeError("locking "+key, err)
	}
	h := &kernelHold{d: d.disk, file: lockFile(key), mine: mine}
	l, life, err := h.try(before)
	if err != nil {
		return nil, d.writeError("locking "+key, err)
	}
	if err := allow(life); err != nil {
		_ = l.Unlock() // closing frees it in any case
		return nil, err
	}
	h.lock = l
	if err := h.mark(mine + before); err != nil {
		_ = l.Unlock() // closing frees it in any case
		return nil, d.writeError("locking "+key, err)
	}
	return h, nil
}

// Probe says what the lock of a key tells of a holder, and leaves it as it is.
func (d *Directory) Probe(ctx context.Context, key, mark string) (state.Life, error) {
	return d.lockedProbe(ctx, lockFile(key), mark)
}

// lockedProbe looks at a lock file under the directory's lock, or without it where
// the directory cannot be locked.
func (d disk) lockedProbe(ctx context.Context, file, mark string) (state.Life, error) {
	unlock, err := d.lock(ctx)
	switch {
	case err == nil:
		defer unlock()
	case !errors.Is(err, syscall.EROFS) && !errors.Is(err, fs.ErrPermission):
		return state.Unknown, err
	}
	return d.probe(file, mark), nil
}

// probe is Probe for who has the directory's lock.
func (d disk) probe(file, mark string) state.Life {
	l, err := d.openLock(file, os.O_RDONLY)
	if err != nil {
		return state.Unknown // it was removed, or cannot be looked at
	}
	defer func() { _ = l.Unlock() }() // closing frees it in any case
	free, err := l.take()
	if err != nil {
		return state.Unknown
	}
	life, err := l.tells(mark, free)
	if err != nil {
		return state.Unknown
	}
	return life
}

// Who is the command that shows who has a key locked.
func (d *Directory) Who(key string) string { return "fuser -v " + quote(d.Where(lockFile(key))) }
