// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// TestRecent counts the commands of each user within a minute, also over a restart.
func TestRecent(t *testing.T) { engines(t, recent) }

func recent(t *testing.T, at store.Options) {
	t.Helper()
	now := time.Now()
	at.Now = func() time.Time { return now }
	s := open(t, at)
	want := func(who, id string, after time.Duration, before int) {
		t.Helper()
		if got, err := s.Recent(t.Context(), who, id, now.Add(after)); err != nil || got != before {
			t.Errorf("%s of %s after %s: %d commands before it, %v, want %d", id, who, after, got, err, before)
		}
	}
	want("T1 U1", "a", 0, 0)
	want("T1 U1", "b", time.Second, 1)
	want("T1 U2", "c", time.Second, 0)
	want("T2 U1", "d", time.Second, 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, at)
	want("T1 U1", "b", time.Second, 1) // it is tried again
	want("T1 U1", "e", 2*time.Second, 2)
	want("T1 U1", "f", time.Minute+time.Second/2, 2) // the first one is a minute old
	want("T1 U1", "g", 2*time.Minute+time.Second, 0)
	now = now.Add(store.Remembered + time.Hour)
	if err := s.Prune(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	want("T1 U1", "b", 0, 0) // forgotten

	const commands = 40
	var all sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for n := range commands {
		all.Go(func() {
			before, err := s.Recent(t.Context(), "T1 U9", fmt.Sprint("x", n), now)
			mu.Lock()
			defer mu.Unlock()
			if counts[before]++; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(counts) != commands {
		t.Errorf("%d commands at once saw these numbers before them: %v", commands, counts)
	}
}

// TestOwnDatabase gives each test of PostgreSQL a database of its own.
func TestOwnDatabase(t *testing.T) {
	t.Parallel()
	one, other := open(t, store.Options{URL: postgres.database(t)}), open(t, store.Options{URL: postgres.database(t)})
	if err := one.Change(t.Context(), func(tx *store.Tx) error {
		return tx.Put(store.Row{
			ID: "job", State: "done",
			Body: []byte("{}"),
		})
	}); err != nil {
		t.Fatal(err)
	}
	if rows, err := other.Latest(t.Context(), 9); err != nil || len(rows) > 0 {
		t.Errorf("the other one has %v, %v", rows, err)
	}
}
