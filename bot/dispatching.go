// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:18:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// dispatch takes a job towards its run.
func (w *Worker) dispatch(ctx context.Context, task store.Task) error {
	id := string(task.Body)
	return w.exclusively(QueueDispatch, id, func() error {
		job, found, err := w.load(ctx, id)
		if err != nil || !found {
			return err
		}
		switch job.State {
		case Queued:
			return w.queued(ctx, task, job)
		case Dispatching:
			return w.unsure(ctx, task, job)
		default:
			return nil // cancelled, or done by a task that came twice
		}
	})
}

// queued decides on a job once more, and asks for its run when its targets are
// free.
func (w *Worker) queued(ctx context.Context, task store.Task, job Job) error {
	if w.now().Sub(job.Command.At) > Patience {
		return w.finish(ctx, task, job, Done,
			Outcome{Status: hybridcore.Failed, Why: "no run could be asked for within " + Patience.String()})
	}
	if taken, err := w.taken(ctx, task, job); err != nil || taken {
		return err
	}
	if job.Plan == nil || len(job.approvals()) == 0 { // who approved, approved a commit
		head, err := w.head(ctx)
		if err != nil {
			return w.refused(ctx, task, job, err)
		}
		job.Commit = head
	}
	decision, open, err := w.Decide(ctx, job)
	switch {
	case err != nil && w.now().Sub(job.Command.At) > groupsWait:
		return w.finish(ctx, task, job, Denied,
			Outcome{Status: hybridcore.BlockedStatus, Why: "nobody could say which groups you are in"})
	case err != nil:
		return w.later(ctx, task, job, err)
	}
	if !decision.Allow {
		w.audit(job, decision)
		return w.finish(ctx, task, job, Denied, Outcome{Status: hybridcore.BlockedStatus, Why: decision.Why})
	}
	if open {
		w.audit(job, decision)
		return w.await(ctx, task, job, decision)
	}
	if w.State != nil && job.Request.Action == hybridcore.ActionStatus {
		w.audit(job, decision)
		return w.read(ctx, task, job)
	}
	tried, commit, holder := w.now(), job.Commit, ""
	err = w.change(ctx, job.Command.ID, func(tx *store.Tx, j *Job) error {
		if j.State != Queued {
			job.State = j.State
			return nil
		}
		if holder, err = tx.Claim(j.Command.ID, j.lanes()); err != nil {
			return err
		}
		if holder != "" {
			return w.wait(tx, task, j, waitsFor(holder), laneWait)
		}
		j.State, j.Tried, j.Commit, j.Decision, j.Note = Dispatching, tried, commit, decision, ""
		job = *j
		return nil
	})
	if err != nil || holder != "" || job.State != Dispatching {
		return err
	}
	w.audit(job, decision)
	return w.ask(ctx, task, job)
}

// read answers a job by the state that runs write: no run is asked for.
func (w *Worker) read(ctx context.Context, task store.Task, job Job) error {
	answer, err := w.State(ctx, job.Request)
	out := OutcomeOf(answer)
	if err != nil {
		out = Outcome{Status: hybridcore.Failed, Why: "the state cannot be read: " + plain(err.Error(), maxWhy)}
	}
	return w.finish(ctx, task, job, Done, out)
}

// head asks for the commit that runs are for.
func (w *Worker) head(ctx context.Context) (string, error) {
	head, err := w.Dispatcher.Head(ctx, w.Ref)
	if err == nil && !hybridcore.IsObjectID(head) {
		err = fmt.Errorf("%.80q is no object ID", head)
	}
	if err != nil {
		return "", fmt.Errorf("asking for the commit of %s: %w", w.Ref, err)
	}
	return head, nil
}

// taken says whether another job has a target of this one, and has it wait: the
// CI system is asked nothing meanwhile.
func (w *Worker) taken(ctx context.Context, task store.Task, job Job) (bool, error) {
	holder, err := w.Store.Holder(ctx, job.Command.ID, job.lanes())
	if err != nil || holder == "" {
		return false, err
	}
	return true, w.change(ctx, job.Command.ID,
		func(tx *store.Tx, j *Job) error { return w.wait(tx, task, j, waitsFor(holder), laneWait) })
}

func waitsFor(holder string) string {
	return "waits for run " + holder + ", which has a target of it"
}

// unsure is a job whose run was perhaps asked for: it is looked for first.
func (w *Worker) unsure(ctx context.Context, task store.Task, job Job) error {
	run, found, err := w.Dispatcher.Find(ctx, w.order(job))
	since := w.now().Sub(job.Tried)
	switch {
	case err != nil && since > Patience:
		return w.finish(ctx, task, job, Done,
			Outcome{
				Status: hybridcore.Failed,
				Why:    "it is not known whether there is a run; look for " + job.Command.ID + " in the CI system",
			})
	case err != nil:
		return w.later(ctx, task, job, fmt.Errorf("looking for the run: %w", err))
	case found:
		return w.started(ctx, task, run)
	case job.Run != nil && since > lostAfter:
		return w.finish(ctx, task, job, Done,
			Outcome{
				Status: hybridcore.Failed,
				Why:    "the CI system took the request and lists no run of it; see its settings for this workflow",
			})
	case job.Run != nil:
		return &LaterError{After: listWait, Err: errors.New("the run is not listed yet")}
	case since < w.ListDelay:
		return &LaterError{
			After: min(w.ListDelay-since, 10*time.Second) + time.Millisecond,
			Err:   errors.New("the run may not be listed yet"),
		}
	case job.Stop != nil:
		return w.finish(ctx, task, job, Done, Outcome{Status: hybridcore.Cancelled, Why: "cancelled before there was a run"})
	}
	before, tried := job.Tried, w.now()
	err = w.change(ctx, job.Command.ID, func(_ *store.Tx, j *Job) error {
		job.State = j.State
		if j.State == Dispatching && j.Tried.Equal(before) && j.Run == nil {
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
func (w *Worker) ask(ctx context.Context, task store.Task, job Job) error {
	order, ticket, err := w.order(job), job.Ticket(), error(nil)
	ticket.Audience, ticket.Expires = w.Tickets.Audience, job.Tried.Add(policy.TicketLife)
	if order.Ticket, err = w.Tickets.Keys.Seal(ticket); err != nil {
		return w.refused(ctx, task, job, err)
	}
	run, err := w.Dispatcher.Dispatch(ctx, order)
	_, passes := errors.AsType[*LaterError](err)
	switch {
	case err == nil && run.ID != "":
		return w.started(ctx, task, run)
	case err == nil:
		return w.change(ctx, job.Command.ID, func(tx *store.Tx, j *Job) error {
			if j.State == Dispatching {
				j.Run = &Run{}
			}
			return tx.Again(task, w.rest(listWait))
		})
	case stays(err):
		return w.refused(ctx, task, job, err)
	case !passes:
		return w.later(ctx, task, job, err) // perhaps there is a run
	}
	return w.change(ctx, job.Command.ID, func(tx *store.Tx, j *Job) error {
		if j.State == Dispatching { // surely there is none
			j.State, j.Tried = Queued, time.Time{}
		}
		return w.wait(tx, task, j, err.Error(), delay(task, err))
	})
}

// started writes down that a job has a run, and has it followed.
func (w *Worker) started(ctx context.Context, task store.Task, run Run) error {
	return w.change(ctx, string(task.Body), func(tx *store.Tx, j *Job) error {
		if j.State != Dispatching {
			return nil
		}
		j.State, j.Run, j.Note, j.Changed = Running, &run, "", w.now()
		w.Log.Info("dispatched", "request", j.Command.ID, "run", run.ID, "url", run.URL, "commit", j.Commit)
		return errors.Join(tx.Finish(task), tx.Send(QueueFollow, task.Body, 0), tell(tx, j))
	})
}

// stays says whether a refusal does not pass by itself.
func stays(err error) bool {
	_, blocked := errors.AsType[*hybridcore.BlockedError](err)
	_, usage := errors.AsType[*hybridcore.UsageError](err)
	return blocked || usage
}

// refused ends a job that cannot be dispatched, or has it try again.
func (w *Worker) refused(ctx context.Context, task store.Task, job Job, err error) error {
	if stays(err) {
		return w.finish(ctx, task, job, Done, Outcome{Status: hybridcore.Failed, Why: plain(err.Error(), maxWhy)})
	}
	return w.later(ctx, task, job, err)
}

// later puts a job back, and shows why.
func (w *Worker) later(ctx context.Context, task store.Task, job Job, err error) error {
	w.failed(task, err)
	return w.change(ctx, job.Command.ID,
		func(tx *store.Tx, j *Job) error { return w.wait(tx, task, j, err.Error(), delay(task, err)) })
}

// wait puts a task back in a transaction, and shows what it waits for.
func (w *Worker) wait(tx *store.Tx, task store.Task, job *Job, why string, pause time.Duration) error {
	if why = plain(why, maxWhy); job.Note == "" {
		job.Note = why
		if err := tell(tx, job); err != nil {
			return err
		}
	}
	job.Note = why // the next edit shows the newest reason; it is no reason for one itself
	return tx.Again(task, w.rest(pause))
}

// delay is how long a task waits after an error.
func delay(task store.Task, err error) time.Duration {
	if later, ok := errors.AsType[*LaterError](err); ok {
		return min(later.After, maxLater)
	}
	return store.Pause(task.Try)
}

// finish ends a job whose task it is.
func (w *Worker) finish(ctx context.Context, task store.Task, job Job, state State, outcome Outcome) error {
	return w.change(ctx, job.Command.ID, func(tx *store.Tx, j *Job) error {
		if !j.State.Final() {
			if err := w.end(tx, j, state, outcome); err != nil {
				return err
			}
		}
		return tx.Finish(task)
	})
}

// audit writes down a decision.
func (w *Worker) audit(job Job, d policy.Decision) {
	audit(w.Log, job.Command, []any{"at", "dispatch", "verb", job.Request.Action, "commit", job.Commit}, job.Cells, d)
}
