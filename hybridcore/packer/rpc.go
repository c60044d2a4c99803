// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package packer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
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
// packer-hybrid-rpc (plugins/prepare).
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
	end, err := child.Run(ctx, cmd,
		child.Watch{
			Grace: rpcGrace, Marker: dirs.marker(), Stdout: keep(&out, maxAnswer), Stderr: keep(&errs, maxVersionOutput),
			Hurry: first.Hurry,
		})
	switch {
	case err != nil:
		return nil, err
	case end.Cancelled:
		return nil, fmt.Errorf("running %s: %w", name, context.Cause(ctx))
	case end.Code != 0:
		return nil, fmt.Errorf("%s ended with %s and said %.300q", name, end,
			first.redact(text.Sanitize(output.FirstLine(errs.String()))))
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
