// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:31:03Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Bounds of the wait for the lock. A writer holds it for a few disk syncs.
const (
	lockWait  = 30 * time.Second
	lockRetry = 2 * time.Millisecond
	// shareWait is how long a reader waits for writers. One that holds the lock for
	// longer has been stopped or hangs, and then nothing changes.
	shareWait = 500 * time.Millisecond
)

// kernelLock is a lock on an open file or folder that the kernel drops with the
// process. It is closed on exec, so that no child keeps it.
type kernelLock struct{ file *os.File }

// take locks an open file; false when somebody else has it.
func (l *kernelLock) take() (bool, error) { return l.try(syscall.LOCK_EX) }

// try takes an exclusive or a shared lock.
func (l *kernelLock) try(how int) (bool, error) {
	for {
		switch err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB); {
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
func (d disk) tryLock(how int) (*kernelLock, bool, error) {
	file, err := d.root.Open(".")
	if err != nil {
		return nil, false, fmt.Errorf("locking: %w", err)
	}
	l := &kernelLock{file}
	free, err := l.try(how)
	if err != nil || !free {
		return nil, false, errors.Join(err, file.Close())
	}
	return l, true, nil
}

// lock waits for the writer's lock until ctx ends, at most lockWait. The
// returned function frees it.
func (d disk) lock(ctx context.Context) (func(), error) {
	giveUp := time.Now().Add(lockWait)
	for {
		if err := ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("locking the state: %w", err)
		}
		l, free, err := d.tryLock(syscall.LOCK_EX)
		switch {
		case err != nil:
			return nil, d.writeError("locking", err)
		case free:
			return func() { _ = l.Unlock() }, nil // closing frees it in any case
		case errors.Is(ctx.Err(), context.DeadlineExceeded) || time.Now().After(giveUp):
			return nil, d.errLocked()
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockRetry):
		}
	}
}

// errLocked says that a writer has been at work for too long.
func (d disk) errLocked() error {
	return &hybridcore.BlockedError{
		Msg: fmt.Sprintf("the state is locked by another process that writes (%s); see which one with: fuser -v %s",
			d.path, quote(d.path)),
		Err: context.DeadlineExceeded,
	}
}

// share keeps writers away for a moment. Where the directory cannot be locked,
// and after shareWait, it does nothing.
func (d disk) share(ctx context.Context) (unlock func(), err error) {
	for giveUp := time.Now().Add(shareWait); ; time.Sleep(lockRetry) {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, d.errLocked()
		}
		switch l, free, err := d.tryLock(syscall.LOCK_SH); {
		case free:
			return func() { _ = l.Unlock() }, nil // closing frees it in any case
		case err != nil, time.Now().After(giveUp), ctx.Err() != nil:
			return func() {}, nil //nolint:nilerr // what cannot be locked is read all the same
		}
	}
}

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
