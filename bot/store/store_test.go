// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:02:49Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#parts

package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// drain works a queue off until want tasks were done, and returns their bodies.
func drain(t *testing.T, s *store.Store, queue string, want int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var bodies []string
	s.Work(ctx, queue, func(_ context.Context, task store.Task) error {
		bodies = append(bodies, string(task.Body))
		if len(bodies) == want {
			cancel()
		}
		return nil
	}, func(_ store.Task, err error) { t.Error(err) })
	if len(bodies) != want {
		t.Fatalf("%d tasks were done, want %d", len(bodies), want)
	}
	return bodies
}

// TestAcceptOnce stores the same commands from many callers at once: each is
// there once, also for a store that is opened later.
func TestAcceptOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	const commands, deliveries = 50, 4
	var mu sync.Mutex
	fresh := map[int]int{}
	var wg sync.WaitGroup
	for i := range commands * deliveries {
		wg.Go(func() {
			n := i % commands
			ok, err := s.Accept(t.Context(), sha256.Sum256(fmt.Append(nil, n)), fmt.Append(nil, "command ", n))
			if err != nil {
				t.Error(err)
			}
			if ok {
				mu.Lock()
				fresh[n]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for n := range commands {
		if fresh[n] != 1 {
			t.Errorf("command %d was new %d times", n, fresh[n])
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if again, err := s.Accept(t.Context(), sha256.Sum256([]byte("7")), []byte("command 7")); err != nil || again {
		t.Errorf("after a restart: fresh %v, %v", again, err)
	}
	seen := map[string]bool{}
	for _, body := range drain(t, s, store.Intake, commands) {
		seen[body] = true
	}
	if len(seen) != commands {
		t.Errorf("%d different commands were queued, want %d", len(seen), commands)
	}
}

// TestForgotten accepts a body again when it is older than what is remembered.
func TestForgotten(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	accept := func() bool {
		fresh, err := s.Accept(t.Context(), [32]byte{1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	first := accept()
	now = now.Add(store.Remembered + time.Second)
	if err := s.Prune(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if !first || !accept() || accept() {
		t.Error("a body is to be new at first, again when it was forgotten, and not in between")
	}
}

// TestClosed refuses commands when the store is closed or its disk fails,
// instead of losing them.
func TestClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	info, err := os.Stat(filepath.Join(dir, "bot.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the database: %v, %v", info.Mode(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), [32]byte{}, nil); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := s.Healthy(t.Context()); err == nil {
		t.Error("a closed store is healthy")
	}
	if _, err := store.Open(t.Context(), store.Options{URL: "mysql://user:secret-1@host/x"}); err == nil || strings.Contains(err.Error(), "secret-1") {
		t.Errorf("an address of another database: %v", err)
	}
}

// TestOneTransaction passes work on: what fails leaves nothing behind, and is
// tried again.
func TestOneTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if err := s.Change(t.Context(), func(tx *store.Tx) error { return tx.Send("first", []byte("a b c"), 0) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	failure := errors.New("no")
	var tries, failed int
	s.Work(ctx, "first", func(ctx context.Context, task store.Task) error {
		tries++
		if task.Try != tries-1 || string(task.Body) != "a b c" {
			t.Errorf("try %d has the task %+v", tries, task)
		}
		err := s.Change(ctx, func(tx *store.Tx) error {
			if err := errors.Join(tx.Put(store.Row{ID: "job", State: "done", Body: []byte("{}")}), tx.Send("second", task.Body, 0), tx.Finish(task)); err != nil {
				return err
			}
			if tries == 1 {
				return failure
			}
			return nil
		})
		if tries == 1 {
			if rows, err := s.Latest(ctx, 9); err != nil || len(rows) != 0 {
				t.Errorf("after a failure there are jobs: %v, %v", rows, err)
			}
		} else {
			cancel()
		}
		return err
	}, func(_ store.Task, err error) {
		failed++
		if !errors.Is(err, failure) {
			t.Error(err)
		}
	})
	if tries != 2 || failed != 1 {
		t.Errorf("%d tries, %d failures", tries, failed)
	}
	drain(t, s, "second", 1)
	if n, err := s.Waiting(t.Context(), "first"); err != nil || n != 0 {
		t.Errorf("%d tasks wait, %v", n, err)
	}
}

// TestLanes gives a target to one job at a time, and several targets only
// together.
func TestLanes(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, step := range []struct {
		job     string
		cells   []string
		release bool
		holder  string
	}{
		{job: "a", cells: []string{"x", "y"}},
		{job: "a", cells: []string{"x", "y"}}, // again, after a restart
		{job: "b", cells: []string{"z", "y"}, holder: "a"},
		{job: "c", cells: []string{"z"}}, // b has taken nothing
		{job: "a", release: true},
		{job: "b", cells: []string{"y"}},
	} {
		err := s.Change(t.Context(), func(tx *store.Tx) error {
			if step.release {
				return tx.Release(step.job)
			}
			holder, err := tx.Claim(step.job, step.cells)
			if holder != step.holder {
				t.Errorf("%s wants %v: %q has it, want %q", step.job, step.cells, holder, step.holder)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
