// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:36:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package release

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Publish marks what a plan finds built as a release: all phases in one process.
// Everything is looked up first; when anything is missing or the platforms
// differ, nothing is marked. A release that was published before is completed,
// and unchanged when nothing was missing. The record is returned also when it
// could not be stored.
func (s Stage) Publish(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	draft, err := s.Plan(ctx, plan, "")
	if err != nil {
		return hybridcore.Record{}, err
	}
	end := ending{draft: draft}
	if end.digest, err = state.Sum(kindPlan, draft); err != nil {
		return hybridcore.Record{}, err
	}
	targets := targetsOf(plan)
	if end.prepared, err = s.Prepare(ctx, draft, targets); err != nil {
		return hybridcore.Record{}, err
	}
	if !draft.Request.DryRun && ready(draft, end.prepared) == nil {
		if end.marked, err = s.Mark(ctx, draft, end.prepared, targets); err != nil {
			return hybridcore.Record{}, err
		}
	}
	end.draft.Request.Origin = plan.Request.Origin
	return s.finish(ctx, end)
}
