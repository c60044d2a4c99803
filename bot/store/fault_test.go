// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:58:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestTaskPanics checks that a task that panics inside a transaction comes again,
// that nothing of the transaction stays, and that its connection is free.
func TestTaskPanics(t *testing.T) {
	engines(t, func(t *testing.T, at store.Options) {
		t.Helper()
		s := open(t, at)
		send := func(ctx context.Context, queue string) error {
			return s.Change(ctx, func(tx *store.Tx) error { return tx.Send(queue, []byte("x"), 0) })
		}
		if err := send(t.Context(), "q"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var failed []error
		tries := 0
		s.Work(ctx, "q", func(ctx context.Context, task store.Task) error {
			tries++
			if task.Try > 0 {
				cancel()
				return nil
			}
			return s.Change(ctx, func(tx *store.Tx) error {
				if err := tx.Send("other", []byte("x"), 0); err != nil {
					return err
				}
				panic("an answer that nobody thought of")
			})
		}, func(_ store.Task, err error) { failed = append(failed, err) })
		if tries != 2 || len(failed) != 1 {
			t.Fatalf("%d tries, failed: %v", tries, failed)
		}
		panicked, ok := errors.AsType[*hybridcore.PanicError](failed[0])
		if !ok || !strings.Contains(panicked.Stack, "fault_test.go") {
			t.Errorf("it failed with %v", failed[0])
		}
		for _, queue := range []string{"q", "other"} {
			if n, err := s.Waiting(t.Context(), queue); n != 0 || err != nil {
				t.Errorf("the queue %s has %d tasks, %v", queue, n, err)
			}
		}
	})
}
