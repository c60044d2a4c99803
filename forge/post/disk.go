// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T16:02:00Z
// Spec: openspec/specs/posting/spec.md#requirement-outbox
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// ErrBusy says that the run whose outbox it is lives.
var ErrBusy = errors.New("the run is not over: its outbox is locked")

// disk is an open file that is appended to.
type disk interface {
	io.WriteCloser
	Sync() error
}

// lockFile takes the lock that a living run has on its outbox. The kernel gives
// it back when the file is closed.
func lockFile(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	return nil
}

// syncDir makes the names in a folder durable.
func syncDir(in *os.Root) error {
	f, err := in.Open(".")
	if err != nil {
		return fmt.Errorf("opening the run's directory: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("syncing the run's directory: %w", err)
	}
	return nil
}
