// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:18:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#one-command

package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Times of a job on its way to a run.
const (
	// Patience is how long a job is tried to be dispatched. Slack's users have
	// long asked again by then.
	Patience = 24 * time.Hour

	groupsWait = 10 * time.Minute // for somebody's groups, until the job is denied
	laneWait   = 3 * time.Second  // between two looks whether targets are free
	lostAfter  = 15 * time.Minute // a run that was taken and is never listed
)

// dispatch takes a job towards its run.
func (w *Worker) dispatch(ctx context.Context, task store.Task) error {
	id := string(task.Body)
	return w.steps.exclusively(jobs.QueueDispatch, id, func() error {
		job, found, err := jobs.Get(ctx, w.with.Store, id)
		if err != nil || !found {
			return err
		}
		switch job.State {
		case jobs.Queued:
			return w.queued(ctx, task, job)
		case jobs.Dispatching:
			return w.unsure(ctx, task, job)
		default:
			return nil // cancelled, or done by a task that came twice
		}
	})
}

// queued decides on a job once more, and asks for its run when its targets are
// free.
func (w *Worker) queued(ctx context.Context, task store.Task, job jobs.Job) error {
	if w.steps.now().Sub(job.Command.At) > Patience {
		return w.steps.finish(ctx, task, job, jobs.Done,
			cirun.Failure("no run could be asked for within "+Patience.String()))
	}
	if taken, err := w.taken(ctx, task, job); err != nil || taken {
		return err
	}
	if job.Plan == nil || len(job.Approvals()) == 0 { // who approved, approved a commit
		head, err := w.head(ctx)
		if err != nil {
			return w.steps.refused(ctx, task, job, err)
		}
		job.Commit = head
	}
	decision, open, err := w.with.Decide(ctx, job)
	switch {
	case err != nil && w.steps.now().Sub(job.Command.At) > groupsWait:
		return w.steps.finish(ctx, task, job, jobs.Denied,
			cirun.Outcome{Status: hybridcore.BlockedStatus, Why: "nobody could say which groups you are in"})
	case err != nil:
		return w.steps.later(ctx, task, job, err)
	}
	if !decision.Allow {
		w.with.Audit(job, decision)
		return w.steps.finish(ctx, task, job, jobs.Denied,
			cirun.Outcome{Status: hybridcore.BlockedStatus, Why: decision.Why})
	}
	if open {
		w.with.Audit(job, decision)
		return w.await(ctx, task, job, decision)
	}
	if w.byState(job.Request) {
		w.with.Audit(job, decision)
		return w.read(ctx, task, job)
	}
	tried, commit, holder := w.steps.now(), job.Commit, ""
	err = jobs.Change(ctx, w.with.Store, job.Command.ID, func(tx *store.Tx, j *jobs.Job) error {
		if j.State != jobs.Queued {
			job.State = j.State
			return nil
		}
		if holder, err = tx.Claim(j.Command.ID, j.Lanes()); err != nil {
			return err
		}
		if holder != "" {
			return w.steps.wait(tx, task, j, waitsFor(holder), laneWait)
		}
		j.State, j.Tried, j.Commit, j.Decision, j.Note = jobs.Dispatching, tried, commit, decision, ""
		job = *j
		return nil
	})
	if err != nil || holder != "" || job.State != jobs.Dispatching {
		return err
	}
	w.with.Audit(job, decision)
	return w.ask(ctx, task, job)
}

// taken says whether another job has a target of this one, and has it wait: the
// CI system is asked nothing meanwhile.
func (w *Worker) taken(ctx context.Context, task store.Task, job jobs.Job) (bool, error) {
	holder, err := w.with.Store.Holder(ctx, job.Command.ID, job.Lanes())
	if err != nil || holder == "" {
		return false, err
	}
	return true, jobs.Change(ctx, w.with.Store, job.Command.ID,
		func(tx *store.Tx, j *jobs.Job) error { return w.steps.wait(tx, task, j, waitsFor(holder), laneWait) })
}

func waitsFor(holder string) string {
	return "waits for run " + holder + ", which has a target of it"
}

// unsure is a job whose run was perhaps asked for: it is looked for first.
func (w *Worker) unsure(ctx context.Context, task store.Task, job jobs.Job) error {
	run, found, err := w.with.Dispatcher.Find(ctx, job.Order(w.with.Ref))
	since := w.steps.now().Sub(job.Tried)
	switch {
	case err != nil && since > Patience:
		return w.steps.finish(ctx, task, job, jobs.Done,
			cirun.Failure("it is not known whether there is a run; look for "+job.Command.ID+" in the CI system"))
	case err != nil:
		return w.steps.later(ctx, task, job, fmt.Errorf("looking for the run: %w", err))
	case found:
		return w.started(ctx, task, run)
	case job.Run != nil && since > lostAfter:
		return w.steps.finish(ctx, task, job, jobs.Done,
			cirun.Failure("the CI system took the request and lists no run of it; see its settings for this workflow"))
	case job.Run != nil:
		return &cirun.LaterError{After: listWait, Err: errors.New("the run is not listed yet")}
	case since < w.with.ListDelay:
		return &cirun.LaterError{
			After: min(w.with.ListDelay-since, 10*time.Second) + time.Millisecond,
			Err:   errors.New("the run may not be listed yet"),
		}
	case job.Stop != nil:
		return w.steps.finish(ctx, task, job, jobs.Done,
			cirun.Outcome{Status: hybridcore.Cancelled, Why: "cancelled before there was a run"})
	}
	before, tried := job.Tried, w.steps.now()
	err = jobs.Change(ctx, w.with.Store, job.Command.ID, func(_ *store.Tx, j *jobs.Job) error {
		job.State = j.State
		if j.State == jobs.Dispatching && j.Tried.Equal(before) && j.Run == nil {
			j.Tried = tried
			job = *j
		}
		return nil
	})
	if err != nil || !job.Tried.Equal(tried) {
		return err
	}
	return w.ask(ctx, task, job)
}

// ask asks for a run. That it does so is written down.
func (w *Worker) ask(ctx context.Context, task store.Task, job jobs.Job) error {
	order, ticket, err := job.Order(w.with.Ref), job.Ticket(), error(nil)
	ticket.Audience, ticket.Expires = w.with.Tickets.Audience, job.Tried.Add(policy.TicketLife)
	if order.Ticket, err = w.with.Tickets.Keys.Seal(ticket); err != nil {
		return w.steps.refused(ctx, task, job, err)
	}
	run, err := w.with.Dispatcher.Dispatch(ctx, order)
	_, passes := errors.AsType[*cirun.LaterError](err)
	switch {
	case err == nil && run.ID != "":
		return w.started(ctx, task, run)
	case err == nil:
		return jobs.Change(ctx, w.with.Store, job.Command.ID, func(tx *store.Tx, j *jobs.Job) error {
			if j.State == jobs.Dispatching {
				j.Run = &cirun.Run{}
			}
			return tx.Again(task, w.steps.rest(listWait))
		})
	case stays(err):
		return w.steps.refused(ctx, task, job, err)
	case !passes:
		return w.steps.later(ctx, task, job, err) // perhaps there is a run
	}
	return jobs.Change(ctx, w.with.Store, job.Command.ID, func(tx *store.Tx, j *jobs.Job) error {
		if j.State == jobs.Dispatching { // surely there is none
			j.State, j.Tried = jobs.Queued, time.Time{}
		}
		return w.steps.wait(tx, task, j, err.Error(), delay(task, err))
	})
}

// started writes down that a job has a run, and has it followed.
func (w *Worker) started(ctx context.Context, task store.Task, run cirun.Run) error {
	return jobs.Change(ctx, w.with.Store, string(task.Body), func(tx *store.Tx, j *jobs.Job) error {
		if j.State != jobs.Dispatching {
			return nil
		}
		j.State, j.Run, j.Note, j.Changed = jobs.Running, &run, "", w.steps.now()
		w.with.Log.Info("dispatched", "request", j.Command.ID, "run", run.ID, "url", run.URL, "commit", j.Commit)
		return errors.Join(tx.Finish(task), tx.Send(jobs.QueueFollow, task.Body, 0), jobs.Tell(tx, j))
	})
}
