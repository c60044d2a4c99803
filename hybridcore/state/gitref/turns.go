// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:55:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"context"
	"math/rand/v2"
	"time"
)

// Bounds of the pauses by which writers of one ref, who do not know of each other, let each other through.
const (
	leastRoom  = 20 * time.Millisecond
	mostRoom   = 3 * time.Second
	longWait   = 10 * time.Second       // of a change, after which its pauses are a quarter
	mostFree   = 500 * time.Millisecond // the longest pause that no lost race has asked for
	manyInARow = 12                     // changes of a process, without the pause of oneInARow for each
	oneInARow  = 2 * time.Second
)

// turns says when a process pushes. Who has just pushed knows where the ref is, needs no fetch for the next push, and
// would win each race against those who have to fetch first: so who has lost races, or pushes much, leaves room for
// others after each push, and who has waited long leaves less.
type turns struct {
	room  time.Duration // up to which a pause is, at random: it grows with each race that is lost
	ahead time.Time     // until when the changes that were stored last would have taken at one each oneInARow
}

// lost is the pause after a race that was lost, in a change that began then.
func (t *turns) lost(since time.Duration) time.Duration {
	t.room = min(max(2*t.room, leastRoom), mostRoom)
	if since > longWait {
		return rand.N(t.room / 4) //nolint:gosec // no secret
	}
	return rand.N(t.room) //nolint:gosec // no secret
}

// won is the pause after a push that was stored, and took so long. A pause before the next one would come between
// what that rests on and its push.
func (t *turns) won(took time.Duration, now time.Time) time.Duration {
	room := t.room
	t.room = t.room * 3 / 4
	if t.ahead.Before(now) {
		t.ahead = now
	}
	t.ahead = t.ahead.Add(oneInARow)
	if t.ahead.Sub(now) > manyInARow*oneInARow {
		room = max(room, min(took, mostFree))
	}
	if room <= 2*leastRoom {
		return 0
	}
	return rand.N(room) //nolint:gosec // no secret
}

// rest waits, unless the context ends before.
func rest(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // by the caller
	}
}

// sole lets one caller in at a time. It is made with room for one.
type sole chan struct{}

// enter waits until nobody else is in, which may take minutes, or the context ends.
func (s sole) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // by the caller
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // by the caller
	}
}

func (s sole) leave() { <-s }
