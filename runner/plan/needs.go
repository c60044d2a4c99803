// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:24:31Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package plan

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/provisioners"
)

// Tools looks for what a target needs on this machine beside Packer and its plugins.
func (s Stage) Tools(ctx context.Context, target hybridcore.Target) (provisioners.Report, error) {
	set, root, err := s.Project.Templates()
	if err != nil {
		return provisioners.Report{}, err
	}
	needs := provisioners.Of(provisioners.Input{
		Target: target, Templates: set.Parsed(), Files: hclfile.Folder(root),
	})
	return s.machine().Check(ctx, needs), nil
}

func (s Stage) machine() provisioners.Machine {
	return provisioners.Machine{
		Environ: s.Project.Environ, Checkout: s.Project.Config.Root, Answer: s.Project.Tools.Answer,
	}
}

// Lacking adds to a plan what this machine lacks to build its targets. Before a build that blocks;
// other requests may be followed by a build elsewhere, so that it is a warning. For a checkout that
// nobody has reviewed only a build looks, which was approved: the change would name what is looked for.
func (s Stage) Lacking(ctx context.Context, plan hybridcore.Plan) (hybridcore.Plan, error) {
	if s.Project.Reviewed != "" && plan.Request.Action != hybridcore.ActionBuild {
		return plan, nil
	}
	for _, planned := range plan.Pending() {
		report, err := s.Tools(ctx, planned.Target)
		if err != nil {
			return plan, err
		}
		for _, f := range report.Findings {
			if f.Blocking && plan.Request.Action != hybridcore.ActionBuild {
				f.Severity, f.Blocking = hybridcore.Warning, false
				f.Message += "; a build on this machine would be blocked"
			}
			plan.Findings = append(plan.Findings, f)
		}
	}
	plan.Findings = hybridcore.Distinct(plan.Findings)
	return plan, nil
}
