// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:52Z
// Spec: openspec/specs/bot/spec.md#requirement-approval-by-another-person
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package work

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// planOf is the plan of a job at a commit.
func (w *Worker) planOf(ctx context.Context, commit string, job jobs.Job) policy.Plan {
	if w.with.Plan == nil {
		return policy.UnknownPlan(job.Cells, "the bot does not read commits")
	}
	return w.with.Plan(ctx, commit, job.Cells)
}

// await has a job wait for the approvals that a decision asks for.
func (w *Worker) await(ctx context.Context, task store.Task, job jobs.Job, decision policy.Decision) error {
	if len(job.Approvals()) > 0 && job.Plan != nil { // some are missing under the policy of now, so all begin anew
		head, err := w.head(ctx)
		if err != nil {
			return w.steps.refused(ctx, task, job, err)
		}
		job.Commit = head
	}
	plan := w.planOf(ctx, job.Commit, job)
	return jobs.Change(ctx, w.with.Store, string(task.Body), func(tx *store.Tx, j *jobs.Job) error {
		if j.State != jobs.Queued {
			return nil
		}
		j.Decision = decision
		return errors.Join(tx.Finish(task), j.Await(tx, job.Commit, plan, w.steps.now()))
	})
}

// shownDigits is how many digits of a plan's digest its message shows.
const shownDigits = 12

// Approve decides on an approval by the person of the snapshot, who saw a commit
// and its plan. The answer may be a denial; a UsageError says that there is no
// such job.
func (w *Worker) Approve(ctx context.Context, id string, seen policy.Seen, s policy.Snapshot) (policy.Decision, error) {
	none := hybridcore.Usagef("no run %.80q waits for an approval", id)
	job, found, err := jobs.Get(ctx, w.with.Store, id)
	if err != nil {
		return policy.Decision{}, err
	}
	if !found || job.State != jobs.Awaiting {
		return policy.Decision{}, none
	}
	if seen.Head, err = w.head(ctx); err != nil {
		return policy.Decision{}, err
	}
	plan := job.Plan
	if plan == nil || seen.Head != job.Commit {
		fresh := w.planOf(ctx, seen.Head, job)
		plan = &fresh
	}
	var d policy.Decision
	err = jobs.Change(ctx, w.with.Store, id, func(tx *store.Tx, j *jobs.Job) error {
		if j.State != jobs.Awaiting || len(j.Decision.Need) == 0 {
			return none
		}
		seen.At = w.steps.now()
		p := j.Pending()
		if len(seen.Plan) >= shownDigits && strings.HasPrefix(p.Plan, seen.Plan) {
			seen.Plan = p.Plan
		}
		d = policy.Approve(s, p, seen)
		switch {
		case d.Allow:
			p.Given = append(p.Given, policy.Approval{By: s.Person, At: seen.At})
			if j.Answers = p.Answers(s.Bot); len(j.Open()) > 0 {
				return jobs.Tell(tx, j)
			}
			j.State = jobs.Queued
			return errors.Join(tx.Send(jobs.QueueDispatch, []byte(id), 0), jobs.Tell(tx, j))
		case (seen.Head != j.Commit || j.Plan == nil) && mayApprove(s, *j):
			return j.Await(tx, seen.Head, *plan, seen.At)
		}
		return nil
	})
	return d, err
}

// mayApprove says whether a person could approve a job, were its commit right.
// Others do not make its message show another one.
func mayApprove(s policy.Snapshot, job jobs.Job) bool {
	p := job.Pending()
	p.Commit, p.Plan, p.Given = "any", "any", nil
	return policy.Approve(s, p, policy.Seen{Commit: p.Commit, Plan: p.Plan, Head: p.Commit}).Allow
}

// expire ends a job of which a rule's time is over without an approval.
func (w *Worker) expire(ctx context.Context, task store.Task) error {
	return jobs.Change(ctx, w.with.Store, string(task.Body), func(tx *store.Tx, j *jobs.Job) error {
		if j.State == jobs.Awaiting {
			for _, answer := range j.Rules() {
				if answer.Open() && !w.steps.now().Before(answer.Until(j.Shown)) {
					why := fmt.Sprintf("nobody with role %s approved it within %s", strings.Join(answer.Need.Roles, " or "),
						answer.Need.Within)
					outcome := cirun.Outcome{Status: hybridcore.BlockedStatus, Why: why}
					return errors.Join(w.steps.end(tx, j, jobs.Expired, outcome), tx.Finish(task))
				}
			}
		}
		return tx.Finish(task) // each rule has a task for its end
	})
}
