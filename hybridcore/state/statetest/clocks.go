// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:52:00Z
// Spec: openspec/specs/leases/spec.md#requirement-clocks-that-differ
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package statetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// clock is one that a test sets: the time of day may jump, up may not.
type clock struct {
	wall time.Time
	up   time.Duration
}

func (c *clock) read() (time.Time, time.Duration) { return c.wall, c.up }

func (c *clock) pass(d time.Duration) { c.wall, c.up = c.wall.Add(d), c.up+d }

// two are two hosts that use one state. Nothing tells either whether a process of the other lives.
type two struct {
	t           *testing.T
	here, there *clock
	a, b        *state.Store
	held        *state.Held // of a process on the host a
}

func newTwo(t *testing.T, o opened, can state.Capabilities) *two {
	t.Helper()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	w := &two{t: t, here: &clock{wall: noon}, there: &clock{wall: noon}}
	w.a, w.b = state.Elsewhere(o.b, can, "ci-a", w.here.read), state.Elsewhere(o.b, can, "ci-b", w.there.read)
	var err error
	if w.held, err = w.a.Acquire(t.Context(), Lease("run-a")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *two) pass(d time.Duration) { w.here.pass(d); w.there.pass(d) }

// kept says that the holder keeps its lease from the other host, or from another process of its own.
func (w *two) kept(when string, by *state.Store, why string) {
	w.t.Helper()
	var other *state.HeldError
	if _, err := by.Acquire(w.t.Context(), Lease("run-b")); !errors.As(err, &other) || !strings.Contains(other.Why, why) {
		w.t.Errorf("%s: %v; want a holder of which is said %q", when, err, why)
	}
	if err := w.held.Renew(w.t.Context()); err != nil {
		w.t.Errorf("%s, the holder: %v", when, err)
	}
}

// taken says that another takes the lease, and that the former holder is none any more: what it does is not stored.
func (w *two) taken(when string, by *state.Store) {
	w.t.Helper()
	ctx := w.t.Context()
	next, err := by.Acquire(ctx, Lease("run-b"))
	if err != nil {
		w.t.Errorf("%s: %v", when, err)
		return
	}
	if past := next.Past(); len(past) != 1 || past[0].RunID != "run-a" {
		w.t.Errorf("%s: the past is %+v", when, past)
	}
	_, lost := errors.AsType[*state.LostError](w.held.Renew(ctx))
	_, gone := errors.AsType[*state.LostError](w.a.Update(ctx, func(s *hybridcore.Snapshot) error {
		return errors.Join(Put("lab/debian-12@vsphere")(s), w.held.Check(ctx))
	}))
	if !lost || !gone {
		w.t.Errorf("%s: the former holder still renews (%t) or stores (%t)", when, !lost, !gone)
	}
	if snapshot, err := by.Read(ctx); err != nil || len(snapshot.Targets) > 0 {
		w.t.Errorf("%s: in the snapshot is %+v, %v", when, snapshot.Targets, err)
	}
	if err := next.Check(ctx); err != nil {
		w.t.Errorf("%s: the new holder: %v", when, err)
	}
}

// clocksOfTheHolder jump by an hour while it holds a lease.
func clocksOfTheHolder(t *testing.T, o opened) {
	w := newTwo(t, o, state.Capabilities{Guide: o.can.Guide})
	w.here.wall = w.here.wall.Add(-time.Hour)
	w.pass(4 * time.Minute)
	w.kept("set back", w.b, "has renewed it")
	w.pass(9 * time.Minute) // since the renewal: as long as clocks may differ
	w.kept("set back, and long ago", w.b, "has renewed it")
	w.here.wall = w.here.wall.Add(2 * time.Hour)
	if err := w.held.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	w.pass(30 * time.Minute)
	w.kept("set forward", w.b, "the clock of that host or of this one is wrong")
	w.pass(state.Term + state.Skew + time.Hour)
	w.taken("set forward, and not renewed for so long", w.b)
}

// clockOfTheOther jumps by an hour, on the other host or for another process of the holder's.
func clockOfTheOther(t *testing.T, o opened) {
	w := newTwo(t, o, state.Capabilities{Guide: o.can.Guide})
	w.there.wall = w.there.wall.Add(state.Skew - time.Second)
	w.kept("ahead by less than is tolerated", w.b, "has renewed it")
	w.there.wall = w.there.wall.Add(2*time.Second - 2*state.Skew)
	w.kept("behind by less than is tolerated", w.b, "has renewed it")
	w.there.wall = w.here.wall.Add(-time.Hour)
	w.kept("behind by an hour", w.b, "the clock of that host or of this one is wrong")
	w.there.wall = w.here.wall.Add(time.Hour)
	w.taken("ahead by an hour", w.b)
}

// clockOfTheHost jumps by an hour for another process on the host of the holder: where it is known that the holder
// lives nothing else counts.
func clockOfTheHost(t *testing.T, o opened) {
	w := newTwo(t, o, o.can)
	late := &clock{wall: w.here.wall.Add(-time.Hour)}
	same := state.Elsewhere(o.b, o.can, "ci-a", late.read)
	if o.can.Liveness != nil {
		w.kept("behind by an hour", same, "its process holds the lock")
		late.wall = w.here.wall.Add(time.Hour)
		w.kept("ahead by an hour", same, "its process holds the lock")
		return
	}
	w.kept("behind by an hour", same, "the clock of that host or of this one is wrong")
	late.wall = w.here.wall.Add(time.Hour)
	w.taken("ahead by an hour", same)
}
