// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-a-build-refuses-drift
// Diagram: openspec/specs/drift/diagram.md#one-look

package runner

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/drift"
)

// looked is a plan after a look at the platforms, with what of it is waived. What blocks ends a
// build.
func (r *Runner) looked(ctx context.Context, planned hybridcore.Plan) (_ hybridcore.Plan, err error) {
	planned = r.live().Plan(ctx, planned)
	for i, f := range planned.Findings {
		planned.Findings[i] = drift.Of(planned.Request.Env, f)
	}
	planned.Findings, err = r.Project.Accept(ctx, planned.Findings, nil)
	return planned, err
}
