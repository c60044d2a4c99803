// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:26:41Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// memoryDir takes the place of a lab directory that lies on an overlay.
const memoryDir = "/dev/shm/packer-hybrid-labs"

// newSecret makes a password of 26 random characters (128 bits and more). The prefix says what it is for
// and makes it unlike any word, since Packer masks each occurrence of a password in its output.
func newSecret(purpose string) string { return "lab-" + purpose + "-" + rand.Text() }

// writableLayerDir returns dir, or the directory instead when the kernel would refuse writable layers in
// dir: an overlay cannot lie on an overlay, and a container's own files usually do.
func writableLayerDir(dir, instead string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the directory of labs: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "", fmt.Errorf("looking at the file system of %s: %w", dir, err)
	}
	if fs.Type != unix.OVERLAYFS_SUPER_MAGIC {
		return dir, nil
	}
	if err := os.MkdirAll(instead, 0o700); err != nil {
		return "", fmt.Errorf("%s lies on an overlay, on which guests cannot run, and so does %s: %w; name another directory",
			dir, instead, err)
	}
	if err := checkOwnDir(instead); err != nil { // everybody may make folders there
		return "", fmt.Errorf("making the directory of labs: %w", err)
	}
	return instead, nil
}

// labDir is the directory of one lab, locked for as long as the lab's process lives.
type labDir struct {
	path string
	lock *os.File
}

// newLabDir makes and locks a directory below parent, and removes those of labs that were killed.
func newLabDir(ctx context.Context, parent string) (*labDir, error) {
	gate, err := takeLock(ctx, filepath.Join(parent, "gate"))
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	if err := removeDead(parent); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, "lab-")
	if err != nil {
		return nil, fmt.Errorf("making the lab's directory: %w", err)
	}
	lock, err := takeLock(ctx, filepath.Join(path, "lock"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &labDir{path: path, lock: lock}, nil
}

// remove removes the directory and then gives up its lock.
func (d *labDir) remove() error {
	err := os.RemoveAll(d.path)
	return errors.Join(err, d.lock.Close())
}

// make makes a directory below the lab's.
func (d *labDir) make(mode os.FileMode, elements ...string) (string, error) {
	path := filepath.Join(append([]string{d.path}, elements...)...)
	if err := os.MkdirAll(path, mode); err != nil {
		return "", fmt.Errorf("making a directory of the lab: %w", err)
	}
	return path, nil
}

// removeDead removes the directories of labs whose processes are gone. The caller holds the gate, so that a
// lab that is just being made is not taken for a dead one.
func removeDead(parent string) error {
	labs, err := filepath.Glob(filepath.Join(parent, "lab-*"))
	if err != nil {
		return fmt.Errorf("looking for dead labs: %w", err)
	}
	for _, path := range labs {
		alive, err := locked(filepath.Join(path, "lock"))
		if err != nil || alive {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing a dead lab: %w", err)
		}
	}
	return nil
}

// locked reports whether a process holds the lock file; a missing one is not held.
func locked(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking at a lock: %w", err)
	}
	defer file.Close()
	switch err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil:
		return false, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		return true, nil
	default:
		return false, fmt.Errorf("looking at the lock %s: %w", path, err)
	}
}

// takeLock locks a file, waiting until ctx ends. Closing the file, or the end of the process, unlocks it.
func takeLock(ctx context.Context, path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a lock: %w", err)
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, context.Cause(ctx)), file.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
