// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

// Package work takes jobs from the queue to their end: it asks the CI system for runs, follows them, ends them, waits
// for approvals, and has the message of each job show its newest state.
package work

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Options are what a worker works with.
type Options struct {
	Store      *store.Store
	Chat       *chat.Client
	Dispatcher cirun.Dispatcher
	Follower   cirun.Follower
	Ref        string // branch that runs are for
	// ListDelay is how long the CI system may take to list a run that it took, so
	// that an answer which was lost is not taken for a refusal.
	ListDelay time.Duration
	// Decide decides on a job again, now, and says whether a rule that wants an
	// approval is open. An error means to ask later.
	Decide func(context.Context, jobs.Job) (d policy.Decision, open bool, err error)
	// Audit writes down a decision that something follows from.
	Audit func(jobs.Job, policy.Decision)
	Plan  func(ctx context.Context, commit string, cells []policy.Cell) policy.Plan // nil: only the names of its targets
	// State answers a request that needs the state only; nil: the bot cannot read the state that runs write.
	State   func(context.Context, hybridcore.Request) (hybridcore.Answer, error)
	Tickets policy.Tickets
	Log     *slog.Logger
	Now     func() time.Time // nil: the system's clock
	Pace    time.Duration    // between two messages in a channel; 0: a second, as Slack asks
}

// Worker takes jobs from the queue to their end.
type Worker struct {
	with     Options
	steps    *steps
	runs     *runs
	messages *messages
}

// New is a worker, which begins with Run.
func New(o Options) *Worker {
	s := &steps{store: o.Store, log: o.Log, clock: o.Now}
	return &Worker{
		with: o, steps: s,
		runs:     &runs{steps: s, ci: o.Follower, ref: o.Ref},
		messages: &messages{steps: s, chat: o.Chat, pace: cmp.Or(o.Pace, channelPace)},
	}
}

// Changed has the jobs looked at whose run is this one, or whose commit this is;
// either may be empty. It is for events of the CI system, and may be wrong.
func (w *Worker) Changed(ctx context.Context, run, commit string) error {
	return w.with.Store.Change(ctx, func(tx *store.Tx) error {
		running, err := jobs.In(tx, jobs.Running)
		if err != nil {
			return err
		}
		for _, job := range running {
			if run != "" && job.Run.ID == run || commit != "" && job.Commit == commit {
				if err := tx.Send(jobs.QueueWake, []byte(job.Command.ID), 0); err != nil {
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
	err := jobs.Change(ctx, w.with.Store, id, func(tx *store.Tx, job *jobs.Job) error {
		switch job.State {
		case jobs.Queued, jobs.Awaiting, jobs.Joined:
			said, job.Stop = "Run "+id+" is cancelled; it had not begun.", &by
			return w.steps.end(tx, job, jobs.Done,
				cirun.Outcome{Status: hybridcore.Cancelled, Why: "cancelled before it began"})
		case jobs.Dispatching, jobs.Running:
			said = "Run " + id + " is being cancelled."
			if job.Stop != nil {
				return nil
			}
			job.Stop = &by
			return errors.Join(tx.Send(jobs.QueueCancel, []byte(id), 0), jobs.Tell(tx, job))
		default:
			said = "Run " + id + " has ended already."
			return nil
		}
	})
	return said, err
}

// head asks for the commit that runs are for.
func (w *Worker) head(ctx context.Context) (string, error) {
	head, err := w.with.Dispatcher.Head(ctx, w.with.Ref)
	if err == nil && !hybridcore.IsObjectID(head) {
		err = fmt.Errorf("%.80q is no object ID", head)
	}
	if err != nil {
		return "", fmt.Errorf("asking for the commit of %s: %w", w.with.Ref, err)
	}
	return head, nil
}
