// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:53:21Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#parts

// Package store keeps what the bot must not lose: accepted commands, work in
// queues, and jobs. It is SQLite in a file or PostgreSQL by URL; the queues are
// goqite's, in the same database, so that what a step reads, writes and passes
// on is one transaction.
package store

import (
	"context"
	"sync"
	"time"

	"maragu.dev/goqite"
)

// Limits and times.
const (
	// Remembered is how long the body of an accepted command is known, so that
	// a second delivery is dropped. Slack's last retry comes after an hour at most.
	Remembered = 24 * time.Hour

	format   = 3                // of the tables and of the jobs in them
	lease    = 20 * time.Second // of a task that is being worked off; renewed while it is
	poll     = 500 * time.Millisecond
	fileName = "bot.db"

	// forever keeps goqite from hiding a task that failed often: what is given
	// up is decided by whoever works it off.
	forever = 1<<31 - 1
)

// Store is an open database. Its methods may be called at the same time.
type Store struct {
	base *database
	now  func() time.Time

	entries chan *entry
	stopped chan struct{} // closed when the committer has ended
	stop    context.CancelFunc

	mu     sync.Mutex
	queues map[string]*queue
	failed error // of the last commit; nil when it succeeded
}

// queue is one of goqite's with what wakes its workers.
type queue struct {
	*goqite.Queue

	wake chan struct{}
}

// queue is the queue of that name, made when it is first asked for.
func (s *Store) queue(name string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil {
		flavour := goqite.SQLFlavorSQLite
		if s.base.postgres {
			flavour = goqite.SQLFlavorPostgreSQL
		}
		q = &queue{
			Queue: goqite.New(goqite.NewOpts{
				DB: s.base.db, Name: name, MaxReceive: forever, Timeout: lease, SQLFlavor: flavour,
			}),
			wake: make(chan struct{}, 1),
		}
		s.queues[name] = q
	}
	return q
}

// rouse has a worker of each queue look at once.
func (s *Store) rouse(names ...string) {
	for _, name := range names {
		select {
		case s.queue(name).wake <- struct{}{}:
		default: // it was told already
		}
	}
}
