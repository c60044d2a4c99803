// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:56Z
// Spec: openspec/specs/lab/spec.md#requirement-root-file-system
// Diagram: openspec/specs/lab/diagram.md#parts

// Package rootfs builds and caches the root file system that simulated guests boot from, together with a
// package repository inside it, from which a guest without network installs packages. A table has a recipe
// for each family of systems.
package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrMissing says that the cache holds no root file system of the current recipe.
var ErrMissing = errors.New("the lab's root file system is not in the cache")

// Path returns where the root file system of the current recipe lies in cache, whether or not it exists.
func Path(cache string) (string, error) {
	_, dir, err := families[0].in(cache)
	return dir, err
}

// Find returns the root file system's directory, or an error that wraps ErrMissing when it was not built yet.
func Find(cache string) (string, error) {
	dir, err := Path(cache)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("%w (%s); run: make tools", ErrMissing, dir)
	}
	return dir, nil
}

// Ensure returns the root file system's directory and builds it first when the cache lacks it, which takes
// a minute or two and about 450 MB. Steps and the output of the tools go to progress. It must run as root
// for a build. Concurrent callers, also in other processes, wait for one build.
func Ensure(ctx context.Context, cache string, progress io.Writer) (string, error) {
	return families[0].ensure(ctx, cache, progress)
}

// in says where in a cache the family's root file system lies.
func (f family) in(cache string) (recipe, string, error) {
	r, err := f.recipe()
	if err != nil {
		return nil, "", err
	}
	return r, filepath.Join(cache, "rootfs-"+r.digest()), nil
}

func (f family) ensure(ctx context.Context, cache string, progress io.Writer) (string, error) {
	r, dir, err := f.in(cache)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, f.check(dir)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("making the cache: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(cache, "rootfs.lock"), progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, f.check(dir) // built while we waited
	}
	if err := f.buildInto(ctx, r, dir, progress); err != nil {
		return "", fmt.Errorf("building the lab's root file system: %w", err)
	}
	return dir, nil
}

// buildInto builds beside dir and renames into it, so that dir is whole or absent. The lock is held: what
// an interrupted build left is removed.
func (f family) buildInto(ctx context.Context, r recipe, dir string, progress io.Writer) error {
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("removing an interrupted build: %w", err)
	}
	began := time.Now()
	b := builder{recipe: r, root: partial, progress: progress}
	err := b.build(ctx)
	if err == nil {
		err = f.check(partial)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	unix.Sync() // a rename may reach the disk before the files of the tree do
	if err := os.Rename(partial, dir); err != nil {
		return errors.Join(fmt.Errorf("publishing: %w", err), os.RemoveAll(partial))
	}
	fmt.Fprintf(progress, "root file system ready after %s: %s\n", time.Since(began).Round(time.Second), dir)
	return nil
}

// lockPoll is how often a waiting process tries the lock again.
const lockPoll = 200 * time.Millisecond

// lock takes the build lock or waits for it until ctx ends. The kernel frees it when its holder dies.
func lock(ctx context.Context, path string, progress io.Writer) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the build lock: %w", err)
	}
	for said := false; ; said = true {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("taking the build lock %s: %w", path, err), file.Close())
		}
		if !said {
			fmt.Fprintln(progress, "waiting for another process that builds the root file system")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for the build lock %s: %w", path, context.Cause(ctx)), file.Close())
		case <-time.After(lockPoll):
		}
	}
}
