// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Pauses between two looks at a run: a tenth of how long nothing has changed,
// within these.
const (
	shortPause = 2 * time.Second
	longPause  = 30 * time.Second
)

// follow looks at a run until it ends.
func (w *Worker) follow(ctx context.Context, task store.Task) error {
	job, err := w.look(ctx, string(task.Body))
	if err != nil {
		if stop := min(max(store.Pause(task.Try), shortPause), longPause); delay(task, err) < stop {
			return &LaterError{After: stop, Err: err}
		}
		return err
	}
	if job.State != Running {
		return nil
	}
	pause := min(max(w.now().Sub(job.Changed)/10, shortPause), longPause)
	return w.Store.Change(ctx, func(tx *store.Tx) error { return tx.Again(task, w.rest(pause)) })
}

// wake looks at a run once, because an event said that something has changed.
func (w *Worker) wake(ctx context.Context, task store.Task) error {
	if _, err := w.look(ctx, string(task.Body)); err != nil {
		w.failed(task, err) // following goes on
	}
	return nil
}

// look asks what a run has come to, and writes it down.
func (w *Worker) look(ctx context.Context, id string) (Job, error) {
	var job Job
	err := w.exclusively(QueueFollow, id, func() error {
		var found bool
		var err error
		job, found, err = w.load(ctx, id)
		if err != nil || !found || job.State != Running {
			return err
		}
		progress, err := w.Follower.Status(ctx, w.order(job), *job.Run)
		if stays(err) {
			progress, err = Progress{
				Done:    true,
				Outcome: Outcome{Status: hybridcore.Failed, Why: "the run cannot be followed: " + plain(err.Error(), maxWhy)},
			}, nil
		}
		if err != nil {
			return fmt.Errorf("asking for the run: %w", err)
		}
		return w.change(ctx, id, func(tx *store.Tx, j *Job) error {
			defer func() { job = *j }()
			return w.progressed(tx, j, progress)
		})
	})
	return job, err
}

// progressed takes over what a run has come to.
func (w *Worker) progressed(tx *store.Tx, job *Job, p Progress) error {
	if job.State != Running {
		return nil
	}
	if len(p.Targets) > 0 && !reflect.DeepEqual(p.Targets, job.Targets) {
		job.Targets, job.Changed = p.Targets, w.now()
		if !p.Done {
			return tell(tx, job)
		}
	}
	if p.Done {
		return w.end(tx, job, Done, p.Outcome)
	}
	return nil
}

// Changed has the jobs looked at whose run is this one, or whose commit this is;
// either may be empty. It is for events of the CI system, and may be wrong.
func (w *Worker) Changed(ctx context.Context, run, commit string) error {
	return w.Store.Change(ctx, func(tx *store.Tx) error {
		rows, err := tx.In(string(Running))
		if err != nil {
			return err
		}
		for _, row := range rows {
			job, err := decode(row)
			if err != nil {
				return err
			}
			if run != "" && job.Run.ID == run || commit != "" && job.Commit == commit {
				if err := tx.Send(QueueWake, []byte(row.ID), 0); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Cancel ends a job, or its run, for somebody who may. It returns what to tell
// them; a UsageError says that there is no such job.
func (w *Worker) Cancel(ctx context.Context, id string, by policy.Person) (string, error) {
	said := ""
	err := w.change(ctx, id, func(tx *store.Tx, job *Job) error {
		switch job.State {
		case Queued, Awaiting, Joined:
			said, job.Stop = "Run "+id+" is cancelled; it had not begun.", &by
			return w.end(tx, job, Done, Outcome{Status: hybridcore.Cancelled, Why: "cancelled before it began"})
		case Dispatching, Running:
			said = "Run " + id + " is being cancelled."
			if job.Stop != nil {
				return nil
			}
			job.Stop = &by
			return errors.Join(tx.Send(QueueCancel, []byte(id), 0), tell(tx, job))
		default:
			said = "Run " + id + " has ended already."
			return nil
		}
	})
	return said, err
}

// cancel ends the run of a job.
func (w *Worker) cancel(ctx context.Context, task store.Task) error {
	job, found, err := w.load(ctx, string(task.Body))
	switch {
	case err != nil || !found:
		return err
	case job.State == Dispatching:
		return &LaterError{After: listWait, Err: errors.New("the run is not known yet")}
	case job.State != Running:
		return nil
	}
	if err := w.Follower.Cancel(ctx, *job.Run); err != nil && !stays(err) {
		return fmt.Errorf("cancelling the run: %w", err)
	}
	return w.Store.Change(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Finish(task), tx.Send(QueueWake, task.Body, shortPause))
	})
}

// retryable says whether asking for the same again would do something.
func (j Job) retryable() bool {
	return j.Outcome != nil && j.State == Done &&
		slices.Contains([]hybridcore.Status{hybridcore.Failed, hybridcore.Cancelled}, j.Outcome.Status)
}
