// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:08:37Z
// Spec: openspec/specs/state/spec.md#requirement-a-state-moves-to-another-backend
// Diagram: openspec/specs/state/diagram.md#migrate

// Package transfer copies the objects of one state to another: to move a state to
// another backend, to have a copy of it in a folder, and to put back what is missing.
// An object that is there is never written over.
package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Bounds of what is put at once where a backend takes many objects.
const (
	mostObjects = 200
	mostBytes   = 8 << 20
	atOnce      = 1000 // objects that are brought near at once
)

// rounds bounds how often a state is looked through that others change meanwhile.
const rounds = 5

// Progress is told how many objects of how many are done with.
type Progress func(doing string, done, all int)

// Copied is what a copy came to.
type Copied struct {
	Objects  int      `json:"objects"`            // that the source has
	Put      int      `json:"put"`                // of them now
	Verified bool     `json:"verified,omitempty"` // both were compared
	Skipped  []string `json:"skipped,omitempty"`  // what lies beside them and is no object
}

// copying is a copy from one backend to another.
type copying struct {
	from, to state.Backend
	tell     Progress
	came     Copied
}

// everything copies what the target has not, until the source has nothing new. What others
// refer to comes before them, so that a copy that ends half-way holds no dangling one.
func (c *copying) everything(ctx context.Context) error {
	for range rounds {
		want, skipped, err := names(ctx, c.from)
		if err != nil {
			return err
		}
		have, _, err := names(ctx, c.to)
		if err != nil {
			return err
		}
		there := map[string]bool{}
		for _, name := range have {
			there[name] = true
		}
		c.came.Objects, c.came.Skipped = len(want), skipped
		missing := slices.DeleteFunc(want, func(name string) bool { return there[name] })
		if len(missing) == 0 {
			return nil
		}
		slices.SortStableFunc(missing, func(a, b string) int { return rank(a) - rank(b) })
		if err := c.some(ctx, missing); err != nil {
			return err
		}
	}
	return hybridcore.Blockedf("the state is written by others all the time; run again when no run is at work: what was " +
		"copied is kept")
}

// names lists the objects, and what lies beside them and is none.
func names(ctx context.Context, b state.Backend) (objects, others []string, err error) {
	for name, err := range b.List(ctx, "") {
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("listing a state: %w", err)
		case state.CheckObject(name) != nil:
			others = append(others, name)
		default:
			objects = append(objects, name)
		}
	}
	return objects, others, nil
}

// rank is the order in which objects are copied.
func rank(name string) int {
	order := []state.Kind{
		state.KindLease, state.KindTicket, state.KindSeen,
		state.KindAttachment, state.KindUnknown, state.KindRecord, state.KindSnapshot,
	}
	return slices.Index(order, state.KindOf(name))
}

// some copies objects of these names.
func (c *copying) some(ctx context.Context, missing []string) error {
	done := 0
	for near := range slices.Chunk(missing, atOnce) {
		if err := ahead(ctx, c.from, near); err != nil {
			return err
		}
		batch, size := map[string][]byte{}, 0
		for i, name := range near {
			data, err := c.from.Get(ctx, name)
			switch {
			case errors.Is(err, fs.ErrNotExist): // as generations are that others came after
			case err != nil:
				return fmt.Errorf("copying %s: %w", name, err)
			default:
				batch[name], size = data, size+len(data)
			}
			_, can := c.to.(state.Many)
			if can && i < len(near)-1 && len(batch) < mostObjects && size < mostBytes {
				continue
			}
			if err := c.put(ctx, batch); err != nil {
				return err
			}
			batch, size = map[string][]byte{}, 0
			c.tell("copied", done+i+1, len(missing))
		}
		done += len(near)
	}
	return nil
}

// ahead brings objects near, where the backend can.
func ahead(ctx context.Context, b state.Backend, names []string) error {
	many, can := b.(state.Many)
	if !can {
		return nil
	}
	if err := many.Ahead(ctx, names); err != nil {
		return fmt.Errorf("reading a state: %w", err)
	}
	return nil
}

// put stores objects. What somebody has put meanwhile stays, and is compared later.
func (c *copying) put(ctx context.Context, batch map[string][]byte) error {
	var err error
	if many, can := c.to.(state.Many); can {
		err = many.PutAll(ctx, batch)
	} else {
		for name, data := range batch { // one
			err = c.to.Put(ctx, name, data)
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
	case err != nil:
		return fmt.Errorf("storing: %w", err)
	default:
		c.came.Put += len(batch)
	}
	return nil
}

// Verify compares each object of a state with that of another, which must have it.
func Verify(ctx context.Context, from, to *state.Store, tell Progress) error {
	return verify(ctx, from.Objects(), to.Objects(), tell)
}

func verify(ctx context.Context, from, to state.Backend, tell Progress) error {
	all, _, err := names(ctx, from)
	if err != nil {
		return err
	}
	done := 0
	for near := range slices.Chunk(all, atOnce) {
		if err := errors.Join(ahead(ctx, from, near), ahead(ctx, to, near)); err != nil {
			return err
		}
		for _, name := range near {
			if err := same(ctx, from, to, name); err != nil {
				return err
			}
			done++
			tell("verified", done, len(all))
		}
	}
	return nil
}

// same compares one object.
func same(ctx context.Context, from, to state.Backend, name string) error {
	want, err := from.Get(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("comparing %s: %w", name, err)
	}
	switch got, err := to.Get(ctx, name); {
	case errors.Is(err, fs.ErrNotExist):
		return hybridcore.Blockedf("%s is not in the copy: somebody removed it; run again", name)
	case err != nil:
		return fmt.Errorf("comparing %s: %w", name, err)
	case !bytes.Equal(want, got):
		return hybridcore.Blockedf("%s is another one in the copy, and nothing is written over: look at both; the source is "+
			"as before", name)
	}
	return nil
}

// newest are the numbers of the newest generations, by folder.
func newest(names []string) map[string]uint64 {
	of := map[string]uint64{}
	for _, name := range names {
		if folder, n := state.Numbered(name); n > 0 {
			of[folder] = max(of[folder], n)
		}
	}
	return of
}

// Copy gives the content of an object another name, which nothing has yet.
func Copy(ctx context.Context, s *state.Store, from, to string) error {
	for _, name := range []string{from, to} {
		if state.KindOf(name) == state.KindUnknown {
			return hybridcore.Usagef("%.200q is no object of a state; docs/state.md has their names", name)
		}
	}
	if state.KindOf(from) != state.KindOf(to) {
		return hybridcore.Usagef("%s is a %s and %s would be a %s", from, state.KindOf(from), to, state.KindOf(to))
	}
	data, err := s.Objects().Get(ctx, from)
	if errors.Is(err, fs.ErrNotExist) {
		return hybridcore.Usagef("there is no object %s in %s", from, path.Dir(from))
	}
	if err == nil {
		err = state.Examine(to, data)
	}
	if form, ok := errors.AsType[state.FormError](err); ok {
		return hybridcore.Blockedf("%s would not be usable as %s: %s", from, to, form)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	switch err := s.Objects().Put(ctx, to, data); {
	case errors.Is(err, fs.ErrExist):
		return hybridcore.Blockedf("there is an object %s, and nothing is written over: take the next number", to)
	case err != nil:
		return fmt.Errorf("storing %s: %w", to, err)
	}
	return nil
}
