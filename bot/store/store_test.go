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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

func open(t *testing.T, at store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), at)
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

// waiting checks how many commands wait.
func waiting(t *testing.T, s *store.Store, want int) {
	t.Helper()
	if n, err := s.Waiting(t.Context(), store.Intake); err != nil || n != want {
		t.Errorf("%d commands wait, %v, want %d", n, err, want)
	}
}

// TestAcceptOnce stores the same commands from many callers at once: each is
// queued once, also by a store that is opened later.
func TestAcceptOnce(t *testing.T) { engines(t, acceptOnce) }

func acceptOnce(t *testing.T, at store.Options) {
	t.Helper()
	s := open(t, at)
	const commands, deliveries = 50, 4
	accept := func(n int) bool {
		repeated, err := s.Accept(t.Context(), sha256.Sum256(fmt.Append(nil, n)), fmt.Append(nil, "command ", n))
		if err != nil {
			t.Error(err)
		}
		return repeated
	}
	var wg sync.WaitGroup
	var repeated atomic.Int64
	for i := range commands * deliveries {
		wg.Go(func() {
			if accept(i % commands) {
				repeated.Add(1)
			}
		})
	}
	wg.Wait()
	waiting(t, s, commands)
	if n := repeated.Load(); n != commands*(deliveries-1) {
		t.Errorf("%d were repeated, want %d", n, commands*(deliveries-1))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, at)
	if !accept(7) || accept(commands) {
		t.Error("later on, only what was not accepted is to be new")
	}
	bodies := drain(t, s, store.Intake, commands+1)
	slices.Sort(bodies)
	if n := len(slices.Compact(bodies)); n != commands+1 {
		t.Errorf("%d different commands were queued, want %d", n, commands+1)
	}
	waiting(t, s, 0)
}

// TestGivenUp accepts commands whose callers may give up at any moment: those
// are stored, and no others, whose callers heard so.
func TestGivenUp(t *testing.T) { engines(t, givenUp) }

func givenUp(t *testing.T, at store.Options) {
	t.Helper()
	s := open(t, at)
	const callers, rounds = 16, 20
	var mu sync.Mutex
	var stored []string
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for round := range rounds {
				ctx, leave := context.WithCancel(t.Context())
				if caller%2 > 0 {
					go leave()
				}
				name := fmt.Sprintf("%d.%d", caller, round)
				_, err := s.Accept(ctx, sha256.Sum256([]byte(name)), []byte(name))
				leave()
				if err == nil {
					mu.Lock()
					stored = append(stored, name)
					mu.Unlock()
				} else if !errors.Is(err, context.Canceled) || caller%2 == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	all.Wait()
	waiting(t, s, len(stored))
	bodies := drain(t, s, store.Intake, len(stored))
	slices.Sort(stored)
	slices.Sort(bodies)
	if !slices.Equal(stored, bodies) || len(stored) == callers*rounds {
		t.Errorf("%d commands were acknowledged, %d are there: %q, %q", len(stored), len(bodies), stored, bodies)
	}
}

// TestForgotten accepts a body again when it is older than what is remembered.
func TestForgotten(t *testing.T) { engines(t, forgotten) }

func forgotten(t *testing.T, at store.Options) {
	t.Helper()
	now := time.Now()
	at.Now = func() time.Time { return now }
	s := open(t, at)
	fresh := func() bool {
		repeated, err := s.Accept(t.Context(), [32]byte{1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return !repeated
	}
	first := fresh()
	now = now.Add(store.Remembered + time.Second)
	if err := s.Prune(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if !first || !fresh() || fresh() {
		t.Error("a body is to be new at first, again when it was forgotten, and not in between")
	}
}

// TestClosed refuses commands when the store is closed or its disk fails,
// instead of losing them.
func TestClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir})
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
	if _, err := store.Open(t.Context(), store.Options{URL: "mysql://user:secret-1@host/x"}); err == nil ||
		strings.Contains(err.Error(), "secret-1") {
		t.Errorf("an address of another database: %v", err)
	}
}

// TestOneTransaction passes work on: what fails leaves nothing behind, and is
// tried again.
func TestOneTransaction(t *testing.T) { engines(t, oneTransaction) }

func oneTransaction(t *testing.T, at store.Options) {
	t.Helper()
	s := open(t, at)
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
			if err := errors.Join(tx.Put(store.Row{ID: "job", State: "done", Body: []byte("{}")}),
				tx.Send("second", task.Body, 0), tx.Finish(task)); err != nil {
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
func TestLanes(t *testing.T) { engines(t, lanes) }

func lanes(t *testing.T, at store.Options) {
	t.Helper()
	s := open(t, at)
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
