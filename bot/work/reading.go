// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:24:00Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package work

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// noState says what to do about a state that the bot cannot read.
const noState = "the bot cannot read the state that runs write: name it in PACKER_HYBRID_STATE, or keep it in git, " +
	"see docs/state.md"

// byState says whether a request is answered by the state that runs write. Without it a run of the CI system tells
// the status; nobody else tells what is recorded.
func (w *Worker) byState(r hybridcore.Request) bool {
	status := r.Action == hybridcore.ActionStatus && !r.Look // to look at platforms is a job's
	return r.Action == hybridcore.ActionInspect || w.with.State != nil && status
}

// read answers a job by the state: no run is asked for.
func (w *Worker) read(ctx context.Context, task store.Task, job jobs.Job) error {
	if w.with.State == nil {
		return w.steps.finish(ctx, task, job, jobs.Done, cirun.Failure(noState))
	}
	answer, err := w.with.State(ctx, job.Request)
	switch {
	case stays(err): // such as a run that is not recorded
		return w.steps.finish(ctx, task, job, jobs.Done, cirun.Failure(err.Error()))
	case err != nil:
		return w.steps.finish(ctx, task, job, jobs.Done, cirun.Failure("the state cannot be read: "+err.Error()))
	}
	if answer.Record != nil {
		job.Cells = cellsOf(*answer.Record)
		decision, open, err := w.with.Decide(ctx, job)
		if err != nil {
			return w.steps.later(ctx, task, job, err)
		}
		if open {
			decision = policy.Decision{Rule: decision.Rule, Why: "the status of these targets needs an approval: ask for status"}
		}
		w.with.Audit(job, decision)
		if !decision.Allow {
			return w.steps.finish(ctx, task, job, jobs.Denied,
				cirun.Outcome{Status: hybridcore.BlockedStatus, Why: decision.Why})
		}
	}
	answer.Request = &job.Request
	return w.steps.finish(ctx, task, job, jobs.Done, cirun.OutcomeOf(answer))
}

// cellsOf are the targets that a record is about. One of a run that came to none is about its environment: only who
// may see all images on all platforms may see it.
func cellsOf(rec hybridcore.Record) []policy.Cell {
	var cells []policy.Cell
	for _, res := range rec.Results {
		cells = append(cells, policy.Cell{Env: rec.Request.Env, Image: res.Image, Platform: res.Platform})
	}
	if len(cells) == 0 {
		cells = []policy.Cell{{Env: rec.Request.Env}}
	}
	return cells
}
