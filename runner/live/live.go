// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

// Package live asks the platforms whether what the state has as current is still
// there, and still what was built.
package live

import (
	"context"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// KindGone is the reason for building what was built and is gone.
const KindGone = "gone"

// Plan looks at what a plan takes for unchanged. What is gone is built again; what
// could not be looked at, and what is not as it was built, stays as it is and is a
// finding.
func (s Stage) Plan(ctx context.Context, plan hybridcore.Plan) hybridcore.Plan {
	plan.Targets, plan.Findings = slices.Clone(plan.Targets), slices.Clone(plan.Findings)
	asked := slices.DeleteFunc(slices.Clone(plan.Targets), func(t hybridcore.PlannedTarget) bool {
		return t.Decision != hybridcore.Unchanged
	})
	looks := s.all(ctx, plan.Request, asked)
	for i := range plan.Targets {
		t := &plan.Targets[i]
		look, looked := looks[t.Target.Key()]
		if !looked || t.Decision != hybridcore.Unchanged {
			continue
		}
		t.Look = &look
		if look.Presence == hybridcore.Gone {
			t.Decision = hybridcore.Build
			t.Reasons = []hybridcore.Reason{{Kind: KindGone, Subject: t.Current.Artifact.Name(), Text: look.Text}}
			continue
		}
		plan.Findings = append(plan.Findings, look.Findings...)
	}
	return plan
}

// Looks looks at all that a plan knows as built, by key. What is not found where the
// changed settings of a target lead may be where it was built.
func (s Stage) Looks(ctx context.Context, plan hybridcore.Plan) map[string]hybridcore.Look {
	looks := s.all(ctx, plan.Request, plan.Targets)
	for _, t := range plan.Targets {
		look := looks[t.Target.Key()]
		if look.Presence == hybridcore.Gone && t.Decision != hybridcore.Unchanged {
			looks[t.Target.Key()] = notLooked(look, t.Target,
				"its inputs have changed since it was built: where they lead now, "+look.Text)
		}
	}
	return looks
}

// Drift looks at all that a plan knows as built, and says of each what is not as it was
// recorded, or that nobody looked. What is well has no finding. The findings are in the
// order of the plan; their subject is the key of the target.
func (s Stage) Drift(ctx context.Context, plan hybridcore.Plan) []hybridcore.Finding {
	looks := s.Looks(ctx, plan)
	findings := []hybridcore.Finding{}
	for _, t := range plan.Targets {
		if look, looked := looks[t.Target.Key()]; looked {
			findings = append(findings, look.Findings...)
		}
	}
	return findings
}
