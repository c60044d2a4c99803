// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:35:25Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// ByState answers a request by the project's state, which it only reads.
func (p Process) ByState(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	project, err := p.Project()
	if err == nil {
		err = stored.Untracked(ctx, p.Places(), project)
	}
	if err != nil {
		return hybridcore.Answer{}, err
	}
	r, done, err := p.view(project)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	defer done()
	answer, err := r.Do(ctx, req, nil)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	return p.Redacted(answer)
}

// Redacted is an answer without what the redactor hides.
func (p Process) Redacted(answer hybridcore.Answer) (hybridcore.Answer, error) {
	var text bytes.Buffer
	if err := checks.WriteJSON(&text, answer); err != nil {
		return hybridcore.Answer{}, err
	}
	var clean hybridcore.Answer
	if err := json.Unmarshal(p.Redactor.JSON(text.Bytes()), &clean); err != nil {
		return hybridcore.Answer{}, fmt.Errorf("redacting the answer: %w", err)
	}
	return clean, nil
}
