// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:36:00Z
// Spec: openspec/specs/drift/spec.md#requirement-a-look-in-parts
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

package near

import (
	"context"
	"errors"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/drift"
)

// Drift does this job's part of a look: what is on one platform, or all the rest, with what
// other jobs found on theirs.
func (j Job) Drift(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	if j.Platform != "" {
		return j.looked(ctx, req)
	}
	j.Runner.Project.Connect = nil
	parts, refused := drift.Stage{Project: j.Runner.Project}.ReadParts(j.From, j.Pin, j.All)
	answer, err := j.Process.Answer(ctx, j.Runner, req, j.Screen,
		func(ctx context.Context, req hybridcore.Request, _ runner.Reporter) (hybridcore.Answer, error) {
			return j.Runner.Drift(ctx, req, parts.Live)
		})
	if refused != nil { // it says more than an exit code alone
		return answer, errors.Join(refused, err)
	}
	return answer, err
}

// looked looks at one platform, and hands over what it found. What is found is no failure of
// this job: who puts the parts together says what it means.
func (j Job) looked(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	answer := hybridcore.Answer{Request: &req}
	req.Platforms = []hybridcore.Platform{j.Platform}
	targets, failure := j.Runner.Live(ctx, req)
	part := hybridcore.LivePart{
		Run: j.Pin.Run, Commit: j.Pin.Commit, Env: req.Env, Platform: j.Platform, Targets: targets,
	}
	if failure != nil {
		part.Error = j.Process.Redactor.Clean(failure.Error())
	}
	name, data, err := drift.SealPart(part)
	if err == nil {
		err = j.hand(name, data)
	}
	if err != nil {
		return answer, fmt.Errorf("what was found is not handed over: %w", err)
	}
	found := 0
	for _, t := range targets {
		found += len(t.Findings)
	}
	_, _ = fmt.Fprintf(j.Screen.Out, "looked for %d targets on %s: %d findings\n", len(targets),
		j.Platform.Info().Title, found)
	return answer, failure
}
