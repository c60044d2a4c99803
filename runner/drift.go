// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package runner

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/drift"
)

// drift answers the verb drift: it plans, asks the platforms when that was asked for, and
// compares.
func (r *Runner) drift(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	return r.Drift(ctx, req, func(planned hybridcore.Plan) []hybridcore.Finding {
		if !req.Look {
			return nil
		}
		return r.live().Drift(ctx, planned)
	})
}

// Drift answers the verb drift with what others found on the platforms, of the plan of what
// is built.
func (r *Runner) Drift(ctx context.Context, req hybridcore.Request,
	live func(hybridcore.Plan) []hybridcore.Finding,
) (hybridcore.Answer, error) {
	planned, err := r.plan().Plan(ctx, req)
	if err != nil {
		return hybridcore.Answer{Request: &req}, err
	}
	found, err := drift.Stage{Project: r.Project}.Look(ctx, planned, live(planned))
	answer, err := only(err, hybridcore.Answer{Drift: &found})
	answer.Request = &req
	return answer, err
}

// Live looks at what is built on the platforms of a request, for a job that puts several
// such looks together.
func (r *Runner) Live(ctx context.Context, req hybridcore.Request) ([]hybridcore.LiveTarget, error) {
	planned, err := r.plan().Plan(ctx, req)
	if err != nil {
		return nil, err
	}
	looks, all := r.live().Looks(ctx, planned), []hybridcore.LiveTarget{}
	for _, t := range planned.Targets {
		if look, looked := looks[t.Target.Key()]; looked && t.Current != nil {
			all = append(all, hybridcore.LiveTarget{
				Key: t.Target.Key(), Build: t.Current.RunID, Findings: look.Findings,
			})
		}
	}
	return all, nil
}
