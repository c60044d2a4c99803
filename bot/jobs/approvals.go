// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:00Z
// Spec: openspec/specs/bot/spec.md#requirement-approval-by-another-person
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package jobs

import (
	"errors"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// Pending is what a job's approvals are for.
func (j Job) Pending() policy.Pending {
	p := policy.Pending{
		Requester: j.Person, Needs: j.Decision.Need, Given: j.Approvals(), Since: j.Shown, Commit: j.Commit,
	}
	if j.Plan != nil {
		p.Plan = j.Plan.Digest()
	}
	return p
}

// Open are the rules that nobody has satisfied.
func (j Job) Open() []policy.Answer {
	return slices.DeleteFunc(slices.Clone(j.Answers), func(a policy.Answer) bool { return !a.Open() })
}

// Await has a job wait for approvals of a commit and its plan; those that there
// were are void.
func (j *Job) Await(tx *store.Tx, commit string, plan policy.Plan, now time.Time) error {
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
	return errors.Join(append(all, Tell(tx, j))...)
}

// Rules are the rules that want an approval. Earlier versions wrote down only
// what the decision needs.
func (j Job) Rules() []policy.Answer {
	if len(j.Answers) > 0 {
		return j.Answers
	}
	var all []policy.Answer
	for _, need := range j.Decision.Need {
		all = append(all, policy.Answer{Need: need})
	}
	return all
}
