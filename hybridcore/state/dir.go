// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-one-writer-at-a-time
// Diagram: openspec/specs/state/diagram.md#directory

package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Dir keeps the state in a directory of this host. Its methods may be called
// by several goroutines, and several processes may have the directory open.
type Dir struct {
	path string
	root *os.Root
	host host
	// clock is all that leases know of time: the wall clock, and the time since
	// the state was opened, which nobody can set.
	clock func() (wall time.Time, up time.Duration)

	mu      sync.Mutex
	lineage string // of the snapshot on disk, once it was seen
	fresh   string // of the snapshot that is made when there is none

	held sync.Map // *Held: a lease that its holder forgets must not lose its lock to the garbage collector
}

// Open opens the state in a directory, which it creates (mode 0700) when it is
// missing, and removes what a killed writer left. A path that is no directory
// is a UsageError.
func Open(path string) (*Dir, error) {
	if path == "" {
		return nil, hybridcore.Usagef("the state directory's path is empty")
	}
	path = filepath.Clean(path)
	if err := makeDirs(path); err != nil {
		return nil, err
	}
	d, err := View(path)
	if err == nil {
		d.clean()
	}
	return d, err
}

// View opens the state in a directory only to read it: nothing is created or
// removed. A missing directory gives an error that is fs.ErrNotExist.
func View(path string) (*Dir, error) {
	path = filepath.Clean(path)
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	opened := time.Now()
	return &Dir{path: path, root: root, host: thisHost(), fresh: hex.EncodeToString(b[:]), clock: func() (time.Time, time.Duration) {
		now := time.Now()
		return now.UTC().Round(0), now.Sub(opened)
	}}, nil
}

// now is the time of day.
func (d *Dir) now() time.Time {
	wall, _ := d.clock()
	return wall
}

// makeDirs creates a directory and its parents.
func makeDirs(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil, errors.Is(err, syscall.ENOTDIR):
		return hybridcore.Usagef("state directory %s: there is a file of that name; give another directory or move the file away", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("opening the state directory: %w", err)
	}
	if err := makeDirs(filepath.Dir(path)); err != nil {
		return err
	}
	err = makeDir(path, filepath.Dir(path))
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return &hybridcore.BlockedError{Msg: "state directory " + path + " cannot be created; give this user write permission or another directory", Err: err}
	}
	return err
}

// clean removes temporary files of killed writers. All of them are written
// under the lock: whoever holds it knows that those that exist are older. When
// a writer is at work, or the directory cannot be written, they stay and are ignored.
func (d *Dir) clean() {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil || !hasTemp(entries) {
		return
	}
	lock, free, err := d.tryLock()
	if err != nil || !free {
		return
	}
	defer func() { _ = lock.Unlock() }() // closing frees it in any case
	entries, _ = fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			_ = d.root.Remove(e.Name()) // ignored by everybody, tried again at the next Open
		}
	}
}

func hasTemp(entries []fs.DirEntry) bool {
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			return true
		}
	}
	return false
}
