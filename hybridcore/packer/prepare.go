// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package packer

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Prepare has the real plugins check jobs as `packer validate` does, all in one
// run of packer-hybrid-rpc at the path helper, parallel components at once (0:
// one for each processor). It starts no Packer but for the components that
// Packer itself holds. There is an outcome for each job: Validated, Failed with
// findings, or BlockedStatus when the template holds what only Packer can
// evaluate. The error says that nothing could be checked.
func (t Tool) Prepare(ctx context.Context, helper string, jobs []Job, parallel int) ([]Outcome, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	started := time.Now()
	order, err := t.order(ctx, jobs, parallel)
	if err != nil {
		return nil, err
	}
	input, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("writing the job of %s: %w", filepath.Base(helper), err)
	}
	said, err := askRPC(ctx, rpcCall{helper: helper, verb: "validate", input: input}, jobs[0])
	if err != nil {
		return nil, err
	}
	answer, err := parseAnswer(said)
	if err != nil {
		return nil, err
	}
	if len(answer.Stages) != len(jobs) {
		return nil, fmt.Errorf("%s answered for %d of %d targets", filepath.Base(helper), len(answer.Stages), len(jobs))
	}
	outcomes := make([]Outcome, len(jobs))
	for i, verdict := range answer.Stages {
		outcomes[i] = verdict.outcome(jobs[i])
		outcomes[i].Started, outcomes[i].Duration = started, time.Since(started)
	}
	return outcomes, nil
}

// order describes the jobs for packer-hybrid-rpc.
func (t Tool) order(ctx context.Context, jobs []Job, parallel int) (rpcJob, error) {
	order := rpcJob{
		Protocol: rpcProtocol, Packer: rpcBinary{Version: t.Version, Path: t.Path}, Cache: string(t.Memory),
		Parallel: parallel,
	}
	for i, job := range jobs {
		if err := job.check(); err != nil {
			return order, err
		}
		dirs := scratch(job.Scratch)
		if err := dirs.make(); err != nil {
			return order, err
		}
		stage := rpcStage{
			Name: fmt.Sprint(i), Root: job.Scratch, Dir: job.Dir, Temp: dirs.tmp(), Source: job.Source,
			Env:     t.answerVersions(ctx, job, environ(job.Env, job.Secrets, dirs)),
			Plugins: binaries(job.Plugins),
		}
		if job.VarFile != "" {
			stage.VarFiles = []string{job.VarFile}
		}
		order.Stages = append(order.Stages, stage)
	}
	return order, nil
}

func (j Job) redact(text string) string {
	if j.Redact == nil {
		return text
	}
	return j.Redact(text)
}

// outcome turns a verdict into what a run of Packer would have come to.
func (v rpcVerdict) outcome(job Job) Outcome {
	out := Outcome{Status: hybridcore.Validated}
	for _, f := range v.Findings {
		found := hybridcore.Finding{
			Kind: hybridcore.KindSchema, Subject: "packer", Severity: hybridcore.Error, Blocking: true, Line: max(f.Line, 0),
			Column:  max(f.Column, 0),
			Message: job.plain(f.Message), Hint: job.plain(f.Detail), File: job.plain(f.File),
		}
		if f.Warning {
			found.Severity, found.Blocking = hybridcore.Warning, false
		}
		output.ShowLine(job.Dir, &found)
		found.Source = job.plain(found.Source)
		out.Findings = append(out.Findings, found)
	}
	refused := slices.IndexFunc(out.Findings, func(f hybridcore.Finding) bool { return f.Blocking })
	switch {
	case len(v.Undecided) > 0:
		out.Status = hybridcore.BlockedStatus
		out.Failure = &hybridcore.Failure{Message: "not decided: the template holds " +
			job.plain(strings.Join(v.Undecided, ", ")) + "; ask Packer itself with --with packer"}
	case refused >= 0:
		f := out.Findings[refused]
		out.Status = hybridcore.Failed
		out.Failure = &hybridcore.Failure{Message: f.Message, File: f.File}
		if f.File != "" && f.Line > 0 {
			out.Failure.File = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
	return out
}

// plain makes a text of a plugin fit for a report, in one line.
func (j Job) plain(said string) string {
	return j.redact(text.Line(said))
}
