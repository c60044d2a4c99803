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
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	"maragu.dev/goqite"
	_ "modernc.org/sqlite" // driver sqlite

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
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

//go:embed schema_sqlite.sql
var schemaSQLite string

//go:embed schema_postgres.sql
var schemaPostgres string

// Options say where a store is.
type Options struct {
	URL string           // postgres://USER@HOST/NAME; empty: SQLite
	Dir string           // folder of the SQLite file; made when it is missing
	Now func() time.Time // nil: the system's clock
}

// Store is an open database. Its methods may be called at the same time.
type Store struct {
	db       *sql.DB
	postgres bool
	now      func() time.Time

	entries chan *entry
	used    sync.Pool     // of *entry
	keep    *sql.Stmt     // writes a batch of commands
	stopped chan struct{} // closed when the committer has ended
	stop    context.CancelFunc

	accepted atomic.Int64  // when a command was last accepted, in nanoseconds
	arrived  chan struct{} // wakes Unpack
	turn     chan struct{} // taken by each transaction, so that at most one is before the committer's

	mu     sync.Mutex
	queues map[string]*queue
	failed error // of the last commit; nil when it succeeded
}

// queue is one of goqite's with what wakes its workers.
type queue struct {
	*goqite.Queue

	wake chan struct{}
}

// Open opens a store and makes its tables when they are missing.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		postgres: o.URL != "", now: o.Now, entries: make(chan *entry, maxBatch), stopped: make(chan struct{}),
		queues:  map[string]*queue{},
		arrived: make(chan struct{}, 1),
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.postgres {
		err = s.openPostgres(o.URL)
	} else {
		err = s.openSQLite(o.Dir)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if s.keep, err = s.db.PrepareContext(ctx, s.bind("insert into batch (commands, body) values (?, ?)")); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the bot's database: %w", err), s.db.Close())
	}
	go s.commit(ctx)
	return s, nil
}

// openSQLite opens the file with every commit synced. One connection is enough:
// there is one writer at a time, and what is read is small.
func (s *Store) openSQLite(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the bot's data folder: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return fmt.Errorf("finding the bot's data folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("making the bot's database: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("making the bot's database: %w", err)
	}
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "cache_size(-256)", "wal_autocheckpoint(16000)",
		"journal_size_limit(67108864)",
	}}
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	s.db, err = sql.Open("sqlite", address.String())
	if err != nil {
		return fmt.Errorf("opening the bot's database %s: %w", path, err)
	}
	s.db.SetMaxOpenConns(1)
	s.turn = make(chan struct{}, 1)
	return nil
}

func (s *Store) openPostgres(address string) error {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("the address of the bot's database does not begin with postgres://")
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return errors.New("the address of the bot's database cannot be read") // the cause may quote the password
	}
	s.db = db
	s.db.SetMaxOpenConns(8)
	s.turn = make(chan struct{}, 7)
	return nil
}

// prepare makes the tables and refuses those of a later version.
func (s *Store) prepare(ctx context.Context) error {
	schema := schemaSQLite
	if s.postgres {
		schema = schemaPostgres
	}
	err := s.transaction(ctx, func(tx *sql.Tx) error {
		if s.postgres { // two bots that start at once would both make the tables
			if _, err := tx.ExecContext(ctx, "select pg_advisory_xact_lock(6238401)"); err != nil {
				return fmt.Errorf("locking: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("making the tables: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.bind("insert into format (version) values (?) on conflict do nothing"),
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
		return nil
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
	if err := s.db.Close(); err != nil {
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
	if err := s.db.QueryRowContext(ctx, "select 1").Scan(&one); err != nil {
		return fmt.Errorf("reading the bot's database: %w", err)
	}
	return nil
}

// Waiting counts the tasks of a queue, also those that are not due.
func (s *Store) Waiting(ctx context.Context, queue string) (int, error) {
	query := "select count(*) from goqite where queue = ?"
	if queue == Intake {
		query = "select (" + query + ") + coalesce(sum(commands), 0) from batch"
	}
	var n int
	if err := s.db.QueryRowContext(ctx, s.bind(query), queue).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the queue %s: %w", queue, err)
	}
	return n, nil
}

// Prune forgets bodies of commands older than Remembered, when users gave their
// commands, and jobs in one of the states that have not changed for the time given.
func (s *Store) Prune(ctx context.Context, kept time.Duration, states ...string) error {
	now := s.now()
	return s.transaction(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, s.bind("delete from seen where at < ?"),
			now.Add(-Remembered).UnixMilli()); err != nil {
			return fmt.Errorf("forgetting old commands: %w", err)
		}
		if _, err := tx.ExecContext(ctx, s.bind("delete from recent where at < ?"),
			now.Add(-Remembered).UnixMilli()); err != nil {
			return fmt.Errorf("forgetting old commands: %w", err)
		}
		for _, state := range states {
			if _, err := tx.ExecContext(ctx, s.bind("delete from job where state = ? and changed < ?"), state,
				now.Add(-kept).UnixMilli()); err != nil {
				return fmt.Errorf("forgetting old jobs: %w", err)
			}
		}
		return nil
	})
}

// queue is the queue of that name, made when it is first asked for.
func (s *Store) queue(name string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil {
		flavour := goqite.SQLFlavorSQLite
		if s.postgres {
			flavour = goqite.SQLFlavorPostgreSQL
		}
		q = &queue{
			Queue: goqite.New(goqite.NewOpts{DB: s.db, Name: name, MaxReceive: forever, Timeout: lease, SQLFlavor: flavour}),
			wake:  make(chan struct{}, 1),
		}
		s.queues[name] = q
	}
	return q
}

// rouse has a worker of each queue look at once.
func (s *Store) rouse(names ...string) {
	for _, name := range names {
		signal(s.queue(name).wake)
	}
}

// signal wakes who waits for it, now or soon.
func signal(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // it was told already
	}
}

// transaction runs do in one transaction, when it is its turn.
func (s *Store) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("beginning a transaction: %w", ctx.Err())
	}
	defer func() { <-s.turn }()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	// else a panic would hold the only connection
	if err := hybridcore.Contain(func() error { return do(tx) }); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// ignoreDone drops the error of a transaction that the end of its context has
// rolled back.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// bind writes the placeholders of a query as the database has them.
func (s *Store) bind(query string) string {
	if !s.postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}
