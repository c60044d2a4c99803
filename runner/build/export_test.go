// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:12Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package build

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
)

// Staged lays out the targets of a plan without any check before, for tests
// that compare who checks them afterwards.
func (s Stage) Staged(ctx context.Context, plan hybridcore.Plan) ([]packer.Job, func(), error) {
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Build
	}
	x, err := s.start(ctx, plan)
	if err != nil {
		return nil, nil, err
	}
	var jobs []packer.Job
	var ends []func()
	for _, planned := range plan.Targets {
		b := x.begin(planned.Target)
		done, err := b.open(false)
		if err != nil {
			return nil, nil, err
		}
		ends = append(ends, done)
		job, err := b.stage()
		if err != nil {
			return nil, nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, func() {
		for _, end := range ends {
			end()
		}
	}, nil
}
