// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:41Z
// Spec: openspec/specs/runner/spec.md#requirement-reap-in-parts
// Diagram: openspec/specs/runner/diagram.md#reap-in-parts

package near

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

// Reap does this job's part of a reap: what dead runs left on one platform, or
// the report of what other jobs did.
func (j Job) Reap(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	answer := hybridcore.Answer{Request: &req}
	if j.Platform == "" {
		parts, err := j.reaped(req)
		if parts != nil {
			answer.ReapedOn = &parts
		}
		if code := answer.ExitCode(); err == nil && code != hybridcore.ExitOK {
			err = hybridcore.Exit(code)
		}
		return answer, err
	}
	req.Platforms = []hybridcore.Platform{j.Platform}
	reaped, failure := build.Stage{Project: j.Runner.Project}.Reap(ctx, req)
	part := hybridcore.ReapPart{
		Run: j.Pin.Run, Commit: j.Pin.Commit, Env: req.Env, Platform: j.Platform, DryRun: req.DryRun, Reaped: reaped,
	}
	if failure != nil {
		part.Error = j.Process.Redactor.Clean(failure.Error())
	}
	name, data, err := build.SealReapPart(part)
	if err == nil {
		err = j.hand(name, data)
	}
	switch {
	case err != nil:
		return answer, fmt.Errorf("what was reaped is not handed over: %w", err)
	case failure != nil:
		return answer, failure
	}
	answer.Reaped = &reaped
	return answer, j.Screen.Present(j.Runner, answer, nil)
}

// reaped makes one report of what jobs reaped, each on one platform.
func (j Job) reaped(req hybridcore.Request) ([]hybridcore.ReapPart, error) {
	parts, refused := build.Stage{Project: j.Runner.Project}.ReadReaped(j.From, j.Pin, j.All)
	if parts == nil {
		return nil, refused
	}
	err := j.Process.Artifact(j.Runner.Project.Config.Root, "reaped.json", func(w io.Writer) error {
		return checks.WriteJSON(w,
			hybridcore.Answer{ReapedOn: &parts})
	})
	j.Try("artifacts/reaped.json", err)
	var said strings.Builder
	if err := checks.WriteReapedOn(&said, checks.Style{}, parts); err != nil {
		return parts, err
	}
	if _, err := io.WriteString(j.Screen.Out, said.String()); err != nil {
		return parts, fmt.Errorf("writing the answer: %w", err)
	}
	j.Try("the step summary", j.Summary(j.Process.Redactor.String(
		"What dead runs left in "+req.Env+":\n\n"+text.CodeBlock(said.String()))))
	return parts, refused
}
