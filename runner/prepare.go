// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package runner

import (
	"context"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
)

// Prepare lets the real plugins check every target of a plan, changed or not,
// as `packer validate` would, in one run of the program that FindRPC finds. The
// check inside this process comes first; what it refuses is not asked. Nothing
// is built or recorded.
func (r *Runner) Prepare(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	findings, err := r.Check(ctx, plan, nil)
	if err != nil {
		return hybridcore.Record{}, err
	}
	plan.Findings = findings
	plan.Targets = slices.Clone(plan.Targets)
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Build
	}
	x, err := r.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	helper, err := r.FindRPC()
	if err != nil {
		return hybridcore.Record{}, err
	}
	started := r.Now()
	results, err := x.prepare(ctx, helper)
	if err != nil {
		return hybridcore.Record{}, err
	}
	return x.summary(started, results), nil
}

// prepare stages all targets and has them judged together.
func (x *run) prepare(ctx context.Context, helper string) ([]hybridcore.Result, error) {
	results := make([]hybridcore.Result, len(x.plan.Targets))
	var staged []*building
	var at []int
	var jobs []packer.Job
	for i, planned := range x.plan.Targets {
		b := x.begin(planned.Target)
		done, err := b.open(false)
		if err != nil {
			return nil, err
		}
		defer done()
		job, err := b.stage()
		if err != nil {
			results[i] = b.stopped(ctx, err)
			continue
		}
		staged, at, jobs = append(staged, b), append(at, i), append(jobs, job)
	}
	outcomes, err := x.tool.Prepare(ctx, helper, jobs, x.plan.Request.Parallel)
	if err != nil {
		return nil, err
	}
	for i, outcome := range outcomes {
		staged[i].take(outcome)
		results[at[i]] = staged[i].finish(outcome.Status)
	}
	return results, nil
}
