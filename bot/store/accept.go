// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:53:21Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#one-command

package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Intake is the queue of accepted commands.
const Intake = "intake"

// maxBatch is how many commands share one transaction, and so one sync.
const maxBatch = 256

// patience is how long a command waits for the disk, so that its answer is
// Slack's within its three seconds.
const patience = 2500 * time.Millisecond

var errLate = errors.New("the disk does not answer")

// ErrClosed is what a command gets that came too late to be stored.
var ErrClosed = errors.New("the bot is stopping")

// entry is a command on its way to the disk.
type entry struct {
	key      [32]byte // of its body
	body     []byte
	taken    atomic.Bool // by the committer, or by its caller who gave up
	repeated bool
	done     chan error
}

// Accept puts a command into the queue Intake, synced, under the key of its body.
// One whose body was accepted before, within Remembered, is repeated, and is not
// queued again. When it was not begun to be stored within 2.5 seconds, or before
// the context ended, it is not.
func (s *Store) Accept(ctx context.Context, key [32]byte, body []byte) (repeated bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	e := &entry{key: key, body: body, done: make(chan error, 1)}
	entries, given := s.entries, error(nil)
	for given == nil {
		select {
		case entries <- e:
			entries = nil
		case err := <-e.done:
			return e.repeated, err
		case <-ctx.Done():
			given = context.Cause(ctx)
		case <-s.stopped:
			given = ErrClosed
		}
	}
	if !e.taken.CompareAndSwap(false, true) { // else the committer leaves it alone
		err := <-e.done // it is being stored: what becomes of it must be known
		return e.repeated, err
	}
	return false, fmt.Errorf("storing a command: %w", given)
}

// commit stores entries, all that wait in one transaction.
func (s *Store) commit(ctx context.Context) {
	defer close(s.stopped)
	for {
		var all []*entry
		select {
		case e := <-s.entries:
			all = append(all, e)
		case <-ctx.Done():
			return
		}
		for more := true; more && len(all) < maxBatch; {
			select {
			case e := <-s.entries:
				all = append(all, e)
			default:
				more = false
			}
		}
		s.store(context.WithoutCancel(ctx), all)
	}
}

// store stores the entries whose callers still wait.
func (s *Store) store(ctx context.Context, all []*entry) {
	taken := all[:0]
	for _, e := range all {
		if e.taken.CompareAndSwap(false, true) {
			taken = append(taken, e)
		}
	}
	if len(taken) == 0 {
		return
	}
	err := s.change(ctx, s.base.transactionNow, func(t *Tx) error {
		for _, e := range taken {
			if err := t.accept(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("storing a command: %w", err)
	}
	s.mu.Lock()
	s.failed = err
	s.mu.Unlock()
	for _, e := range taken {
		e.done <- err
	}
}

// accept queues a command, unless its body is known.
func (t *Tx) accept(e *entry) error {
	const remember = "insert into seen (key, at) values (?, ?) on conflict do nothing"
	result, err := t.tx.ExecContext(t.ctx, t.store.base.bind(remember), e.key[:], t.store.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("remembering a command: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("remembering a command: %w", err)
	}
	if e.repeated = n == 0; e.repeated {
		return nil
	}
	return t.Send(Intake, e.body, 0)
}
