// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:20:00Z
// Spec: openspec/specs/plan/spec.md#requirement-remembered-verdicts
// Diagram: openspec/specs/plan/diagram.md#verdicts

package runner

import (
	"context"
	"errors"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
)

// validation answers the verb validate: from what an earlier one found when nothing changed since.
func (r *Runner) validation(ctx context.Context, req hybridcore.Request, reporter Reporter) (hybridcore.Answer, error) {
	remember := r.Remember
	if req.NoCache {
		remember = plan.Memory{}
	}
	start := r.Project.Now()
	env, err := r.Project.Config.Environment(req.Env)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	key := r.plan().VerdictKey(ctx, remember.Verdicts, req, remember.Program)
	if known, ok := remember.Verdicts.Recall(key); ok && (!req.InProcess() || !remember.Whole) {
		return known.Answer(req, hybridcore.Checked{
			Env: env.Name, Targets: known.Targets,
			Took: r.Project.Now().Sub(start),
		}), nil
	}
	var answer hybridcore.Answer
	found := plan.Verdict{Key: key, Of: req.ID}
	switch {
	case req.InProcess():
		answer, err = r.inProcess(ctx, req)
		if answer.Checked != nil {
			answer.Checked.Took = r.Project.Now().Sub(start)
		}
	case req.With == hybridcore.WithPlugins:
		answer, err = r.Run(ctx, req, reporter, r.build(reporter).Prepare)
	default:
		answer, err = r.Run(ctx, req, reporter, r.build(reporter).Validate)
	}
	_, form := errors.AsType[*hybridcore.FindingsError](err)
	if err != nil && !form || answer.Plan == nil {
		return answer, err
	}
	found.Add(answer)
	if r.Policy == nil { // what this machine lacks is no verdict on the templates: it is looked for anew
		looked, wrong := r.plan().Lacking(ctx, *answer.Plan)
		if wrong != nil {
			return answer, wrong
		}
		if len(looked.Findings) > len(answer.Plan.Findings) {
			answer.Plan = &looked
			return answer, err
		}
	}
	found.At = r.Project.Now().UTC()
	if r.plan().VerdictKey(ctx, remember.Verdicts, req, remember.Program) == key { // nothing changed meanwhile
		remember.Verdicts.Remember(found, r.Project.Redactor.String)
	}
	return answer, err
}

// inProcess validates inside this process.
func (r *Runner) inProcess(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	planned, err := r.plan().Plan(ctx, req)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	if planned.Findings, err = r.plan().Check(ctx, planned, r.Policy); err != nil {
		return hybridcore.Answer{}, err
	}
	return hybridcore.Answer{
		Plan: &planned, Checked: &hybridcore.Checked{Env: planned.Request.Env, Targets: len(planned.Targets)},
	}, nil
}
