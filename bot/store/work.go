// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:53:21Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"maragu.dev/goqite"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Task is one piece of work from a queue.
type Task struct {
	Queue string
	Body  []byte
	Try   int // how often it was put back; 0 at first
	id    goqite.ID
	ended *atomic.Bool // finished or put back
}

// Tx is one transaction.
type Tx struct {
	ctx   context.Context //nolint:containedctx // a transaction is of one context
	tx    *sql.Tx
	store *Store
	woken []string
	ended []Task
}

// Change runs do in one transaction: all that it does happens, or nothing. It
// must not wait for anything but the store.
func (s *Store) Change(ctx context.Context, do func(*Tx) error) error {
	return s.change(ctx, s.base.transaction, do)
}

// change is Change by a transaction at its turn, or at once.
func (s *Store) change(ctx context.Context, transaction func(context.Context, func(*sql.Tx) error) error,
	do func(*Tx) error,
) error {
	t := &Tx{ctx: ctx, store: s}
	err := transaction(ctx, func(tx *sql.Tx) error {
		t.tx = tx
		return do(t)
	})
	if err == nil {
		for _, task := range t.ended {
			task.ended.Store(true)
		}
		s.rouse(t.woken...)
	}
	return err
}

// Send puts a task into a queue, to be worked off after the delay.
func (t *Tx) Send(queue string, body []byte, delay time.Duration) error {
	return t.send(queue, 0, body, delay)
}

func (t *Tx) send(queue string, try int, body []byte, delay time.Duration) error {
	if err := t.store.queue(queue).SendTx(t.ctx, t.tx, message(try, body, delay)); err != nil {
		return fmt.Errorf("queueing for %s: %w", queue, err)
	}
	if delay <= 0 {
		t.woken = append(t.woken, queue)
	}
	return nil
}

// Finish takes a task out of its queue. What follows from it belongs into the
// same transaction.
func (t *Tx) Finish(task Task) error {
	if err := t.store.queue(task.Queue).DeleteTx(t.ctx, t.tx, task.id); err != nil {
		return fmt.Errorf("finishing a task of %s: %w", task.Queue, err)
	}
	t.ended = append(t.ended, task)
	return nil
}

// Again puts a task back, to be worked off after the delay as one more try.
func (t *Tx) Again(task Task, delay time.Duration) error {
	if err := t.Finish(task); err != nil {
		return err
	}
	return t.send(task.Queue, task.Try+1, task.Body, delay)
}

// retryAfter is an error that knows when to try again.
type retryAfter interface{ RetryAfter() time.Duration }

// Pauses between the tries of a task that fails.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// Pause is how long to wait before the next try, when the error does not say.
func Pause(try int) time.Duration {
	return min(firstPause<<min(try, 10), maxPause)
}

// Work has do work off the tasks of a queue, one after the other, until the
// context ends; several may work at the same queue. A task that do neither
// finished nor put back is finished when do succeeds, and is put back when it
// fails, for as long as the error says by a method RetryAfter, else for Pause.
// failed hears of errors; a task that was being worked off when the process
// died comes again 20 seconds later.
func (s *Store) Work(ctx context.Context, queue string, do func(context.Context, Task) error,
	failed func(Task, error),
) {
	q := s.queue(queue)
	s.loop(ctx, q.wake, func(ctx context.Context) bool {
		task, err := s.receive(ctx, q, queue)
		if err != nil {
			failed(Task{Queue: queue}, err)
		}
		if task == nil {
			return false
		}
		s.rouse(queue) // there may be more, for another worker
		if err := s.one(ctx, *task, do); err != nil {
			failed(*task, err)
		}
		return true
	})
}

// loop does a step again and again until the context ends: at once when it says
// that there may be more, else when it is woken, and now and then.
func (s *Store) loop(ctx context.Context, wake <-chan struct{}, step func(context.Context) bool) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if step(context.WithoutCancel(ctx)) {
			continue
		}
		select {
		case <-wake:
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (s *Store) receive(ctx context.Context, q *queue, name string) (*Task, error) {
	var m *goqite.Message
	err := s.base.transaction(ctx, func(tx *sql.Tx) error {
		if s.base.postgres { // else two workers that wait for each other's row would both get it
			if _, err := tx.ExecContext(ctx, "select pg_advisory_xact_lock(hashtext($1))", "goqite "+name); err != nil {
				return fmt.Errorf("locking: %w", err)
			}
		}
		var err error
		m, err = q.ReceiveTx(ctx, tx)
		return err //nolint:wrapcheck // below
	})
	if err != nil {
		return nil, fmt.Errorf("receiving from the queue %s: %w", name, err)
	}
	if m == nil {
		return nil, nil //nolint:nilnil // nothing is due
	}
	count, body, _ := bytes.Cut(m.Body, []byte(" "))
	try, err := strconv.Atoi(string(count))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dropped a broken task of the queue %s: %w", name, err), q.Delete(ctx, m.ID))
	}
	return &Task{Queue: name, Body: body, Try: try, id: m.ID, ended: new(atomic.Bool)}, nil
}

// one works one task off, renewing its lease.
func (s *Store) one(ctx context.Context, task Task, do func(context.Context, Task) error) error {
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = s.queue(task.Queue).Extend(ctx, task.id, lease) // else the task comes again, which every step stands
			case <-stop:
				return
			}
		}
	}()
	err := hybridcore.Contain(func() error { return do(ctx, task) }) // a task that panics comes again, later and later
	close(stop)
	<-ended
	if task.ended.Load() {
		return err
	}
	change := func(t *Tx) error { return t.Finish(task) }
	if err != nil {
		delay := Pause(task.Try)
		var later retryAfter
		if errors.As(err, &later) {
			delay = later.RetryAfter()
		}
		change = func(t *Tx) error { return t.Again(task, delay) }
	}
	return errors.Join(err, s.Change(ctx, change))
}

// message is a task as goqite keeps it: how often it was tried, a blank, its body.
func message(try int, body []byte, delay time.Duration) goqite.Message {
	return goqite.Message{Body: fmt.Appendf(nil, "%d %s", try, body), Delay: max(delay, 0)}
}
