// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:16:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Times between steps.
const (
	listWait = 2 * time.Second // between two looks for a run that was taken
	maxLater = time.Hour       // of what a refusal may ask to wait
)

// steps are what the steps of all queues share: the store of the jobs, the clock, the log, and who is at which job.
type steps struct {
	store *store.Store
	log   *slog.Logger
	clock func() time.Time                  // nil: the system's
	pause func(time.Duration) time.Duration // of a test; nil: pauses are as long as they are
	busy  keys
}

// failed hears of tasks that come again.
func (s *steps) failed(task store.Task, err error) {
	level := slog.LevelWarn
	later, ok := errors.AsType[*cirun.LaterError](err)
	if ok {
		_, ok = errors.AsType[*cirun.LaterError](later.Err)
	}
	if ok {
		level = slog.LevelDebug // it says itself that it is nothing
	}
	more := []any{"queue", task.Queue, "request", string(task.Body), "try", task.Try, "error", err}
	s.log.Log(context.Background(), level, "trying again", append(more, hybridcore.Stack(err)...)...)
}

// rest is how long a pause is.
func (s *steps) rest(pause time.Duration) time.Duration {
	if s.pause != nil {
		return s.pause(pause)
	}
	return pause
}

func (s *steps) now() time.Time {
	if s.clock != nil {
		return s.clock().UTC()
	}
	return time.Now().UTC()
}

// end ends a job and those that joined it.
func (s *steps) end(tx *store.Tx, job *jobs.Job, state jobs.State, outcome cirun.Outcome) error {
	outcome.At = s.now()
	if err := jobs.End(tx, job, state, outcome); err != nil {
		return err
	}
	s.log.Info("job ended", "request", job.Command.ID, "state", state, "status", outcome.Status, "why", outcome.Why)
	return nil
}

// keys lets one goroutine at a time work at a job.
type keys struct {
	mu   sync.Mutex
	held map[string]bool
}

// take takes a key; false when somebody has it.
func (k *keys) take(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[key] {
		return false
	}
	if k.held == nil {
		k.held = map[string]bool{}
	}
	k.held[key] = true
	return true
}

func (k *keys) free(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.held, key)
}

// exclusively does something for a job that nobody else in this process does
// at the same time.
func (s *steps) exclusively(kind, id string, do func() error) error {
	key := kind + " " + id
	if !s.busy.take(key) {
		return &cirun.LaterError{After: listWait / 10, Err: errors.New("another worker is at it")}
	}
	defer s.busy.free(key)
	return do()
}

// later puts a job back, and shows why.
func (s *steps) later(ctx context.Context, task store.Task, job jobs.Job, err error) error {
	s.failed(task, err)
	return jobs.Change(ctx, s.store, job.Command.ID,
		func(tx *store.Tx, j *jobs.Job) error { return s.wait(tx, task, j, err.Error(), delay(task, err)) })
}

// wait puts a task back in a transaction, and shows what it waits for.
func (s *steps) wait(tx *store.Tx, task store.Task, job *jobs.Job, why string, pause time.Duration) error {
	if why = text.Cut(text.Sanitize(why), cirun.MaxWhy); job.Note == "" {
		job.Note = why
		if err := jobs.Tell(tx, job); err != nil {
			return err
		}
	}
	job.Note = why // the next edit shows the newest reason; it is no reason for one itself
	return tx.Again(task, s.rest(pause))
}

// delay is how long a task waits after an error.
func delay(task store.Task, err error) time.Duration {
	if later, ok := errors.AsType[*cirun.LaterError](err); ok {
		return min(later.After, maxLater)
	}
	return store.Pause(task.Try)
}

// finish ends a job whose task it is.
func (s *steps) finish(ctx context.Context, task store.Task, job jobs.Job, state jobs.State,
	outcome cirun.Outcome,
) error {
	return jobs.Change(ctx, s.store, job.Command.ID, func(tx *store.Tx, j *jobs.Job) error {
		if !j.State.Final() {
			if err := s.end(tx, j, state, outcome); err != nil {
				return err
			}
		}
		return tx.Finish(task)
	})
}

// stays says whether a refusal does not pass by itself.
func stays(err error) bool {
	_, blocked := errors.AsType[*hybridcore.BlockedError](err)
	_, usage := errors.AsType[*hybridcore.UsageError](err)
	return blocked || usage
}

// refused ends a job that cannot be dispatched, or has it try again.
func (s *steps) refused(ctx context.Context, task store.Task, job jobs.Job, err error) error {
	if stays(err) {
		return s.finish(ctx, task, job, jobs.Done, cirun.Failure(err.Error()))
	}
	return s.later(ctx, task, job, err)
}
