// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:55Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#parts

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

	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	_ "modernc.org/sqlite"             // driver sqlite

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

//go:embed schema_sqlite.sql
var schemaSQLite string

//go:embed schema_postgres.sql
var schemaPostgres string

// database is SQLite or PostgreSQL.
type database struct {
	db       *sql.DB
	postgres bool
	turn     chan struct{} // taken by each transaction but the committer's, so that at most one is before that
}

// openSQLite opens the file with every commit synced. One connection is enough:
// there is one writer at a time, and what is read is small.
func openSQLite(dir string) (*database, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the bot's data folder: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("finding the bot's data folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the bot's database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("making the bot's database: %w", err)
	}
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "cache_size(-256)", "wal_autocheckpoint(16000)",
		"journal_size_limit(67108864)",
	}}
	address := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, fmt.Errorf("opening the bot's database %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return &database{db: db, turn: make(chan struct{}, 1)}, nil
}

func openPostgres(address string) (*database, error) {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return nil, errors.New("the address of the bot's database does not begin with postgres://")
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return nil, errors.New("the address of the bot's database cannot be read") // the cause may quote the password
	}
	db.SetMaxOpenConns(8)
	return &database{db: db, postgres: true, turn: make(chan struct{}, 7)}, nil
}

// transaction runs do in one transaction, when it is its turn.
func (d *database) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("beginning a transaction: %w", ctx.Err())
	}
	defer func() { <-d.turn }()
	return d.transactionNow(ctx, do)
}

// transactionNow runs do in one transaction, before those that wait for their turn.
func (d *database) transactionNow(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
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
func (d *database) bind(query string) string {
	if !d.postgres {
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
