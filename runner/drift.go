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
	planned, err := r.plan().Plan(ctx, req)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	var live []hybridcore.Finding
	if req.Look {
		live = r.live().Drift(ctx, planned)
	}
	found, err := drift.Stage{Project: r.Project}.Look(ctx, planned, live)
	return only(err, hybridcore.Answer{Drift: &found})
}
