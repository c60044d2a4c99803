// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:41Z
// Spec: openspec/specs/runner/spec.md#requirement-reap-in-parts
// Diagram: openspec/specs/runner/diagram.md#reap-in-parts

package job

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
)

// reap does this job's part of a reap: what dead runs left on one platform, or
// the report of what other jobs did.
func (p *phase) reap(ctx context.Context, o opened, req hybridcore.Request) (hybridcore.Answer, error) {
	answer := hybridcore.Answer{Request: &req}
	if p.platform == "" {
		parts, err := p.reaped(o, req)
		if parts != nil {
			answer.ReapedOn = &parts
		}
		if code := answer.ExitCode(); err == nil && code != hybridcore.ExitOK {
			err = hybridcore.Exit(code)
		}
		return answer, err
	}
	req.Platforms = []hybridcore.Platform{p.platform}
	reaped, failure := build.Stage{Project: o.runner.Project}.Reap(ctx, req)
	part := hybridcore.ReapPart{
		Run: p.pin.Run, Commit: p.pin.Commit, Env: req.Env, Platform: p.platform, DryRun: req.DryRun, Reaped: reaped,
	}
	if failure != nil {
		part.Error = o.process.Redactor.Clean(failure.Error())
	}
	name, data, err := build.SealReapPart(part)
	if err == nil {
		err = p.hand(o, "", name, data)
	}
	switch {
	case err != nil:
		return answer, fmt.Errorf("what was reaped is not handed over: %w", err)
	case failure != nil:
		return answer, failure
	}
	answer.Reaped = &reaped
	return answer, o.screen.Present(o.runner, answer, nil)
}

// reaped makes one report of what jobs reaped, each on one platform.
func (p *phase) reaped(o opened, req hybridcore.Request) ([]hybridcore.ReapPart, error) {
	parts, refused := build.Stage{Project: o.runner.Project}.ReadReaped(p.from, p.pin, p.all)
	if parts == nil {
		return nil, refused
	}
	err := o.process.Artifact(o.runner.Project.Config.Root, "reaped.json", func(w io.Writer) error {
		return checks.WriteJSON(w,
			hybridcore.Answer{ReapedOn: &parts})
	})
	p.job.try("artifacts/reaped.json", err)
	var said strings.Builder
	if err := checks.WriteReapedOn(&said, checks.Style{}, parts); err != nil {
		return parts, err
	}
	if _, err := io.WriteString(o.screen.Out, said.String()); err != nil {
		return parts, fmt.Errorf("writing the answer: %w", err)
	}
	p.job.try("the step summary", p.job.values.Summary(o.process.Redactor.String(
		"What dead runs left in "+req.Env+":\n\n"+text.CodeBlock(said.String()))))
	return parts, refused
}
