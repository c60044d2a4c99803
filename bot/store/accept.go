// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:53:21Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#one-command

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Intake is the queue of accepted commands.
const Intake = "intake"

const (
	maxBatch = 256      // commands that share one sync
	maxHeld  = 64 << 10 // bytes for the body of a batch, held while nothing comes
)

// patience is how long a command waits for the disk, so that its answer is
// Slack's within its three seconds.
const patience = 2500 * time.Millisecond

var errLate = errors.New("the disk does not answer")

// ErrClosed is what a command gets that came too late to be stored.
var ErrClosed = errors.New("the bot is stopping")

// entry is a command on its way to the disk.
type entry struct {
	key   [32]byte // of its body
	body  []byte
	taken atomic.Bool // by the committer, or by its caller who gave up
	done  chan error
	late  *time.Timer
}

// entry makes an entry, of one that was used before when there is one.
func (s *Store) entry(key [32]byte, body []byte) *entry {
	e, _ := s.used.Get().(*entry)
	if e == nil {
		e = &entry{done: make(chan error, 1), late: time.NewTimer(patience)}
	}
	e.key, e.body = key, body
	e.taken.Store(false)
	e.late.Reset(patience)
	return e
}

// Accept stores a command, synced, under the key of its body; Unpack puts it
// into the queue Intake. When it was not begun to be stored within 2.5 seconds,
// or before the context ended, it is not.
func (s *Store) Accept(ctx context.Context, key [32]byte, body []byte) error {
	e := s.entry(key, body)
	entries, given := s.entries, error(nil)
	for given == nil {
		select {
		case entries <- e:
			entries = nil
		case err := <-e.done:
			e.late.Stop()
			e.body = nil
			s.used.Put(e)
			return err
		case <-e.late.C:
			given = errLate
		case <-ctx.Done():
			given = ctx.Err()
		case <-s.stopped:
			given = ErrClosed
		}
	}
	if !e.taken.CompareAndSwap(false, true) { // else the committer leaves it alone
		return <-e.done // it is being stored: what becomes of it must be known
	}
	return fmt.Errorf("storing a command: %w", given)
}

// commit stores entries, all that wait in one row of the table batch: whether a
// command came before, is looked up when nobody waits for an acknowledgement.
func (s *Store) commit(ctx context.Context) {
	defer close(s.stopped)
	all := make([]*entry, 0, maxBatch)
	var body []byte
	for {
		select {
		case e := <-s.entries:
			all = append(all[:0], e)
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
		body = s.store(context.WithoutCancel(ctx), all, body[:0])
		clear(all) // bodies are not held while nothing comes
		if cap(body) > maxHeld {
			body = nil
		}
	}
}

// store stores the entries of a batch whose callers still wait, and gives back
// the memory that it made the row's body in.
func (s *Store) store(ctx context.Context, all []*entry, body []byte) []byte {
	taken := all[:0]
	for _, e := range all {
		if e.taken.CompareAndSwap(false, true) {
			taken, body = append(taken, e), pack(body, e)
		}
	}
	if len(taken) == 0 {
		return body
	}
	_, err := s.keep.ExecContext(ctx, len(taken), body)
	s.mu.Lock()
	s.failed = err
	s.mu.Unlock()
	if err == nil {
		s.accepted.Store(time.Now().UnixNano())
		signal(s.arrived)
	} else {
		err = fmt.Errorf("storing a command: %w", err)
	}
	for _, e := range taken {
		e.done <- err
	}
	return body
}

// pack appends a command to the body of a batch: its key, its length, itself.
func pack(to []byte, e *entry) []byte {
	to = append(to, e.key[:]...)
	to = binary.AppendUvarint(to, uint64(len(e.body)))
	return append(to, e.body...)
}

// unpack takes the first command off the body of a batch.
func unpack(from []byte) (key, body, rest []byte, err error) {
	const size = len(entry{}.key)
	if len(from) > size {
		n, width := binary.Uvarint(from[size:])
		if start := size + width; width > 0 && n <= uint64(len(from)-start) {
			end := start + int(n)
			return from[:size], from[start:end], from[end:], nil
		}
	}
	return nil, nil, nil, errors.New("a batch of commands is broken")
}

// Unpack puts accepted commands into the queue Intake until the context ends.
// One whose body was accepted before, within Remembered, is dropped; repeated
// hears of it, and failed of errors.
func (s *Store) Unpack(ctx context.Context, repeated func(body []byte), failed func(Task, error)) {
	s.loop(ctx, s.arrived, func(ctx context.Context) bool {
		some, dropped, err := s.unpackSome(ctx)
		err = errors.Join(err, hybridcore.Contain(func() error {
			for _, body := range dropped {
				repeated(body)
			}
			return nil
		}))
		if err != nil {
			failed(Task{Queue: Intake}, err)
		}
		return some
	})
}

// unpackSome takes the oldest batches apart. They are few: who waits for an
// acknowledgement may wait for this transaction.
func (s *Store) unpackSome(ctx context.Context) (some bool, dropped [][]byte, err error) {
	var broken error
	err = s.Change(ctx, func(t *Tx) error {
		all, err := t.takeBatches()
		if err != nil {
			return err
		}
		some = len(all) > 0
		for _, left := range all {
			for len(left) > 0 {
				var key, body []byte
				if key, body, left, err = unpack(left); err != nil {
					broken = err
					break
				}
				fresh, err := t.remember(key)
				if err != nil {
					return err
				}
				if !fresh {
					dropped = append(dropped, body)
				} else if err := t.Send(Intake, body, 0); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return false, nil, fmt.Errorf("taking commands apart: %w", err)
	}
	return some, dropped, broken
}

// takeBatches takes the oldest batches out of their table, oldest first.
func (t *Tx) takeBatches() (bodies [][]byte, failed error) {
	oldest := "select id from batch order by id limit 8"
	if t.store.postgres {
		oldest += " for update skip locked" // another bot may be at them
	}
	rows, err := t.tx.QueryContext(t.ctx, "delete from batch where id in ("+oldest+") returning id, body")
	if err != nil {
		return nil, fmt.Errorf("reading commands: %w", err)
	}
	defer func() { failed = errors.Join(failed, rows.Close()) }()
	all := map[int64][]byte{}
	for rows.Next() {
		var id int64
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fmt.Errorf("reading commands: %w", err)
		}
		all[id] = body
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading commands: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		bodies = append(bodies, all[id])
	}
	return bodies, nil
}

// remember says whether a command's body is new, and remembers it.
func (t *Tx) remember(key []byte) (bool, error) {
	result, err := t.tx.ExecContext(t.ctx, t.store.bind("insert into seen (key, at) values (?, ?) on conflict do nothing"),
		key, t.store.now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("remembering a command: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("remembering a command: %w", err)
	}
	return n > 0, nil
}
