// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:58:00Z
// Spec: openspec/specs/full-validation/spec.md#requirement-schemas-of-what-is-installed
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package plan

import (
	"context"
	"errors"
	"os"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// learn asks the plugins that a plan needs for their schemas, each binary once.
// What goes wrong is said in the log: the plugins' own verdicts follow. Nothing
// is started when the plan is blocked, as by a plugin that the lock does not know.
func (s Stage) learn(ctx context.Context, plan hybridcore.Plan) {
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return
	}
	err := s.askSchemas(ctx, plan)
	if err != nil && ctx.Err() == nil {
		s.Project.Log.Warn("the settings of the installed plugins are not known; the embedded schemas are taken", "error",
			s.Project.Redact(err.Error()))
	}
}

func (s Stage) askSchemas(ctx context.Context, plan hybridcore.Plan) (err error) {
	helper, err := s.Project.Tools.FindRPC()
	if err != nil {
		return err
	}
	tool, err := s.Project.Tools.Packer(ctx)
	if err != nil {
		return err
	}
	set, _, err := s.Project.Templates()
	if err != nil {
		return err
	}
	job := packer.Job{
		Scratch: project.NewScratch(), Env: s.Project.Environ, Redact: s.Project.Redact,
		Hurry: s.Project.Tools.Hurry,
	}
	seen := map[string]bool{}
	for _, planned := range plan.Targets {
		plugins, err := s.Project.Tools.Installed(tool, set.Plugins(planned.Target))
		if err != nil {
			return err
		}
		for _, p := range plugins {
			if !seen[p.SHA256] {
				seen[p.SHA256] = true
				job.Plugins = append(job.Plugins, p)
			}
		}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(job.Scratch)) }()
	return tool.LearnSchemas(ctx, helper, job)
}
