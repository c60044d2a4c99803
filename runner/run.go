// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package runner

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Stage makes the record of a plan.
type Stage func(context.Context, hybridcore.Plan) (hybridcore.Record, error)

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
	if req.Action == hybridcore.ActionBuild && hybridcore.Blocked(planned.Findings) == hybridcore.NotBlocked {
		if planned, err = r.looked(ctx, planned); err == nil {
			planned, err = r.plan().Lacking(ctx, planned)
		}
		if err != nil {
			return hybridcore.Answer{}, err
		}
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
func (r *Runner) changes(ctx context.Context, record hybridcore.Record) (*hybridcore.ParityReport,
	[]hybridcore.Finding,
) {
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

// only is an answer, or an error.
func only(err error, answer hybridcore.Answer) (hybridcore.Answer, error) {
	if err != nil {
		return hybridcore.Answer{}, err
	}
	return answer, nil
}
