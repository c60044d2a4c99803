// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:00Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#one-command

package store_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// TestFormerCommands opens a database in which an earlier version left commands
// that it had acknowledged: each is queued once, up to where a row is broken.
func TestFormerCommands(t *testing.T) {
	engines(t, func(t *testing.T, at store.Options) {
		t.Helper()
		if err := open(t, at).Close(); err != nil {
			t.Fatal(err)
		}
		driver, address := "sqlite", filepath.Join(at.Dir, "bot.db")
		table, mark := "create table batch (id integer primary key, commands integer not null, body blob not null)", "?"
		if at.URL != "" {
			driver, address, mark = "pgx", at.URL, "$1"
			table = "create table batch (id bigint generated always as identity primary key, commands integer not null, " +
				"body bytea not null)"
		}
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), table); err != nil {
			t.Fatal(err)
		}
		row := func(names ...string) []byte {
			var body []byte
			for _, name := range names {
				key := sha256.Sum256([]byte(name))
				body = binary.AppendUvarint(append(body, key[:]...), uint64(len(name)))
				body = append(body, name...)
			}
			return body
		}
		for _, body := range [][]byte{row("one", "two"), row("two", "three", "cut")[:106]} {
			_, err := db.ExecContext(t.Context(), "insert into batch (commands, body) values (2, "+mark+")", body)
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s := open(t, at)
		bodies := drain(t, s, store.Intake, 3)
		if slices.Sort(bodies); !slices.Equal(bodies, []string{"one", "three", "two"}) {
			t.Errorf("queued: %q", bodies)
		}
		if repeated, err := s.Accept(t.Context(), sha256.Sum256([]byte("one")), nil); err != nil || !repeated {
			t.Errorf("a command of the earlier version comes again: %v, %v", repeated, err)
		}
	})
}
