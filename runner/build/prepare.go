// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package build

import (
	"context"
	"runtime"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Prepare lets the real plugins check every target of a plan, changed or not,
// as `packer validate` would, in one run of the program that FindRPC finds. The
// plan holds the findings of Check; what those refuse is not asked. Nothing is
// built or recorded.
func (s Stage) Prepare(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	plan.Targets = slices.Clone(plan.Targets)
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Build
	}
	x, err := s.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	helper, err := s.Project.Tools.FindRPC()
	if err != nil {
		return hybridcore.Record{}, err
	}
	started := s.Project.Now()
	results, err := x.prepare(ctx, helper)
	if err != nil {
		return hybridcore.Record{}, err
	}
	return x.summary(started, results), nil
}

// stagedTarget is one target of those that are checked together.
type stagedTarget struct {
	b    *building
	job  packer.Job
	done func() // removes the stage; nil when there is none
	fail error  // why there is no directory for it
}

// prepare stages all targets and has them checked together.
func (x *run) prepare(ctx context.Context, helper string) ([]hybridcore.Result, error) {
	results := make([]hybridcore.Result, len(x.plan.Targets))
	targets := make([]stagedTarget, len(results))
	ready := make([]bool, len(results))
	defer project.Parallel(len(targets), runtime.GOMAXPROCS(0), func(i int) {
		if targets[i].done != nil {
			targets[i].done()
		}
	})
	project.Parallel(len(targets), runtime.GOMAXPROCS(0), func(i int) {
		t := &targets[i]
		t.b = x.begin(x.plan.Targets[i].Target)
		if t.done, t.fail = t.b.open(false); t.fail != nil {
			return
		}
		var err error
		if t.job, err = t.b.stage(); err != nil {
			results[i] = t.b.stopped(ctx, err)
			return
		}
		ready[i] = true
	})
	var at []int
	var jobs []packer.Job
	for i := range targets {
		if targets[i].fail != nil {
			return nil, targets[i].fail
		}
		if ready[i] {
			at, jobs = append(at, i), append(jobs, targets[i].job)
		}
	}
	outcomes, err := x.tool.Prepare(ctx, helper, jobs, x.plan.Request.Parallel)
	if err != nil {
		return nil, err
	}
	for i, outcome := range outcomes {
		t := &targets[at[i]]
		t.b.take(outcome)
		results[at[i]] = t.b.finish(outcome.Status)
	}
	return results, nil
}
