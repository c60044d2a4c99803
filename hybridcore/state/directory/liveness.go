// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:31:03Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#locks

package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// openLock opens a lock file. Nothing but a regular file is opened, and nothing is
// waited for.
func (d disk) openLock(name string, flag int) (*kernelLock, error) {
	file, err := d.root.OpenFile(name, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("locking: %s is not a regular file", name)
	}
	if err == nil && !d.there(file, name) {
		err = errRemoved
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &kernelLock{file}, nil
}

// there says whether an open file still is the one of that name. A link is not.
func (d disk) there(file *os.File, name string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := d.root.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}

// errRemoved says that a lock file was removed, or replaced, while it was locked.
var errRemoved = errors.New("the lock file is removed again and again")

// maxMark bounds what a lock file says.
const maxMark = 1024

// tells says what a lock tells of the holder that has marked it. Marks outlive
// holders: a free lock says that a holder has ended only if it is that holder's.
// The first mark is that of the present holder, or of the last one.
func (l *kernelLock) tells(mark string, free bool) (state.Life, error) {
	text, err := io.ReadAll(io.NewSectionReader(l.file, 0, maxMark))
	if err != nil {
		return state.Unknown, fmt.Errorf("reading whose lock it is: %w", err)
	}
	marks := string(text)
	switch {
	case !free && mark != "" && strings.HasPrefix(marks, mark):
		return state.Living, nil
	case !free:
		return state.Taken, nil
	case mark == "" || strings.HasPrefix(marks, mark) || strings.Contains(marks, "\n"+mark):
		return state.Ended, nil
	default:
		return state.Unknown, nil
	}
}
