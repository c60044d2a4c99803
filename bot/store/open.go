// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:30Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#parts

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Options say where a store is.
type Options struct {
	URL string           // postgres://USER@HOST/NAME; empty: SQLite
	Dir string           // folder of the SQLite file; made when it is missing
	Now func() time.Time // nil: the system's clock
}

// Open opens a store and makes its tables when they are missing.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		now: o.Now, entries: make(chan *entry, maxBatch), stopped: make(chan struct{}), queues: map[string]*queue{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if o.URL != "" {
		s.base, err = openPostgres(o.URL)
	} else {
		s.base, err = openSQLite(o.Dir)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.base.db.Close())
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	go s.commit(ctx)
	return s, nil
}

// prepare makes the tables and refuses those of a later version.
func (s *Store) prepare(ctx context.Context) error {
	schema := schemaSQLite
	if s.base.postgres {
		schema = schemaPostgres
	}
	err := s.Change(ctx, func(t *Tx) error {
		tx := t.tx
		if s.base.postgres { // two bots that start at once would both make the tables
			if _, err := tx.ExecContext(ctx, "select pg_advisory_xact_lock(6238401)"); err != nil {
				return fmt.Errorf("locking: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("making the tables: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.base.bind("insert into format (version) values (?) on conflict do nothing"),
			format); err != nil {
			return fmt.Errorf("writing the format: %w", err)
		}
		var version int
		if err := tx.QueryRowContext(ctx, "select max(version) from format").Scan(&version); err != nil {
			return fmt.Errorf("reading the format: %w", err)
		}
		if version > format {
			return fmt.Errorf("it has format %d, written by a later packer-hybrid; this one knows %d", version, format)
		}
		return t.queueFormer()
	})
	if err != nil {
		return fmt.Errorf("preparing the bot's database: %w", err)
	}
	return nil
}

// Close ends the store after what was begun. Commands that wait to be stored
// are refused.
func (s *Store) Close() error {
	s.stop()
	<-s.stopped
	if err := s.base.db.Close(); err != nil {
		return fmt.Errorf("closing the bot's database: %w", err)
	}
	return nil
}

// Healthy says whether the store can be written, by its last commit and a
// short read.
func (s *Store) Healthy(ctx context.Context) error {
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	if failed != nil {
		return failed
	}
	var one int
	if err := s.base.db.QueryRowContext(ctx, "select 1").Scan(&one); err != nil {
		return fmt.Errorf("reading the bot's database: %w", err)
	}
	return nil
}

// Waiting counts the tasks of a queue, also those that are not due.
func (s *Store) Waiting(ctx context.Context, queue string) (int, error) {
	var n int
	const count = "select count(*) from goqite where queue = ?"
	if err := s.base.db.QueryRowContext(ctx, s.base.bind(count), queue).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the queue %s: %w", queue, err)
	}
	return n, nil
}

// Prune forgets bodies of commands older than Remembered, when users gave their
// commands, and jobs in one of the states that have not changed for the time given.
func (s *Store) Prune(ctx context.Context, kept time.Duration, states ...string) error {
	now := s.now()
	return s.base.transaction(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.base.bind("delete from seen where at < ?"),
			now.Add(-Remembered).UnixMilli()); err != nil {
			return fmt.Errorf("forgetting old commands: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.base.bind("delete from recent where at < ?"),
			now.Add(-Remembered).UnixMilli()); err != nil {
			return fmt.Errorf("forgetting old commands: %w", err)
		}
		for _, state := range states {
			if _, err := tx.ExecContext(ctx, s.base.bind("delete from job where state = ? and changed < ?"), state,
				now.Add(-kept).UnixMilli()); err != nil {
				return fmt.Errorf("forgetting old jobs: %w", err)
			}
		}
		return nil
	})
}
