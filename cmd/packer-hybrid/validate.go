// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:13:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-validate-needs-no-packer
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// maxHeap bounds the memory of a verb that runs without collecting garbage.
const maxHeap = 256 << 20

// validate answers the verb validate without Packer.
func (a *app) validate(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	start := time.Now()
	// The verb lives for milliseconds, of which collecting would take a quarter.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(maxHeap))
	plan, err := r.Plan(ctx, req)
	if err != nil {
		return err
	}
	if plan.Findings, err = r.Check(ctx, plan, nil); err != nil {
		return err
	}
	if a.output == "json" {
		err = checks.WriteJSON(a.out, checks.Document{Plan: &plan})
	} else {
		err = checks.WriteChecked(a.out, a.style(a.raw.out), plan, time.Since(start))
	}
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return exitError(hybridcore.ExitCode(&hybridcore.FindingsError{Findings: plan.Findings}))
	}
	return nil
}
