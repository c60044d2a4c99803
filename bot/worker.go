// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:16:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Queues of a Worker. A task is the ID of a job.
const (
	QueueDispatch = "dispatch" // from queued to running
	QueueFollow   = "follow"   // a run, until it ends
	QueueWake     = "poke"     // a look at a run besides: an event said that it changed
	QueueCancel   = "cancel"
	QueueExpire   = "expire" // an approval that nobody gave
	QueueTell     = "tell"   // the message of a job
)

// Times of a Worker.
const (
	// Patience is how long a job is tried to be dispatched. Slack's users have
	// long asked again by then.
	Patience = 24 * time.Hour

	groupsWait = 10 * time.Minute // for somebody's groups, until the job is denied
	laneWait   = 3 * time.Second  // between two looks whether targets are free
	listWait   = 2 * time.Second  // between two looks for a run that was taken
	lostAfter  = 15 * time.Minute // a run that was taken and is never listed
	maxLater   = time.Hour        // of what a refusal may ask to wait
)

// Enqueue writes a new job, and has it carried out and shown.
func Enqueue(tx *store.Tx, job *Job) error {
	if job.State == Queued {
		if err := tx.Send(QueueDispatch, []byte(job.Command.ID), 0); err != nil {
			return fmt.Errorf("queueing a job: %w", err)
		}
	}
	if err := tell(tx, job); err != nil {
		return err
	}
	return put(tx, job)
}

// failed hears of tasks that come again.
func (w *Worker) failed(task store.Task, err error) {
	level := slog.LevelWarn
	later, ok := errors.AsType[*LaterError](err)
	if ok {
		_, ok = errors.AsType[*LaterError](later.Err)
	}
	if ok {
		level = slog.LevelDebug // it says itself that it is nothing
	}
	more := append([]any{"queue", task.Queue, "request", string(task.Body), "try", task.Try, "error", err}, stack(err)...)
	w.Log.Log(context.Background(), level, "trying again", more...)
}

// rest is how long a pause is.
func (w *Worker) rest(pause time.Duration) time.Duration {
	if w.pause != nil {
		return w.pause(pause)
	}
	return pause
}

func (w *Worker) now() time.Time {
	if w.Now != nil {
		return w.Now().UTC()
	}
	return time.Now().UTC()
}

// load reads a job; false when it is not there.
func (w *Worker) load(ctx context.Context, id string) (Job, bool, error) {
	row, found, err := w.Store.Get(ctx, id)
	if err != nil || !found {
		return Job{}, false, err
	}
	job, err := decode(row)
	return job, true, err
}

// change changes a job in one transaction, with what follows from it. A job that
// stays as it is, such as at most looks at a run, is not written.
func (w *Worker) change(ctx context.Context, id string, do func(*store.Tx, *Job) error) error {
	return w.Store.Change(ctx, func(tx *store.Tx) error {
		row, ok, err := tx.Get(id)
		if err != nil {
			return err
		}
		if !ok {
			return hybridcore.Usagef("there is no run %.80q", id)
		}
		job, err := decode(row)
		if err != nil {
			return err
		}
		if err := do(tx, &job); err != nil {
			return err
		}
		body, err := encode(&job)
		if err != nil || bytes.Equal(body, row.Body) {
			return err
		}
		return tx.Put(store.Row{ID: id, State: string(job.State), Body: body})
	})
}

func decode(row store.Row) (Job, error) {
	var job struct {
		Job
		former
	}
	if err := json.Unmarshal(row.Body, &job); err != nil {
		return Job{}, fmt.Errorf("reading job %s: %w", row.ID, err)
	}
	job.into(&job.Job)
	return job.Job, nil
}

func encode(job *Job) ([]byte, error) {
	body, err := json.Marshal(job)
	if err != nil {
		return nil, fmt.Errorf("writing job %s: %w", job.Command.ID, err)
	}
	return body, nil
}

func put(tx *store.Tx, job *Job) error {
	body, err := encode(job)
	if err != nil {
		return err
	}
	return tx.Put(store.Row{ID: job.Command.ID, State: string(job.State), Body: body})
}

// tell has the message of a job show its new state.
func tell(tx *store.Tx, job *Job) error {
	job.Message.Want++
	return tx.Send(QueueTell, []byte(job.Command.ID), 0)
}

// end ends a job and those that joined it.
func (w *Worker) end(tx *store.Tx, job *Job, state State, outcome Outcome) error {
	outcome.At = w.now()
	if outcome.Targets == nil {
		outcome.Targets = job.Targets
	}
	job.State, job.Outcome, job.Note = state, &outcome, ""
	if err := tx.Release(job.Command.ID); err != nil {
		return err
	}
	if err := tell(tx, job); err != nil {
		return err
	}
	w.Log.Info("job ended", "request", job.Command.ID, "state", state, "status", outcome.Status, "why", outcome.Why)
	rows, err := tx.In(string(Joined))
	if err != nil {
		return err
	}
	for _, row := range rows {
		other, err := decode(row)
		if err != nil {
			return err
		}
		if other.Joined != job.Command.ID || other.Command.ID == job.Command.ID {
			continue
		}
		other.State, other.Outcome, other.Run = state, job.Outcome, job.Run
		if err := errors.Join(tell(tx, &other), put(tx, &other)); err != nil {
			return err
		}
	}
	return nil
}

// order is what the CI system is asked for, without the ticket.
func (w *Worker) order(job Job) Order {
	return Order{Request: job.Command.ID, Line: job.Line, Ref: w.Ref, Commit: job.Commit}
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
func (w *Worker) exclusively(kind, id string, do func() error) error {
	key := kind + " " + id
	if !w.busy.take(key) {
		return &LaterError{After: listWait / 10, Err: errors.New("another worker is at it")}
	}
	defer w.busy.free(key)
	return do()
}
