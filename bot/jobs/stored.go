// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:00Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Queues. A task is the ID of a job.
const (
	QueueDispatch = "dispatch" // from queued to running
	QueueFollow   = "follow"   // a run, until it ends
	QueueWake     = "poke"     // a look at a run besides: an event said that it changed
	QueueCancel   = "cancel"
	QueueExpire   = "expire" // an approval that nobody gave
	QueueTell     = "tell"   // the message of a job
)

// Enqueue writes a new job, and has it carried out and shown.
func Enqueue(tx *store.Tx, job *Job) error {
	if job.State == Queued {
		if err := tx.Send(QueueDispatch, []byte(job.Command.ID), 0); err != nil {
			return fmt.Errorf("queueing a job: %w", err)
		}
	}
	if err := Tell(tx, job); err != nil {
		return err
	}
	return put(tx, job)
}

// Tell has the message of a job show its new state.
func Tell(tx *store.Tx, job *Job) error {
	job.Message.Want++
	return tx.Send(QueueTell, []byte(job.Command.ID), 0)
}

// End ends a job and those that joined it.
func End(tx *store.Tx, job *Job, state State, outcome cirun.Outcome) error {
	if outcome.Targets == nil {
		outcome.Targets = job.Targets
	}
	job.State, job.Outcome, job.Note = state, &outcome, ""
	if err := tx.Release(job.Command.ID); err != nil {
		return err
	}
	if err := Tell(tx, job); err != nil {
		return err
	}
	joined, err := In(tx, Joined)
	if err != nil {
		return err
	}
	for _, other := range joined {
		if other.Joined != job.Command.ID || other.Command.ID == job.Command.ID {
			continue
		}
		other.State, other.Outcome, other.Run = state, job.Outcome, job.Run
		if err := errors.Join(Tell(tx, &other), put(tx, &other)); err != nil {
			return err
		}
	}
	return nil
}

// Get reads a job; false when it is not there.
func Get(ctx context.Context, s *store.Store, id string) (Job, bool, error) {
	row, found, err := s.Get(ctx, id)
	if err != nil || !found {
		return Job{}, false, err
	}
	job, err := decode(row)
	return job, true, err
}

// In are the jobs in a state.
func In(tx *store.Tx, state State) ([]Job, error) {
	rows, err := tx.In(string(state))
	if err != nil {
		return nil, err
	}
	return decoded(rows)
}

// Latest are the newest jobs, the newest first.
func Latest(ctx context.Context, s *store.Store, most int) ([]Job, error) {
	rows, err := s.Latest(ctx, most)
	if err != nil {
		return nil, err
	}
	return decoded(rows)
}

// Change changes a job in one transaction, with what follows from it. A job that
// stays as it is, such as at most looks at a run, is not written.
func Change(ctx context.Context, s *store.Store, id string, do func(*store.Tx, *Job) error) error {
	return s.Change(ctx, func(tx *store.Tx) error {
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

// kept is how long jobs that have ended are kept.
const kept = 90 * 24 * time.Hour

// Prune forgets jobs that ended long ago, and what else of the store is as old.
func Prune(ctx context.Context, s *store.Store) error {
	states := make([]string, 0, len(finals))
	for _, state := range finals {
		states = append(states, string(state))
	}
	return s.Prune(ctx, kept, states...)
}

func decoded(rows []store.Row) ([]Job, error) {
	all := make([]Job, 0, len(rows))
	for _, row := range rows {
		job, err := decode(row)
		if err != nil {
			return nil, err
		}
		all = append(all, job)
	}
	return all, nil
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

// former is what earlier versions wrote down of a job: one approval, which was of
// a commit without a plan. It is shown, and counts for nothing.
type former struct {
	Approver *policy.Person `json:"approver"`
	Approved time.Time      `json:"approved"`
}

func (f former) into(job *Job) {
	if f.Approver == nil || len(job.Answers) > 0 {
		return
	}
	one := policy.Answer{By: policy.Approval{By: *f.Approver, At: f.Approved}, As: "approver"}
	if len(job.Decision.Need) > 0 {
		one.Need = job.Decision.Need[0]
	}
	job.Answers = []policy.Answer{one}
}
