// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:30:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package runner

import (
	"bytes"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
)

// faulty is a reporter with a fault, and with a secret in its words.
type faulty struct{}

func (faulty) Event(hybridcore.Event) { panic("no report with " + canary) }

// TestReporterPanics checks that a build ends as it would when each report of it
// panics, in the goroutine of its target.
func TestReporterPanics(t *testing.T) {
	s := newSandbox(t)
	var log bytes.Buffer
	redactor, _ := redact.New(redact.Secret{Name: "build_password", Value: canary})
	var err error
	if s.Log, _, err = logs.New(logs.Options{Redactor: redactor, JSON: &log}); err != nil {
		t.Fatal(err)
	}
	s.reporter = faulty{}
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild))
	if got, want := statuses(rec), "debian-12@vsphere=built debian-13@vsphere=built"; got != want ||
		rec.Status != hybridcore.Built {
		t.Errorf("got %s, %s, want %s", rec.Status, got, want)
	}
	if stored, err := s.State.Record(t.Context(), rec.RunID); err != nil || statuses(stored) != statuses(rec) {
		t.Errorf("stored %v, %v", stored, err)
	}
	if text := log.String(); !strings.Contains(text, "progress not reported") ||
		!strings.Contains(text, "fault_test.go") || strings.Contains(text, canary) {
		t.Errorf("the log says %.2000s", text)
	}
	s.nothingLeft(t)
}
