// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Bounds of counting commands.
const (
	recentWindow = time.Minute
	maxRecent    = 1000 // that are counted; more than any rate
)

// Recent notes a command of somebody, given at a time, and says how many of
// theirs were noted before it within the minute that ends then. Asked again for
// the same command, also after a restart, it says the same.
func (s *Store) Recent(ctx context.Context, who, id string, at time.Time) (before int, err error) {
	err = s.base.transaction(ctx, func(tx *sql.Tx) error {
		if s.base.postgres { // else two commands at once would not count each other
			if _, err := tx.ExecContext(ctx, "select pg_advisory_xact_lock(hashtext($1))", "recent "+who); err != nil {
				return fmt.Errorf("locking: %w", err)
			}
		}
		err := tx.QueryRowContext(ctx, s.base.bind("select before from recent where id = ?"), id).Scan(&before)
		if !errors.Is(err, sql.ErrNoRows) {
			return err //nolint:wrapcheck // below
		}
		const count = "select count(*) from (select 1 from recent where who = ? and at > ? limit ?) as of_this_minute"
		if err := tx.QueryRowContext(ctx, s.base.bind(count), who, at.Add(-recentWindow).UnixMilli(),
			maxRecent).Scan(&before); err != nil {
			return err //nolint:wrapcheck // below
		}
		_, err = tx.ExecContext(ctx, s.base.bind("insert into recent (id, who, at, before) values (?, ?, ?, ?)"), id, who,
			at.UnixMilli(), before)
		return err //nolint:wrapcheck // below
	})
	if err != nil {
		return 0, fmt.Errorf("counting commands: %w", err)
	}
	return before, nil
}
