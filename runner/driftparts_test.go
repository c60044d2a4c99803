// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:50:00Z
// Spec: openspec/specs/drift/spec.md#requirement-a-look-in-parts
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

package runner

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/drift"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// looks are the parts of a look: one for each platform of the sandbox.
type looks struct {
	s   *sandbox
	req hybridcore.Request
	dir string
}

// hand writes what a job found on a platform, with a change.
func (l looks) hand(t *testing.T, platform hybridcore.Platform, change func(*hybridcore.LivePart)) {
	t.Helper()
	req := l.req
	req.Platforms = []hybridcore.Platform{platform}
	targets, err := (&Runner{Project: l.s.Project}).Live(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	part := hybridcore.LivePart{Run: "11", Commit: "c0ffee", Env: "lab", Platform: platform, Targets: targets}
	change(&part)
	_, data, err := drift.SealPart(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, "drift-"+string(platform)+".json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// together puts the parts together, and returns what their job answers.
func (l looks) together(t *testing.T, platforms []hybridcore.Platform) (hybridcore.Answer, error) {
	t.Helper()
	pin := project.JobPin{Run: "11", Commit: "c0ffee", Asked: l.req}
	parts, refused := drift.Stage{Project: l.s.Project}.ReadParts(l.dir, pin, platforms)
	answer, err := (&Runner{Project: l.s.Project}).Drift(t.Context(), l.req, parts.Live)
	if err != nil {
		t.Fatal(err)
	}
	return answer, refused
}

// TestDriftInParts looks at each platform by itself: together it is what one look says, and
// what a part does not say is not taken for well.
func TestDriftInParts(t *testing.T) {
	s := builtSandbox(t)
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) {
		return platform{lacks: []string{"debian"}}, nil
	}
	l := looks{s, hybridcore.Request{
		Action: hybridcore.ActionDrift, Env: "lab", Listing: hybridcore.Listing{Look: true},
	}, t.TempDir()}
	whole, rules := s.look(t, true)
	snapshot, err := s.State.Read(t.Context())
	if err != nil || !strings.HasPrefix(rules, "drift-gone") {
		t.Fatal(rules, err)
	}
	var platforms []hybridcore.Platform
	for key := range snapshot.Targets {
		_, name, _ := strings.Cut(key, "@")
		if p := hybridcore.Platform(name); !slices.Contains(platforms, p) {
			platforms = append(platforms, p)
		}
	}
	well := func(*hybridcore.LivePart) {}
	for _, p := range platforms {
		l.hand(t, p, well)
	}
	answer, refused := l.together(t, platforms)
	if refused != nil || len(answer.All()) != len(whole.All()) || answer.ExitCode() != whole.ExitCode() ||
		part(answer, hybridcore.DriftLive) != part(whole, hybridcore.DriftLive) {
		t.Errorf("%v\nin parts %+v\nas one  %+v", refused, answer.Drift, whole.Drift)
	}
	first := platforms[0]
	for name, c := range map[string]struct {
		change  func(*hybridcore.LivePart)
		refused string
		says    string
	}{
		"another run":    {func(p *hybridcore.LivePart) { p.Run = "12" }, "of the run", "refused"},
		"another commit": {func(p *hybridcore.LivePart) { p.Commit = "beef" }, "at commit", "refused"},
		"another env":    {func(p *hybridcore.LivePart) { p.Env = "prod" }, "for the environment", "refused"},
		"another platform": {
			func(p *hybridcore.LivePart) { p.Targets[0].Key = "lab/x@nowhere" }, "not asked about", "refused",
		},
		"another rule": {
			func(p *hybridcore.LivePart) { p.Targets[0].Findings[0].Rule = "drift-record" }, "rule", "refused",
		},
		"another subject": {
			func(p *hybridcore.LivePart) { p.Targets[0].Findings[0].Subject = "lab" }, "finding about", "refused",
		},
		"severity": {
			func(p *hybridcore.LivePart) { p.Targets[0].Findings[0].Severity = "fine" }, "severity", "refused",
		},
		"another build": {func(p *hybridcore.LivePart) { p.Targets[0].Build = "r0" }, "", "looked for what run"},
		"no targets":    {func(p *hybridcore.LivePart) { p.Targets = nil }, "", "let all jobs share one state"},
		"an error":      {func(p *hybridcore.LivePart) { p.Error = "403 Forbidden" }, "", "403 Forbidden"},
		"a note only": { // what blocks follows from the severity
			func(p *hybridcore.LivePart) { p.Targets[0].Findings[0].Blocking = false }, "", "is gone",
		},
	} {
		l.hand(t, first, c.change)
		answer, refused := l.together(t, platforms)
		said := ""
		for _, f := range answer.All() {
			said += f.Message + "\n"
		}
		if (refused != nil) != (c.refused != "") || refused != nil && !strings.Contains(refused.Error(), c.refused) ||
			!strings.Contains(said, c.says) || answer.ExitCode() == hybridcore.ExitOK || !answer.Drift.Alarming() {
			t.Errorf("%s: %v\n%s", name, refused, said)
		}
	}
	if err := os.Remove(filepath.Join(l.dir, "drift-"+string(first)+".json")); err != nil {
		t.Fatal(err)
	}
	answer, refused = l.together(t, platforms)
	if refused != nil || !slices.ContainsFunc(answer.All(), func(f hybridcore.Finding) bool {
		return f.Rule == hybridcore.RuleNotLooked && strings.Contains(f.Message, "left no answer")
	}) {
		t.Errorf("%v %+v", refused, answer.Drift)
	}
}
