// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:01:40Z
// Spec: openspec/specs/state/spec.md#requirement-numbered-generations
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// former is how many generations are kept besides the newest.
const former = 3

// tries bounds how often a folder is listed that others change meanwhile.
const tries = 10

// Chain is something that changes: a folder of numbered generations, of which
// the newest counts.
type Chain struct {
	B      Backend
	Folder string // ends with '/'
}

// Generation is the name of a generation in a folder, which ends with '/'.
func Generation(folder string, n uint64) string { return fmt.Sprintf("%s%08d", folder, n) }

func (c Chain) name(n uint64) string { return Generation(c.Folder, n) }

// number is that of a name; 0 for what is no generation.
func (c Chain) number(name string) uint64 {
	folder, n := Numbered(name)
	if folder != c.Folder {
		return 0
	}
	return n
}

// numbers lists the generations, the newest last.
func (c Chain) numbers(ctx context.Context) ([]uint64, error) {
	var all []uint64
	for name, err := range c.B.List(ctx, c.Folder) {
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", c.Folder, err)
		}
		if n := c.number(name); n > 0 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Newest reads the newest generation; 0 when there is none. An error of reading
// it comes with its number.
func (c Chain) Newest(ctx context.Context) (uint64, []byte, error) {
	var n uint64
	var err error
	for range tries { // it may be removed between list and get, by writers that are faster
		all, failed := c.numbers(ctx)
		if failed != nil || len(all) == 0 {
			return 0, nil, failed
		}
		n = all[len(all)-1]
		var data []byte
		if data, err = c.B.Get(ctx, c.name(n)); !errors.Is(err, fs.ErrNotExist) {
			return n, data, err
		}
	}
	return n, nil, err
}

// Next puts the generation after n, and removes all but the former ones. False
// says that somebody else was faster, and that nothing was stored. Descends says
// whether a later generation came after the one that is put.
func (c Chain) Next(ctx context.Context, n uint64, data []byte, descends func(later []byte) bool) (bool, error) {
	err := c.B.Put(ctx, c.name(n+1), data)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	all, err := c.confirm(ctx, n+1)
	if err != nil {
		return false, errors.Join(err, c.takeBack(ctx, n+1))
	}
	last := all[len(all)-1]
	if last > n+1+former {
		// The number may have been free because it was used and removed while this
		// process slept: then what was put has no successor.
		_, later, err := c.Newest(ctx)
		if err != nil || !descends(later) {
			return false, errors.Join(err, c.takeBack(ctx, n+1))
		}
	}
	for _, old := range all {
		if old+former < last {
			_ = c.B.Delete(ctx, c.name(old)) // the next one tries again
		}
	}
	return true, nil
}

// confirm lists the generations after n was put: n is among them, or later ones
// are. One failure must not undo what is stored.
func (c Chain) confirm(ctx context.Context, n uint64) (all []uint64, err error) {
	ctx = context.WithoutCancel(ctx) // it is stored: whether it counts must be known
	for range tries {
		all, err = c.numbers(ctx)
		if err == nil && len(all) > 0 && all[len(all)-1] >= n {
			return all, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("%s is not listed after it was put", c.name(n))
	}
	return nil, err
}

// takeBack removes a generation that was put, but does not count.
func (c Chain) takeBack(ctx context.Context, n uint64) error {
	if err := c.B.Delete(context.WithoutCancel(ctx), c.name(n)); err != nil {
		return fmt.Errorf("taking %s back, which is now in place: %w", c.name(n), err)
	}
	return nil
}
