// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:52Z
// Spec: openspec/specs/bot/spec.md#requirement-approval-by-another-person
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// pending is what a job's approvals are for.
func (j Job) pending() policy.Pending {
	p := policy.Pending{
		Requester: j.Person, Needs: j.Decision.Need, Given: j.approvals(), Since: j.Shown, Commit: j.Commit,
	}
	if j.Plan != nil {
		p.Plan = j.Plan.Digest()
	}
	return p
}

// open are the rules that nobody has satisfied.
func (j Job) open() []policy.Answer {
	return slices.DeleteFunc(slices.Clone(j.Answers), func(a policy.Answer) bool { return !a.Open() })
}

// shows has a job wait for approvals of a commit and its plan; those that there
// were are void.
func (j *Job) shows(tx *store.Tx, commit string, plan policy.Plan, now time.Time) error {
	j.State, j.Commit, j.Plan, j.Shown, j.Answers, j.Note = Awaiting, commit, &plan, now, nil, ""
	var all []error
	var times []time.Duration
	for _, need := range j.Decision.Need {
		j.Answers = append(j.Answers, policy.Answer{Need: need})
		if !slices.Contains(times, need.Within) {
			times = append(times, need.Within)
			all = append(all, tx.Send(QueueExpire, []byte(j.Command.ID), need.Within+time.Second))
		}
	}
	return errors.Join(append(all, tell(tx, j))...)
}

// planOf is the plan of a job at a commit.
func (w *Worker) planOf(ctx context.Context, commit string, job Job) policy.Plan {
	if w.Plan == nil {
		return policy.UnknownPlan(job.Cells, "the bot does not read commits")
	}
	return w.Plan(ctx, commit, job.Cells)
}

// await has a job wait for the approvals that a decision asks for.
func (w *Worker) await(ctx context.Context, task store.Task, job Job, decision policy.Decision) error {
	if len(job.approvals()) > 0 && job.Plan != nil { // some are missing under the policy of now, so all begin anew
		head, err := w.head(ctx)
		if err != nil {
			return w.refused(ctx, task, job, err)
		}
		job.Commit = head
	}
	plan := w.planOf(ctx, job.Commit, job)
	return w.change(ctx, string(task.Body), func(tx *store.Tx, j *Job) error {
		if j.State != Queued {
			return nil
		}
		j.Decision = decision
		return errors.Join(tx.Finish(task), j.shows(tx, job.Commit, plan, w.now()))
	})
}

// Approve decides on an approval by the person of the snapshot, who saw a commit
// and its plan. The answer may be a denial; a UsageError says that there is no
// such job.
func (w *Worker) Approve(ctx context.Context, id string, seen policy.Seen, s policy.Snapshot) (policy.Decision, error) {
	none := hybridcore.Usagef("no run %.80q waits for an approval", id)
	job, found, err := w.load(ctx, id)
	if err != nil {
		return policy.Decision{}, err
	}
	if !found || job.State != Awaiting {
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
	err = w.change(ctx, id, func(tx *store.Tx, j *Job) error {
		if j.State != Awaiting || len(j.Decision.Need) == 0 {
			return none
		}
		seen.At = w.now()
		p := j.pending()
		if len(seen.Plan) >= shownDigits && strings.HasPrefix(p.Plan, seen.Plan) {
			seen.Plan = p.Plan
		}
		d = policy.Approve(s, p, seen)
		switch {
		case d.Allow:
			p.Given = append(p.Given, policy.Approval{By: s.Person, At: seen.At})
			if j.Answers = p.Answers(s.Bot); len(j.open()) > 0 {
				return tell(tx, j)
			}
			j.State = Queued
			return errors.Join(tx.Send(QueueDispatch, []byte(id), 0), tell(tx, j))
		case (seen.Head != j.Commit || j.Plan == nil) && mayApprove(s, *j):
			return j.shows(tx, seen.Head, *plan, seen.At)
		}
		return nil
	})
	return d, err
}

// mayApprove says whether a person could approve a job, were its commit right.
// Others do not make its message show another one.
func mayApprove(s policy.Snapshot, job Job) bool {
	p := job.pending()
	p.Commit, p.Plan, p.Given = "any", "any", nil
	return policy.Approve(s, p, policy.Seen{Commit: p.Commit, Plan: p.Plan, Head: p.Commit}).Allow
}

// expire ends a job of which a rule's time is over without an approval.
func (w *Worker) expire(ctx context.Context, task store.Task) error {
	return w.change(ctx, string(task.Body), func(tx *store.Tx, j *Job) error {
		if j.State == Awaiting {
			for _, answer := range j.rules() {
				if answer.Open() && !w.now().Before(answer.Until(j.Shown)) {
					why := fmt.Sprintf("nobody with role %s approved it within %s", strings.Join(answer.Need.Roles, " or "),
						answer.Need.Within)
					return errors.Join(w.end(tx, j, Expired, Outcome{Status: hybridcore.BlockedStatus, Why: why}), tx.Finish(task))
				}
			}
		}
		return tx.Finish(task) // each rule has a task for its end
	})
}

// rules are the rules that want an approval. Earlier versions wrote down only
// what the decision needs.
func (j Job) rules() []policy.Answer {
	if len(j.Answers) > 0 {
		return j.Answers
	}
	var all []policy.Answer
	for _, need := range j.Decision.Need {
		all = append(all, policy.Answer{Need: need})
	}
	return all
}

// Bounds of what a message shows of approvals.
const (
	maxRules    = 15
	shownDigits = 12 // of a plan's digest
)

// wanted says what is to be approved, by whom, and who has done so.
func wanted(job Job) string {
	plan := "not known yet: press Approve to see it"
	if job.Plan != nil {
		plan = job.Plan.Short()
	}
	lines := []string{fmt.Sprintf("Another person has to approve commit %s, plan %s, for each rule that is open.",
		line(job.Commit, maxCell), plan)}
	rules := job.rules()
	for _, answer := range rules[:min(len(rules), maxRules)] {
		roles, rule := line(strings.Join(answer.Need.Roles, " or "), maxCell), line(answer.Need.Rule, maxCell)
		if answer.Open() {
			lines = append(lines, fmt.Sprintf("• Open: role %s, until %s UTC, by %s", roles,
				answer.Until(job.Shown).UTC().Format("15:04"), rule))
			continue
		}
		lines = append(lines, fmt.Sprintf("• Approved by %s as %s, at %s UTC, by %s", line(answer.By.By.User, maxCell),
			line(answer.As, maxCell), answer.By.At.UTC().Format("15:04"), rule))
	}
	if more := len(rules) - maxRules; more > 0 {
		lines = append(lines, fmt.Sprintf("• and %d more rules", more))
	}
	return strings.Join(lines, "\n")
}

// planned is what the plan of a job has, for its message; empty when there is none.
func planned(job Job) string {
	if job.State != Awaiting || job.Plan == nil {
		return ""
	}
	return "Plan " + strings.TrimPrefix(job.Plan.String(), "plan ")
}
