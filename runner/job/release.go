// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:41Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package job

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// run has a stage make the record of a request, and shows it.
func (p *phase) run(ctx context.Context, o opened, req hybridcore.Request, stage runner.Stage) (
	hybridcore.Answer, error,
) {
	work := func(ctx context.Context, req hybridcore.Request, reporter runner.Reporter) (hybridcore.Answer, error) {
		return o.runner.Run(ctx, req, reporter, stage)
	}
	return o.process.Answer(ctx, o.runner, req, o.screen, work)
}

// plan plans the release, for the jobs that reach the platforms. What something
// speaks against already is recorded here: no other job begins.
func (p *phase) plan(ctx context.Context, o opened, req hybridcore.Request) (hybridcore.Answer, error) {
	answer := hybridcore.Answer{Request: &req}
	planned, err := plan.Stage{Project: o.runner.Project}.Plan(ctx, req)
	if err != nil {
		return answer, err
	}
	draft, err := o.release().Plan(ctx, planned, p.pin.Run)
	if err != nil || draft.Refused() {
		return p.run(ctx, o, req, func(ctx context.Context, again hybridcore.Plan) (hybridcore.Record, error) {
			if err != nil {
				return hybridcore.Record{}, err
			}
			return o.release().Refuse(ctx, draft, again.Request.Origin)
		})
	}
	if err := checks.WriteFindings(o.screen.Err, o.screen.ErrStyle, planned.Findings); err != nil {
		return answer, err
	}
	name, data, digest, err := release.SealPlan(draft)
	if err != nil {
		return answer, err
	}
	if err := p.hand(o, releaseDir, name, data); err != nil {
		return answer, fmt.Errorf("the plan of the release is not handed over: %w", err)
	}
	var on []string
	for _, platform := range draft.Platforms() {
		on = append(on, platform.Info().Title)
	}
	_, _ = fmt.Fprintf(o.screen.Out, "release %s of %s, of %d targets, is to be prepared on %s: %s\n",
		draft.Release.Name, draft.Release.Env, len(draft.Targets), strings.Join(on, ", "),
		path.Join(process.ArtifactsDir, releaseDir, name))
	p.job.try("the output release_digest", p.job.values.Output("release_digest", digest))
	return answer, nil
}

// reach prepares or marks what the release has on the platform of the job.
func (p *phase) reach(ctx context.Context, o opened) error {
	o.runner.Project.State = nil // what this machine built counts for nothing
	files, err := o.release().Read(p.from, p.pin)
	if err != nil {
		return err
	}
	if p.name == phaseMark && files.Plan.Request.DryRun {
		_, _ = fmt.Fprintf(o.screen.Out, "dry run: nothing is marked as release %s\n", files.Plan.Release.Name)
		return nil
	}
	if len(files.Plan.On(p.platform)) == 0 { // the environment has platforms that no image of it is for
		_, _ = fmt.Fprintf(o.screen.Out, "release %s has nothing on %s\n", files.Plan.Release.Name,
			p.platform.Info().Title)
		return nil
	}
	targets, err := o.release().Targets(ctx, p.pin.Asked, files.Plan, p.platform)
	if err != nil {
		return err
	}
	var parts []hybridcore.ReleasePart
	if p.name == phasePrepare {
		parts, err = o.release().Prepare(ctx, files.Plan, targets)
	} else {
		parts, err = o.release().Mark(ctx, files.Plan, files.Prepared, targets)
	}
	if err != nil {
		return err
	}
	code := hybridcore.ExitOK
	for _, part := range parts {
		name, data, err := release.SealPart(part)
		if err == nil {
			err = p.hand(o, releaseDir, name, data)
		}
		if err != nil {
			return fmt.Errorf("what the job came to is not handed over: %w", err)
		}
		code = worse(code, tell(o, part))
	}
	if code != hybridcore.ExitOK {
		return hybridcore.Exit(code)
	}
	return nil
}

// tell prints what became of each target, and returns the exit code.
func tell(o opened, part hybridcore.ReleasePart) int {
	code := hybridcore.ExitOK
	for _, step := range part.Steps {
		switch {
		case step.Cancelled:
			code = worse(code, hybridcore.ExitCancelled)
		case step.Failure != "":
			code = worse(code, hybridcore.ExitFailed)
		default:
			_, _ = fmt.Fprintf(o.screen.Out, "%s  %s\n", step.Target, part.Phase)
			continue
		}
		_, _ = fmt.Fprintf(o.screen.Out, "%s  failed: %s\n", step.Target, step.Failure)
	}
	return code
}
