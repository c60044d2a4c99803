// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:41Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package main

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// do does this job's phase of a release, or its part of a reap.
func (p *phase) do(ctx context.Context, a *app, r *runner.Runner, req hybridcore.Request) (hybridcore.Answer, error) {
	switch p.name {
	case "":
		return p.reap(ctx, a, r, req)
	case phasePlan:
		r.Project.Connect = nil
		return p.plan(ctx, a, r, req)
	case phaseRecord:
		r.Project.Connect = nil
		return p.run(ctx, a, r, req, func(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
			files, err := release.Stage{Project: r.Project}.Read(p.from, p.pin)
			if err != nil {
				return hybridcore.Record{}, err
			}
			return release.Stage{Project: r.Project}.Record(ctx, plan, files)
		})
	default:
		return hybridcore.Answer{Request: &req}, p.reach(ctx, a, r)
	}
}

// run answers a request by a stage of this job's own.
func (p *phase) run(ctx context.Context, a *app, r *runner.Runner, req hybridcore.Request, stage runner.Stage) (
	hybridcore.Answer, error,
) {
	return a.answer(ctx, r, req, func(ctx context.Context, req hybridcore.Request, reporter runner.Reporter) (
		hybridcore.Answer, error,
	) {
		return r.Run(ctx, req, reporter, stage)
	})
}

// plan writes the plan of the release for the jobs that reach a platform. What
// speaks against it already is recorded, and there is nothing for them to do.
func (p *phase) plan(ctx context.Context, a *app, r *runner.Runner, req hybridcore.Request) (
	hybridcore.Answer, error,
) {
	answer := hybridcore.Answer{Request: &req}
	planned, err := plan.Stage{Project: r.Project}.Plan(ctx, req)
	if err != nil {
		return answer, err
	}
	draft, err := release.Stage{Project: r.Project}.Plan(ctx, planned, p.pin.Run)
	if err != nil || draft.Refused() {
		return p.run(ctx, a, r, req, func(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
			if err != nil {
				return hybridcore.Record{}, err
			}
			return release.Stage{Project: r.Project}.Refuse(ctx, draft, plan.Request.Origin)
		})
	}
	if err := checks.WriteFindings(a.Err, a.Style(a.Raw.Err), planned.Findings); err != nil {
		return answer, err
	}
	name, data, digest, err := release.SealPlan(draft)
	if err != nil {
		return answer, err
	}
	if err := p.hand(a, r.Project.Config.Root, releaseDir, name, data); err != nil {
		return answer, fmt.Errorf("the plan of the release is not handed over: %w", err)
	}
	var on []string
	for _, platform := range draft.Platforms() {
		on = append(on, platform.Info().Title)
	}
	_, _ = fmt.Fprintf(a.Out, "release %s of %s, of %d targets, is to be prepared on %s: %s\n",
		draft.Release.Name, draft.Release.Env, len(draft.Targets), strings.Join(on, ", "), path.Join(artifacts, releaseDir,
			name))
	if p.job.System == ci.GitHub {
		p.job.try("the output release_digest", p.job.actions.Output("release_digest", digest))
	}
	return answer, nil
}

// reach does a phase on the platform of this job, and hands over what it came to.
func (p *phase) reach(ctx context.Context, a *app, r *runner.Runner) error {
	r.Project.State = nil // what this machine built counts for nothing
	files, err := release.Stage{Project: r.Project}.Read(p.from, p.pin)
	if err != nil {
		return err
	}
	if p.name == phaseMark && files.Plan.Request.DryRun {
		_, _ = fmt.Fprintf(a.Out, "dry run: nothing is marked as release %s\n", files.Plan.Release.Name)
		return nil
	}
	if len(files.Plan.On(p.platform)) == 0 { // the environment has platforms that no image of it is for
		_, _ = fmt.Fprintf(a.Out, "release %s has nothing on %s\n", files.Plan.Release.Name, p.platform.Info().Title)
		return nil
	}
	stage := release.Stage{Project: r.Project}
	targets, err := stage.Targets(ctx, p.pin.Asked, files.Plan, p.platform)
	if err != nil {
		return err
	}
	var parts []hybridcore.ReleasePart
	if p.name == phasePrepare {
		parts, err = stage.Prepare(ctx, files.Plan, targets)
	} else {
		parts, err = stage.Mark(ctx, files.Plan, files.Prepared, targets)
	}
	if err != nil {
		return err
	}
	code := hybridcore.ExitOK
	for _, part := range parts {
		name, data, err := release.SealPart(part)
		if err == nil {
			err = p.hand(a, r.Project.Config.Root, releaseDir, name, data)
		}
		if err != nil {
			return fmt.Errorf("what the job came to is not handed over: %w", err)
		}
		code = worse(code, p.tell(a, part))
	}
	if code != hybridcore.ExitOK {
		return cli.Exit(code)
	}
	return nil
}

// tell prints what a phase came to, and is the exit code of it.
func (p *phase) tell(a *app, part hybridcore.ReleasePart) int {
	code := hybridcore.ExitOK
	for _, step := range part.Steps {
		switch {
		case step.Cancelled:
			code = worse(code, hybridcore.ExitCancelled)
		case step.Failure != "":
			code = worse(code, hybridcore.ExitFailed)
		default:
			_, _ = fmt.Fprintf(a.Out, "%s  %s\n", step.Target, part.Phase)
			continue
		}
		_, _ = fmt.Fprintf(a.Out, "%s  failed: %s\n", step.Target, step.Failure)
	}
	return code
}
