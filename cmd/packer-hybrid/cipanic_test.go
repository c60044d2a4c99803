// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:30:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// TestCIWithAFaultInReports checks that a job whose reports panic ends with its own
// exit code and summary, that its log has the stack without the token, and that
// flush sends the rest.
func TestCIWithAFaultInReports(t *testing.T) {
	t.Parallel()
	h := newHosted(t, nil)
	clock := post.Clock{
		Now:   func() time.Time { panic("no time, said " + jobToken + "\n::error::no") },
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	code, log, summary := h.step(t, "pull_request", fmt.Sprintf(pullJob, h.head), post.WithClock(clock, time.Second))
	if code != 0 || !strings.Contains(summary, "0 of 6 targets to build") {
		t.Errorf("exit code %d\n%s\n%s", code, log, summary)
	}
	// GitHub's command that masks the token is the one place that has it.
	if !strings.Contains(log, "a fault of packer-hybrid") || !strings.Contains(log, "cipanic_test.go") ||
		strings.Count(log, jobToken) > 1 || strings.Contains(log, "\n::error::no") {
		t.Errorf("the log says\n%s", log)
	}
}
