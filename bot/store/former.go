// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:00Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#one-command

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// queueFormer queues the commands that an earlier version accepted and did not
// come to queue: it kept those that shared a sync in one row of the table batch,
// each as its key, its length, and itself.
func (t *Tx) queueFormer() (failed error) {
	// Made when it is missing: so both databases are asked the same.
	if _, err := t.tx.ExecContext(t.ctx, "create table if not exists batch (id integer, body text)"); err != nil {
		return fmt.Errorf("reading commands of an earlier version: %w", err)
	}
	rows, err := t.tx.QueryContext(t.ctx, "select body from batch order by id")
	if err != nil {
		return fmt.Errorf("reading commands of an earlier version: %w", err)
	}
	var all []*entry
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return errors.Join(fmt.Errorf("reading commands of an earlier version: %w", err), rows.Close())
		}
		all = append(all, formerEntries(body)...)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("reading commands of an earlier version: %w", err)
	}
	for _, e := range all {
		if err := t.accept(e); err != nil {
			return err
		}
	}
	if _, err := t.tx.ExecContext(t.ctx, "drop table batch"); err != nil {
		return fmt.Errorf("removing a table of an earlier version: %w", err)
	}
	return nil
}

// formerEntries are the commands of a row, up to where it is broken.
func formerEntries(from []byte) []*entry {
	const size = len(entry{}.key)
	var all []*entry
	for len(from) > size {
		n, width := binary.Uvarint(from[size:])
		start := size + width
		if width <= 0 || n > uint64(len(from)-start) {
			break
		}
		end := start + int(n)
		all = append(all, &entry{key: [32]byte(from[:size]), body: from[start:end]})
		from = from[end:]
	}
	return all
}
