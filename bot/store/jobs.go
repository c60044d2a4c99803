// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:54:23Z
// Spec: openspec/specs/bot/spec.md#requirement-one-build-of-a-target-at-a-time
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Row is a job as the store sees it.
type Row struct {
	ID    string
	State string
	Body  []byte
}

// Put writes a job, a new one or over the old one.
func (t *Tx) Put(row Row) error {
	query := t.store.base.bind(`insert into job (id, state, created, changed, body) values (?, ?, ?, ?, ?)
		on conflict (id) do update set state = excluded.state, changed = excluded.changed, body = excluded.body`)
	now := t.store.now().UnixMilli()
	if _, err := t.tx.ExecContext(t.ctx, query, row.ID, row.State, now, now, row.Body); err != nil {
		return fmt.Errorf("writing job %s: %w", row.ID, err)
	}
	return nil
}

// Get reads a job and keeps others from changing it until the transaction ends.
func (t *Tx) Get(id string) (Row, bool, error) {
	lock := ""
	if t.store.base.postgres {
		lock = " for update"
	}
	return t.store.get(t.ctx, t.tx, id, lock)
}

// Get reads a job as it is now.
func (s *Store) Get(ctx context.Context, id string) (Row, bool, error) {
	return s.get(ctx, s.base.db, id, "")
}

func (s *Store) get(ctx context.Context, from reader, id, lock string) (Row, bool, error) {
	rows, err := scan(from.QueryContext(ctx, s.base.bind("select id, state, body from job where id = ?"+lock), id))
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

// In lists the jobs in a state, oldest first.
func (t *Tx) In(state string) ([]Row, error) {
	return scan(t.tx.QueryContext(t.ctx, t.store.base.bind("select id, state, body from job where state = ? order by id"),
		state))
}

// Latest lists the newest jobs, newest first. Job IDs sort by time.
func (s *Store) Latest(ctx context.Context, limit int) ([]Row, error) {
	const latest = "select id, state, body from job order by id desc limit ?"
	return scan(s.base.db.QueryContext(ctx, s.base.bind(latest), limit))
}

// scan reads rows of jobs. The IDs of jobs begin with their time, so they sort.
func scan(rows *sql.Rows, err error) (_ []Row, failed error) {
	if err != nil {
		return nil, fmt.Errorf("reading jobs: %w", err)
	}
	defer func() { failed = errors.Join(failed, rows.Close()) }()
	var all []Row
	for rows.Next() {
		var row Row
		if err := rows.Scan(&row.ID, &row.State, &row.Body); err != nil {
			return nil, fmt.Errorf("reading a job: %w", err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading jobs: %w", err)
	}
	return all, nil
}

// Claim takes cells, such as ENV/IMAGE@PLATFORM, for a job: all of them, or
// none and the job that holds one of them is named.
func (t *Tx) Claim(job string, cells []string) (holder string, err error) {
	if holder, err = t.store.holder(t.ctx, t.tx, job, cells); err != nil || holder != "" {
		return holder, err
	}
	for _, cell := range cells {
		if _, err := t.tx.ExecContext(t.ctx,
			t.store.base.bind("insert into lane (cell, job) values (?, ?) on conflict do nothing"), cell, job); err != nil {
			return "", fmt.Errorf("taking %s: %w", cell, err)
		}
	}
	return "", nil
}

// Holder names a job that holds one of the cells; empty when none does but the
// one given.
func (s *Store) Holder(ctx context.Context, job string, cells []string) (string, error) {
	return s.holder(ctx, s.base.db, job, cells)
}

// reader is a database, or one transaction.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) holder(ctx context.Context, from reader, job string, cells []string) (string, error) {
	for _, cell := range cells {
		var by string
		err := from.QueryRowContext(ctx, s.base.bind("select job from lane where cell = ?"), cell).Scan(&by)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return "", fmt.Errorf("reading who has %s: %w", cell, err)
		case by != job:
			return by, nil
		}
	}
	return "", nil
}

// Release gives up all cells of a job.
func (t *Tx) Release(job string) error {
	if _, err := t.tx.ExecContext(t.ctx, t.store.base.bind("delete from lane where job = ?"), job); err != nil {
		return fmt.Errorf("giving up the targets of %s: %w", job, err)
	}
	return nil
}
