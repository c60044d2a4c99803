// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T12:50:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package build

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// unheard reports to nobody.
type unheard struct{}

func (unheard) Event(hybridcore.Event) {}

// TestUnseen is an unchanged target whose platform could not be asked: it failed, and in
// a run that was cancelled it was cancelled.
func TestUnseen(t *testing.T) {
	t.Parallel()
	redactor, _ := redact.New()
	p := &project.Project{Redactor: redactor, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	x := &run{project: p, stage: Stage{Project: p, Reporter: unheard{}}}
	planned := hybridcore.PlannedTarget{
		Target: hybridcore.Target{Image: hybridcore.Image{Name: "debian-12"}, Platform: hybridcore.Azure},
		Look:   &hybridcore.Look{Presence: hybridcore.NotLooked, Text: "not looked at, because 403"},
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for status, ctx := range map[hybridcore.Status]context.Context{
		hybridcore.Failed: t.Context(), hybridcore.Cancelled: cancelled,
	} {
		if got := x.unchanged(ctx, planned); got.Status != status || got.Failure == nil {
			t.Errorf("%s: %+v", status, got)
		}
	}
}
