// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package packer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// rpcProtocol is the form of the JSON that we and packer-hybrid-rpc exchange.
const rpcProtocol = 1

// Limits of a run of packer-hybrid-rpc.
const (
	rpcLimit  = 20 * time.Minute // hundreds of targets; one takes a fraction of a second
	rpcGrace  = 2 * time.Second  // it changes nothing anywhere
	maxAnswer = 64 << 20         // bytes
)

// rpcBinary and the types below are the job and the answer of
// packer-hybrid-rpc (plugins/judge).
type rpcBinary struct {
	Address string `json:"address,omitempty"`
	Version string `json:"version"`
	Path    string `json:"path"`
	SHA256  string `json:"sha256,omitempty"`
}

type rpcStage struct {
	Name     string      `json:"name"`
	Root     string      `json:"root"`
	Dir      string      `json:"dir"`
	Temp     string      `json:"temp"`
	Source   string      `json:"source,omitempty"`
	VarFiles []string    `json:"var_files,omitempty"`
	Env      []string    `json:"env"`
	Plugins  []rpcBinary `json:"plugins"`
}

type rpcJob struct {
	Protocol int        `json:"protocol"`
	Packer   rpcBinary  `json:"packer"`
	Cache    string     `json:"cache,omitempty"`
	Parallel int        `json:"parallel"`
	Stages   []rpcStage `json:"stages"`
}

type rpcAnswer struct {
	Stages []rpcVerdict `json:"stages"`
}

type rpcVerdict struct {
	Findings  []rpcFinding `json:"findings"`
	Undecided []string     `json:"undecided"`
}

type rpcFinding struct {
	Warning bool   `json:"warning"`
	Message string `json:"message"`
	Detail  string `json:"detail"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

// Prepare has the real plugins check jobs as `packer validate` does, all in one
// run of packer-hybrid-rpc at the path helper, parallel components at once (0:
// one for each processor). It starts no Packer but for the components that
// Packer itself holds. There is an outcome for each job: Validated, Failed with
// findings, or BlockedStatus when the template holds what only Packer can
// evaluate. The error says that nothing could be judged.
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
	order := rpcJob{Protocol: rpcProtocol, Packer: rpcBinary{Version: t.Version, Path: t.Path}, Cache: string(t.Memory), Parallel: parallel}
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

// rpcCall is one run of packer-hybrid-rpc.
type rpcCall struct {
	helper, verb string
	input        []byte
}

// askRPC runs packer-hybrid-rpc and returns what it answered. Secrets reach it
// by its standard input alone.
func askRPC(ctx context.Context, call rpcCall, first Job) ([]byte, error) {
	name := filepath.Base(call.helper)
	ctx, cancel := context.WithTimeoutCause(ctx, rpcLimit, fmt.Errorf("%s gave no answer within %s", name, rpcLimit))
	defer cancel()
	dirs := scratch(first.Scratch)
	cmd := command(ctx, call.helper, call.verb)
	cmd.Dir = first.Scratch
	cmd.Env = environ(first.Env, nil, dirs)
	cmd.Stdin = bytes.NewReader(call.input)
	var out, errs bytes.Buffer
	end, err := run(ctx, cmd, owner{grace: rpcGrace, marker: dirs.marker(), stdout: keep(&out, maxAnswer), stderr: keep(&errs, maxVersionOutput), hurry: first.Hurry})
	switch {
	case err != nil:
		return nil, err
	case end.cancelled:
		return nil, fmt.Errorf("running %s: %w", name, context.Cause(ctx))
	case end.code != 0:
		return nil, fmt.Errorf("%s ended with %s and said %.300q", name, end, first.redact(hybridcore.Sanitize(firstLine(errs.String()))))
	}
	return out.Bytes(), nil
}

// parseAnswer reads what packer-hybrid-rpc answers.
func parseAnswer(data []byte) (rpcAnswer, error) {
	var answer rpcAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("reading the answer of packer-hybrid-rpc: %w", err)
	}
	return answer, nil
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
			Kind: hybridcore.KindSchema, Subject: "packer", Severity: hybridcore.Error, Blocking: true, Line: max(f.Line, 0), Column: max(f.Column, 0),
			Message: job.plain(f.Message), Hint: job.plain(f.Detail), File: job.plain(f.File),
		}
		if f.Warning {
			found.Severity, found.Blocking = hybridcore.Warning, false
		}
		showLine(job.Dir, &found)
		found.Source = job.plain(found.Source)
		out.Findings = append(out.Findings, found)
	}
	refused := slices.IndexFunc(out.Findings, func(f hybridcore.Finding) bool { return f.Blocking })
	switch {
	case len(v.Undecided) > 0:
		out.Status = hybridcore.BlockedStatus
		out.Failure = &hybridcore.Failure{Message: "not decided: the template holds " + job.plain(strings.Join(v.Undecided, ", ")) + "; ask Packer itself with --with packer"}
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
func (j Job) plain(text string) string {
	return j.redact(hybridcore.Sanitize(strings.Join(strings.Fields(text), " ")))
}
