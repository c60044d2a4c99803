// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:53:33Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package runner

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Stage makes the record of a plan.
type Stage func(context.Context, hybridcore.Plan) (hybridcore.Record, error)

// Do does what a request asks for, and returns what it came to: also when it failed or was cancelled, as far as it
// came. The error says why there is no answer; an answer that is none of success is no error, see
// hybridcore.Answer.ExitCode. Reporter hears of the plan of a run and of its progress; nil tells nobody.
func (r *Runner) Do(ctx context.Context, req hybridcore.Request, reporter Reporter) (hybridcore.Answer, error) {
	answer, err := r.do(ctx, req, reporter)
	answer.Request = &req
	return answer, err
}

func (r *Runner) do(ctx context.Context, req hybridcore.Request, reporter Reporter) (hybridcore.Answer, error) {
	switch req.Action {
	case hybridcore.ActionStatus:
		return r.status(ctx, req)
	case hybridcore.ActionInspect:
		return r.inspect(ctx, req)
	case hybridcore.ActionReap:
		reaped, err := r.build(nil).Reap(ctx, req)
		return only(err, hybridcore.Answer{Reaped: &reaped})
	case hybridcore.ActionParity:
		report, err := r.compare().Parity(ctx, req)
		return only(err, hybridcore.Answer{Parity: &report})
	case hybridcore.ActionPlan:
		planned, err := r.plan().Plan(ctx, req)
		return only(err, hybridcore.Answer{Plan: &planned})
	case hybridcore.ActionValidate:
		return r.validation(ctx, req, reporter)
	case hybridcore.ActionCollect:
		return r.Run(ctx, req, reporter, r.build(reporter).Collect)
	case hybridcore.ActionPublish:
		return r.Run(ctx, req, reporter, r.release().Publish)
	default:
		return r.Run(ctx, req, reporter, r.build(reporter).Build)
	}
}

// only is an answer, or an error.
func only(err error, answer hybridcore.Answer) (hybridcore.Answer, error) {
	if err != nil {
		return hybridcore.Answer{}, err
	}
	return answer, nil
}

// Run plans a request, tells the reporter of the plan, and lets a stage make the record.
func (r *Runner) Run(ctx context.Context, req hybridcore.Request, reporter Reporter, stage Stage) (
	hybridcore.Answer, error,
) {
	planned, err := r.plan().Plan(ctx, req)
	if err == nil && req.With == hybridcore.WithPlugins {
		planned.Findings, err = r.plan().Check(ctx, planned, nil)
	}
	if err != nil {
		return hybridcore.Answer{}, err
	}
	if reporter == nil {
		reporter = silent{}
	}
	reporter.Event(hybridcore.Event{At: r.Project.Now(), Kind: hybridcore.EventPlan, Plan: &planned})
	record, err := stage(ctx, planned)
	answer := hybridcore.Answer{Request: &req, Plan: &planned}
	if record.RunID == "" { // ended before it began
		return answer, err
	}
	answer.Record = &record
	answer.Parity, answer.Findings = r.changes(ctx, record)
	return answer, err
}

// changes compares the images of a build with those before them. A part's is for who collects it.
func (r *Runner) changes(ctx context.Context, record hybridcore.Record) (*hybridcore.ParityReport, []hybridcore.Finding) {
	if !r.Compare || record.Request.Action != hybridcore.ActionBuild || record.Request.Part != "" || ctx.Err() != nil {
		return nil, nil
	}
	changes, err := r.compare().Since(ctx, record)
	var findings []hybridcore.Finding
	if err != nil {
		findings = []hybridcore.Finding{{
			Kind: "parity", Severity: hybridcore.Warning,
			Message: "what changed in the images was not looked at: " + r.Project.Redact(err.Error()),
		}}
	}
	if len(changes)+len(record.Parity) == 0 {
		return nil, findings
	}
	return &hybridcore.ParityReport{
		Env: record.Request.Env, Parity: append([]hybridcore.Parity{}, record.Parity...), Changes: changes, Notes: []string{},
	}, findings
}
