// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package runner

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
)

// Prepare lets the real plugins check every target of a plan, changed or not,
// as `packer validate` would, in one run of the program that FindRPC finds. The
// plan holds the findings of Check; what those refuse is not asked. Nothing is
// built or recorded.
func (r *Runner) Prepare(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
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

// learn asks the plugins that a plan needs for their schemas, each binary once.
// What goes wrong is said in the log: the plugins' own verdicts follow. Nothing
// is started when the plan is blocked, as by a plugin that the lock does not know.
func (r *Runner) learn(ctx context.Context, plan hybridcore.Plan) {
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return
	}
	err := r.askSchemas(ctx, plan)
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("the settings of the installed plugins are not known; the embedded schemas are taken", "error", r.redact(err.Error()))
	}
}

func (r *Runner) askSchemas(ctx context.Context, plan hybridcore.Plan) (err error) {
	helper, err := r.FindRPC()
	if err != nil {
		return err
	}
	tool, err := r.packerTool(ctx)
	if err != nil {
		return err
	}
	set, _, err := r.templates()
	if err != nil {
		return err
	}
	job := packer.Job{Scratch: newScratch(), Env: r.Environ, Redact: r.redact, Hurry: r.Hurry}
	seen := map[string]bool{}
	for _, planned := range plan.Targets {
		plugins, err := r.installed(tool, set.Plugins(planned.Target))
		if err != nil {
			return err
		}
		for _, p := range plugins {
			if !seen[p.SHA256] {
				seen[p.SHA256] = true
				job.Plugins = append(job.Plugins, p)
			}
		}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(job.Scratch)) }()
	return tool.LearnSchemas(ctx, helper, job)
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
