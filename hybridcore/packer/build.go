// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Build runs `packer build`. The error says that the build could not be run; a
// build that ran and failed is an Outcome. When ctx is cancelled, Packer's
// group gets SIGTERM at once and SIGKILL after the grace.
func (t Tool) Build(ctx context.Context, job Job) (Outcome, error) {
	if err := job.checkManifest(); err != nil {
		return Outcome{Status: hybridcore.Failed, ExitCode: -1}, err
	}
	return t.execute(ctx, job, buildCmd, buildResult)
}

// Validate runs `packer validate`. No platform is contacted, but the template's
// functions run and plugins start. The error says that it could not be run.
func (t Tool) Validate(ctx context.Context, job Job) (Outcome, error) {
	if dirs := scratch(job.Scratch); job.check() == nil && dirs.make() == nil { // execute says what is wrong
		job.Env = t.answerVersions(ctx, job, environ(job.Env, nil, dirs))
	}
	return t.execute(ctx, job, validateCmd, validateResult)
}
