// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:31:03Z
// Spec: openspec/specs/state/spec.md#requirement-one-writer-at-a-time
// Diagram: openspec/specs/state/diagram.md#locks

package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Bounds of the wait for the lock. A writer holds it for a few disk syncs.
const (
	lockWait  = 30 * time.Second
	lockRetry = 2 * time.Millisecond
)

// kernelLock is a lock on an open file or folder that the kernel drops with the
// process. It is closed on exec, so that no child keeps it.
type kernelLock struct{ file *os.File }

// take locks an open file; false when somebody else has it.
func (l *kernelLock) take() (bool, error) {
	for {
		switch err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, fmt.Errorf("locking: %w", err)
		}
	}
}

// Unlock frees the lock. The second and later calls do nothing.
func (l *kernelLock) Unlock() error {
	if l.file == nil {
		return nil
	}
	err := errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
	l.file = nil
	return err
}

// tryLock takes the writer's lock: that of the directory itself. A file for it
// could be removed, and then two writers would lock two different files.
func (d *Dir) tryLock() (*kernelLock, bool, error) {
	file, err := d.root.Open(".")
	if err != nil {
		return nil, false, fmt.Errorf("locking: %w", err)
	}
	l := &kernelLock{file}
	free, err := l.take()
	if err != nil || !free {
		return nil, false, errors.Join(err, file.Close())
	}
	return l, true, nil
}

// lock waits for the writer's lock until ctx ends, at most lockWait. The
// returned function frees it.
func (d *Dir) lock(ctx context.Context) (func(), error) {
	giveUp := time.Now().Add(lockWait)
	for {
		if err := ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("locking the state: %w", err)
		}
		l, free, err := d.tryLock()
		switch {
		case err != nil:
			return nil, d.writeError("locking", err)
		case free:
			return func() { _ = l.Unlock() }, nil // closing frees it in any case
		case ctx.Err() != nil || time.Now().After(giveUp):
			return nil, &hybridcore.BlockedError{
				Msg: fmt.Sprintf("the state is locked by another process that writes (%s); see which one with: fuser -v %s", d.path, quote(d.path)),
				Err: context.DeadlineExceeded,
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockRetry):
		}
	}
}

// keyState is what is known of the lock of a target's lease.
type keyState int

const (
	keyFree     keyState = iota // the file that its holder locked is there, and nobody has it locked
	keyHeld                     // somebody has it locked
	keyReplaced                 // it is not the file that the holder locked, which tells nothing of the holder
)

// maxMark bounds what a lock file says.
const maxMark = 1024

// markOf is the line by which a holder marks its lock file. It outlives the
// holder: a free lock says that a holder has ended only if it is that holder's.
func markOf(c claim) string { return fmt.Sprintf("%s %d\n", c.run, c.serial) }

// openKey opens the lock file of a key. Nothing but a regular file is opened, and
// nothing is waited for.
func (d *Dir) openKey(key string, flag int) (*kernelLock, error) {
	file, err := d.root.OpenFile(leaseLock(key), flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("locking: %s is not a regular file", leaseLock(key))
	}
	if err == nil && !d.there(file, key) {
		err = errRemoved
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &kernelLock{file}, nil
}

// there says whether an open file still is the lock file of a key. A link is not.
func (d *Dir) there(file *os.File, key string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := d.root.Lstat(leaseLock(key))
	return err == nil && os.SameFile(opened, named)
}

// errRemoved says that a lock file was removed, or replaced, while it was locked.
var errRemoved = errors.New("the lock file is removed again and again")

// keyTries bounds how often a lock file is opened that somebody removes.
const keyTries = 10

// tryKey tries to lock a key for the holder after a former lease, which is nil for
// none. With keyHeld there is no lock.
func (d *Dir) tryKey(key string, former *hybridcore.Lease) (*kernelLock, keyState, error) {
	var err error
	for range keyTries {
		var l *kernelLock
		if l, err = d.openKey(key, os.O_CREATE|os.O_RDONLY); errors.Is(err, errRemoved) {
			continue
		}
		if err != nil {
			return nil, keyFree, err
		}
		free, err := l.take()
		switch {
		case err != nil || !free:
			return nil, keyHeld, errors.Join(err, l.file.Close())
		case !d.there(l.file, key):
			_ = l.Unlock() // of nobody's file
			continue
		}
		is, err := l.state(former)
		if err != nil {
			return nil, keyFree, errors.Join(err, l.Unlock())
		}
		return l, is, nil
	}
	return nil, keyFree, fmt.Errorf("locking: %w", errors.Join(errRemoved, err))
}

// state says what a lock that is free tells of the holder of a lease.
func (l *kernelLock) state(of *hybridcore.Lease) (keyState, error) {
	if of == nil || of.Phase == hybridcore.PhaseReleased {
		return keyFree, nil
	}
	marks, err := io.ReadAll(io.NewSectionReader(l.file, 0, maxMark))
	if err != nil {
		return keyFree, fmt.Errorf("reading whose lock it is: %w", err)
	}
	for line := range strings.Lines(string(marks)) {
		if line == markOf(claimOf(*of)) {
			return keyFree, nil
		}
	}
	return keyReplaced, nil
}

// mark says in the lock file of a key whose it is from now on. The former holder
// stays in it: the new lease is not on disk yet. The file is open for writing no
// longer than that, so that a disk can become read-only meanwhile.
func (d *Dir) mark(key string, l *kernelLock, mine claim, former *hybridcore.Lease) (err error) {
	text := markOf(mine)
	if former != nil {
		text += markOf(claimOf(*former))
	}
	again, err := d.openKey(key, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.file.Close()) }()
	if !d.there(l.file, key) {
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

// keyOf looks at the lock of a lease, and leaves it as it is.
func (d *Dir) keyOf(lease hybridcore.Lease) keyState {
	l, err := d.openKey(lease.Key, os.O_RDONLY)
	if err != nil {
		return keyReplaced // it was removed, or cannot be looked at
	}
	defer func() { _ = l.Unlock() }() // closing frees it in any case
	if free, err := l.take(); err != nil || !free {
		return keyHeld
	}
	if is, err := l.state(&lease); err == nil {
		return is
	}
	return keyReplaced
}

// lockAgain takes the lock of a lease that is held once more, when somebody has
// removed its file. It is called under the writer's lock, so that no other run
// can have taken the target meanwhile.
func (h *Held) lockAgain() error {
	if h.lock.file == nil || h.d.there(h.lock.file, h.key) {
		return nil
	}
	l, _, err := h.d.tryKey(h.key, nil)
	if err == nil && l == nil {
		err = fmt.Errorf("%s was replaced, and another process has locked it", path.Base(leaseLock(h.key)))
	}
	if err == nil {
		err = h.d.mark(h.key, l, h.mine, nil)
	}
	if err != nil {
		return fmt.Errorf("locking the lease of %s again: %w", h.key, err)
	}
	_ = h.lock.Unlock() // of a file that nobody can open any more
	h.lock = l
	return nil
}
