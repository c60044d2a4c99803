// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-a-build-refuses-drift
// Diagram: openspec/specs/drift/diagram.md#one-look

package runner

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// looked is a plan after a look at the platforms, with what of it is waived. What blocks ends a
// build.
func (r *Runner) looked(ctx context.Context, planned hybridcore.Plan) (_ hybridcore.Plan, err error) {
	planned = r.live().Plan(ctx, planned)
	planned.Findings, err = r.Project.Accept(ctx, planned.Findings, nil)
	return planned, err
}
