// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:53:33Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package runner

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

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
	case hybridcore.ActionFree:
		record, err := r.build(nil).Free(ctx, req)
		return only(err, hybridcore.Answer{Record: &record})
	case hybridcore.ActionParity:
		report, err := r.compare().Parity(ctx, req)
		return only(err, hybridcore.Answer{Parity: &report})
	case hybridcore.ActionDrift:
		return r.drift(ctx, req)
	case hybridcore.ActionExplain:
		explanation, err := r.plan().Explain(req)
		return only(err, hybridcore.Answer{Explanation: &explanation})
	case hybridcore.ActionPlan:
		planned, err := r.plan().Plan(ctx, req)
		if err == nil && req.Look {
			planned, err = r.looked(ctx, planned)
		}
		if err == nil && req.Base == "" && r.Policy == nil {
			planned, err = r.plan().Lacking(ctx, planned)
		}
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
