// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:39Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Build executes a plan and records the run. The record is returned also when
// recording failed, so that a report can be made; the error then says what
// exists without a record. project.Blocking findings end it before anything starts,
// with an empty record.
func (s Stage) Build(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	plan, err := partOf(plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	x, err := s.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	// Read first: a mistake in the allow-list must not cost a build.
	if x.rules, err = s.compare().Rules(plan.Request.Env); err != nil {
		return hybridcore.Record{}, err
	}
	x.pulse = s.beat(ctx)
	defer x.pulse.stop()
	started := s.Project.Now()
	results := x.each(ctx, x.target)
	x.parity = x.compare(context.WithoutCancel(ctx), results)
	return x.record(ctx, started, results)
}

// Validate lets Packer check every target of a plan, changed or not. It builds
// and records nothing.
func (s Stage) Validate(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	plan.Targets = slices.Clone(plan.Targets)
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Build
	}
	if plan.Request.Parallel == 0 {
		// What an environment says is about builds, which load its platform.
		plan.Request.Parallel = runtime.NumCPU()
	}
	x, err := s.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	started := s.Project.Now()
	results := x.each(ctx, x.validate)
	return x.summary(started, results), nil
}

// each runs a function over the plan's targets, as many at once as the request
// or the project allows, and keeps the plan's order.
func (x *run) each(ctx context.Context,
	one func(context.Context, hybridcore.Target) hybridcore.Result,
) []hybridcore.Result {
	results := make([]hybridcore.Result, len(x.plan.Targets))
	slots := make(chan struct{}, x.project.Workers(x.plan.Request))
	var all sync.WaitGroup
	for i, planned := range x.plan.Targets {
		if planned.Decision == hybridcore.Unchanged {
			results[i] = x.unchanged(ctx, planned)
			continue
		}
		all.Go(func() {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				results[i] = x.begin(planned.Target).end(hybridcore.Cancelled, "cancelled before it started")
				return
			}
			results[i] = one(ctx, planned.Target)
		})
	}
	all.Wait()
	return results
}
