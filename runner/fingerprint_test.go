// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:18:00Z
// Spec: openspec/specs/runner/spec.md#requirement-a-fingerprint-in-the-record
// Diagram: openspec/specs/runner/diagram.md#stages

package runner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// TestFingerprintIsNotRead builds an image of which no fingerprint can be taken: it is built, and the report says so.
// Later looks say what they could not compare.
func TestFingerprintIsNotRead(t *testing.T) {
	s := newSandbox(t)
	there := platform{lookErr: errors.New("403 for " + canary)}
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return there, nil }
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if statuses(rec) != "debian-12@vsphere=built" {
		t.Fatalf("%s: %s", statuses(rec), failure(rec))
	}
	res := rec.Results[0]
	at := -1
	for i, f := range res.Findings {
		if f.Kind == "fingerprint" {
			at = i
		}
	}
	if at < 0 || len(res.Artifact.Fingerprints) > 0 || len(res.Artifact.URIs) != 1 {
		t.Fatalf("%+v, %+v", res.Findings, res.Artifact)
	}
	if f := res.Findings[at]; f.Blocking ||
		!strings.Contains(f.Message, "built, but without a fingerprint, because 403 for") ||
		strings.Contains(f.Message, canary) || !strings.Contains(f.Hint, "cannot be told") {
		t.Errorf("%+v", f)
	}
	there = platform{memory: "512 MiB"}
	plan, err := s.Plan(t.Context(), s.request(hybridcore.ActionBuild, "debian-12"))
	if err != nil {
		t.Fatal(err)
	}
	drift := live.Stage{Project: s.Project}.Drift(t.Context(), plan)
	if len(drift) != 1 || drift[0].Rule != hybridcore.RuleNotLooked ||
		!strings.Contains(drift[0].Message, "the record has no fingerprint") {
		t.Errorf("%+v", drift)
	}
}

// TestEditedBlocksABuild ends a build of which an unchanged target is not what it was, until it is built again.
func TestEditedBlocksABuild(t *testing.T) {
	s := newSandbox(t)
	there := platform{}
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return there, nil }
	if rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild)); rec.Status != hybridcore.Built {
		t.Fatal(statuses(rec))
	}
	there.memory = "512 MiB"
	r := &Runner{Project: s.Project, Folders: s.folders}
	answer, err := r.Do(t.Context(), s.request(hybridcore.ActionBuild), nil)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || answer.Record != nil ||
		!strings.Contains(err.Error(), "memory: 2048 MiB → 512 MiB") {
		t.Errorf("%v, %+v", err, answer.Record)
	}
	put(t, s.dir, "waivers.hcl", `waiver "drift" {
  subject = "lab/debian-12@vsphere"
  rule    = "drift-edited"
  accepts = "memory: 512 MiB"
  owner   = "images@example.com"
  reason  = "the host is full until the new one comes"
  expires = "2099-01-31"
}
`)
	if err := s.Close(); err != nil { // the waivers were read
		t.Fatal(err)
	}
	answer, err = r.Do(t.Context(), s.request(hybridcore.ActionBuild, "debian-12"), nil)
	if err != nil || answer.Record.Status != hybridcore.UnchangedDone ||
		!strings.Contains(strings.Join(answer.Record.Results[0].Notes, " "), "not as it was built:") {
		t.Errorf("waived: %v, %+v", err, answer.Record)
	}
	again := s.request(hybridcore.ActionBuild)
	again.Rebuild = true
	if answer, err = r.Do(t.Context(), again, nil); err != nil || answer.Record.Status != hybridcore.Built {
		t.Errorf("built again: %v", err)
	}
	if answer, err = r.Do(t.Context(), s.request(hybridcore.ActionBuild), nil); err != nil ||
		answer.Record.Status != hybridcore.UnchangedDone {
		t.Errorf("after that: %v", err)
	}
}
