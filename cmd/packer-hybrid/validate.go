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
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// maxHeap bounds the memory of a verb that runs without collecting garbage.
const maxHeap = 256 << 20

// validate answers the verb validate without Packer: from the cache when nothing
// changed, except as JSON, which has the plan that no verdict keeps.
func (a *app) validate(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	start := time.Now()
	env, err := r.Project.Environment(req.Env)
	if err != nil {
		return err
	}
	verdicts := a.verdicts(req)
	key := r.VerdictKey(ctx, verdicts, req, program())
	if v, ok := verdicts.Recall(key); ok && a.Output != "json" {
		return a.checked(checks.Checked{Env: env.Name, Targets: v.Targets, Findings: v.Findings, Took: time.Since(start), Cached: v.Of})
	}
	// The verb lives for milliseconds, of which collecting would take a quarter.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(maxHeap))
	plan, err := r.Plan(ctx, req)
	if err != nil {
		return err
	}
	if plan.Findings, err = r.Check(ctx, plan, a.policy); err != nil {
		return err
	}
	if r.VerdictKey(ctx, verdicts, req, program()) == key { // nothing changed meanwhile
		verdicts.Remember(verdictOf(key, req.ID, r.Now(), plan), a.Redactor.String)
	}
	a.heard(checks.Document{Plan: &plan})
	if a.Output == "json" {
		if err := checks.WriteJSON(a.Out, checks.Document{Plan: &plan}); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
		return blocked(plan.Findings)
	}
	return a.checked(checks.Checked{Env: env.Name, Targets: len(plan.Targets), Findings: plan.Findings, Took: time.Since(start)})
}

func verdictOf(key, run string, at time.Time, plan hybridcore.Plan) runner.Verdict {
	v := runner.Verdict{Key: key, Of: run, At: at.UTC(), Targets: len(plan.Targets), Findings: plan.Findings}
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return v
	}
	for _, t := range plan.Targets {
		v.Results = append(v.Results, hybridcore.Result{Target: t.Target.Name(), Status: hybridcore.Validated})
	}
	return v
}

func (a *app) checked(c checks.Checked) error {
	if err := checks.WriteChecked(a.Out, a.Style(a.Raw.Out), c); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return blocked(c.Findings)
}

// blocked is the exit code of findings that block.
func blocked(findings []hybridcore.Finding) error {
	if hybridcore.Blocked(findings) == hybridcore.NotBlocked {
		return nil
	}
	return cli.Exit(hybridcore.ExitCode(&hybridcore.FindingsError{Findings: findings}))
}
