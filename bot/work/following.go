// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package work

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// Pauses between two looks at a run: a tenth of how long nothing has changed,
// within these.
const (
	shortPause = 2 * time.Second
	longPause  = 30 * time.Second
)

// runs follows the runs that the CI system was asked for, and ends them.
type runs struct {
	steps *steps
	ci    cirun.Follower
	ref   string
}

// follow looks at a run until it ends.
func (r *runs) follow(ctx context.Context, task store.Task) error {
	job, err := r.look(ctx, string(task.Body))
	if err != nil {
		if stop := min(max(store.Pause(task.Try), shortPause), longPause); delay(task, err) < stop {
			return &cirun.LaterError{After: stop, Err: err}
		}
		return err
	}
	if job.State != jobs.Running {
		return nil
	}
	pause := min(max(r.steps.now().Sub(job.Changed)/10, shortPause), longPause)
	return r.steps.store.Change(ctx, func(tx *store.Tx) error { return tx.Again(task, r.steps.rest(pause)) })
}

// wake looks at a run once, because an event said that something has changed.
func (r *runs) wake(ctx context.Context, task store.Task) error {
	if _, err := r.look(ctx, string(task.Body)); err != nil {
		r.steps.failed(task, err) // following goes on
	}
	return nil
}

// look asks what a run has come to, and writes it down.
func (r *runs) look(ctx context.Context, id string) (jobs.Job, error) {
	var job jobs.Job
	err := r.steps.exclusively(jobs.QueueFollow, id, func() error {
		var found bool
		var err error
		job, found, err = jobs.Get(ctx, r.steps.store, id)
		if err != nil || !found || job.State != jobs.Running {
			return err
		}
		progress, err := r.ci.Status(ctx, job.Order(r.ref), *job.Run)
		if stays(err) {
			outcome := cirun.Failure("the run cannot be followed: " + err.Error())
			progress, err = cirun.Progress{Done: true, Outcome: outcome}, nil
		}
		if err != nil {
			return fmt.Errorf("asking for the run: %w", err)
		}
		return jobs.Change(ctx, r.steps.store, id, func(tx *store.Tx, j *jobs.Job) error {
			defer func() { job = *j }()
			return r.progressed(tx, j, progress)
		})
	})
	return job, err
}

// progressed takes over what a run has come to.
func (r *runs) progressed(tx *store.Tx, job *jobs.Job, p cirun.Progress) error {
	if job.State != jobs.Running {
		return nil
	}
	if len(p.Targets) > 0 && !reflect.DeepEqual(p.Targets, job.Targets) {
		job.Targets, job.Changed = p.Targets, r.steps.now()
		if !p.Done {
			return jobs.Tell(tx, job)
		}
	}
	if p.Done {
		return r.steps.end(tx, job, jobs.Done, p.Outcome)
	}
	return nil
}

// cancel ends the run of a job.
func (r *runs) cancel(ctx context.Context, task store.Task) error {
	job, found, err := jobs.Get(ctx, r.steps.store, string(task.Body))
	switch {
	case err != nil || !found:
		return err
	case job.State == jobs.Dispatching:
		return &cirun.LaterError{After: listWait, Err: errors.New("the run is not known yet")}
	case job.State != jobs.Running:
		return nil
	}
	if err := r.ci.Cancel(ctx, *job.Run); err != nil && !stays(err) {
		return fmt.Errorf("cancelling the run: %w", err)
	}
	return r.steps.store.Change(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Finish(task), tx.Send(jobs.QueueWake, task.Body, shortPause))
	})
}
