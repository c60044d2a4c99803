// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package runner

import (
	"context"
	"errors"
	"os"
	"runtime"
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

// stagedTarget is one target of a joint judgement.
type stagedTarget struct {
	*building
	job  packer.Job
	done func() // removes the stage; nil when there is none
	fail error  // why there is no directory for it
}

// prepare stages all targets and has them judged together.
func (x *run) prepare(ctx context.Context, helper string) ([]hybridcore.Result, error) {
	results := make([]hybridcore.Result, len(x.plan.Targets))
	targets := make([]stagedTarget, len(results))
	ready := make([]bool, len(results))
	defer abreast(len(targets), runtime.GOMAXPROCS(0), func(i int) {
		if targets[i].done != nil {
			targets[i].done()
		}
	})
	abreast(len(targets), runtime.GOMAXPROCS(0), func(i int) {
		t := &targets[i]
		t.building = x.begin(x.plan.Targets[i].Target)
		if t.done, t.fail = t.open(false); t.fail != nil {
			return
		}
		var err error
		if t.job, err = t.stage(); err != nil {
			results[i] = t.stopped(ctx, err)
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
		t.take(outcome)
		results[at[i]] = t.finish(outcome.Status)
	}
	return results, nil
}
