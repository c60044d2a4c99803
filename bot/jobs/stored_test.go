// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:34:00Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package jobs

import (
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// TestUnchanged looks at a job that has ended without changing it: it is not
// written anew, so it is forgotten in its time.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []string{"looked-at", "changed"} {
		if err := s.Change(t.Context(),
			func(tx *store.Tx) error { return put(tx, &Job{Command: door.Command{ID: id}, State: Done}) }); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(kept / 2)
	for id, note := range map[string]string{"looked-at": "", "changed": "x"} {
		if err := Change(t.Context(), s, id, func(_ *store.Tx, j *Job) error { j.Note = note; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(kept/2 + time.Hour)
	if err := Prune(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Latest(t.Context(), 9)
	if err != nil || len(rows) != 1 || rows[0].ID != "changed" {
		t.Errorf("these jobs are left: %+v, %v", rows, err)
	}
}
