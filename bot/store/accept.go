// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:53:21Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#one-command

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"maragu.dev/goqite"
)

// Intake is the queue of accepted commands.
const Intake = "intake"

// maxBatch bounds how many commands share one sync.
const maxBatch = 256

// ErrClosed is what a command gets that came too late to be stored.
var ErrClosed = errors.New("the bot is stopping")

// entry is a command on its way to the disk.
type entry struct {
	key   [32]byte // of its body
	body  []byte
	taken atomic.Bool // by the committer, or by its caller who gave up
	done  chan outcome
}

// outcome is how it went.
type outcome struct {
	fresh bool
	err   error
}

// Accept stores a command, synced, and puts it into the queue Intake, unless a
// command with this key was accepted within Remembered: then fresh is false.
// When the context ends before the command was begun to be stored, it is not.
func (s *Store) Accept(ctx context.Context, key [32]byte, body []byte) (fresh bool, err error) {
	e := &entry{key: key, body: body, done: make(chan outcome, 1)}
	select {
	case s.entries <- e:
	case <-ctx.Done():
		return false, fmt.Errorf("storing a command: %w", ctx.Err())
	case <-s.stopped:
		return false, ErrClosed
	}
	select {
	case out := <-e.done:
		return out.fresh, out.err
	case <-ctx.Done():
		if e.taken.CompareAndSwap(false, true) {
			return false, fmt.Errorf("storing a command: %w", ctx.Err())
		}
	case <-s.stopped:
		if e.taken.CompareAndSwap(false, true) {
			return false, ErrClosed
		}
	}
	out := <-e.done // it is being stored: what becomes of it must be known
	return out.fresh, out.err
}

// commit stores entries, all that wait in one transaction.
func (s *Store) commit(ctx context.Context) {
	defer close(s.stopped)
	batch := make([]*entry, 0, maxBatch)
	for {
		select {
		case e := <-s.entries:
			batch = append(batch[:0], e)
		case <-ctx.Done():
			return
		}
		for more := true; more && len(batch) < maxBatch; {
			select {
			case e := <-s.entries:
				batch = append(batch, e)
			default:
				more = false
			}
		}
		s.store(context.WithoutCancel(ctx), batch)
		clear(batch) // bodies are not held while nothing comes
	}
}

// store stores the entries of a batch whose callers still wait.
func (s *Store) store(ctx context.Context, batch []*entry) {
	taken := batch[:0]
	for _, e := range batch {
		if e.taken.CompareAndSwap(false, true) {
			taken = append(taken, e)
		}
	}
	fresh := make([]bool, len(taken))
	err := s.transaction(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, s.bind("insert into seen (key, at) values (?, ?) on conflict do nothing"))
		if err != nil {
			return fmt.Errorf("remembering a command: %w", err)
		}
		defer insert.Close() //nolint:errcheck // ends with the transaction
		var bodies [][]byte
		for i, e := range taken {
			if fresh[i], err = s.remember(ctx, insert, e); err != nil {
				return err
			}
			if fresh[i] {
				bodies = append(bodies, e.body)
			}
		}
		return s.queueAll(ctx, tx, bodies)
	})
	s.mu.Lock()
	s.failed = err
	s.mu.Unlock()
	if err == nil {
		s.accepted.Store(time.Now().UnixNano())
		s.rouse(Intake)
	} else {
		err = fmt.Errorf("storing a command: %w", err)
	}
	for i, e := range taken {
		e.done <- outcome{fresh[i] && err == nil, err}
	}
}

// remember says whether a command's body is new, and remembers it.
func (s *Store) remember(ctx context.Context, insert *sql.Stmt, e *entry) (bool, error) {
	result, err := insert.ExecContext(ctx, e.key[:], s.now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("remembering a command: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("remembering a command: %w", err)
	}
	return n > 0, nil
}

// queueAll queues the commands of a batch: several as one message, which is
// taken apart when nobody waits for an acknowledgement.
func (s *Store) queueAll(ctx context.Context, tx *sql.Tx, bodies [][]byte) error {
	var m goqite.Message
	switch len(bodies) {
	case 0:
		return nil
	case 1:
		m = message(0, bodies[0], 0)
	default:
		all, err := json.Marshal(bodies)
		if err != nil {
			return fmt.Errorf("queueing commands: %w", err)
		}
		m.Body = append([]byte(together+" "), all...)
	}
	if err := s.queue(Intake).SendTx(ctx, tx, m); err != nil {
		return fmt.Errorf("queueing commands: %w", err)
	}
	return nil
}

// together stands where a task has its number of tries: the message holds the
// bodies of several tasks.
const together = "+"

// apart makes the tasks of a message that holds several.
func (s *Store) apart(ctx context.Context, name string, m *goqite.Message, all []byte) error {
	var bodies [][]byte
	if err := json.Unmarshal(all, &bodies); err != nil {
		return fmt.Errorf("taking commands apart: %w", err)
	}
	return s.transaction(ctx, func(tx *sql.Tx) error {
		for _, body := range bodies {
			if err := s.queue(name).SendTx(ctx, tx, message(0, body, 0)); err != nil {
				return fmt.Errorf("taking commands apart: %w", err)
			}
		}
		return s.queue(name).DeleteTx(ctx, tx, m.ID)
	})
}

// message is a task as goqite keeps it: how often it was tried, a blank, its body.
func message(try int, body []byte, delay time.Duration) goqite.Message {
	return goqite.Message{Body: fmt.Appendf(nil, "%d %s", try, body), Delay: max(delay, 0)}
}
