// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:25:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package live_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// platform answers with what it has, or refuses.
type platform struct {
	has []hybridcore.URI
	err error
}

func (p platform) Find(context.Context, string) ([]hybridcore.URI, error) { return p.has, p.err }

func (p platform) Reap(context.Context, hybridcore.Remains, bool) ([]hybridcore.URI, error) {
	return nil, errors.New("nothing is to be removed")
}

func (p platform) Close(context.Context) error { return nil }

// TestPlan looks at what a plan takes for unchanged.
func TestPlan(t *testing.T) {
	t.Parallel()
	template := hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "vm-54"}
	item := hybridcore.URI{Kind: "content-library-item", Name: "debian-12-r1", ID: "8fa9"}
	other := hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "vm-99"}
	both := []hybridcore.URI{template, item}
	redactor, _ := redact.New(redact.Secret{Name: "PKR_VAR_vsphere_password", Value: "s3cret-password"})
	for what, of := range map[string]struct {
		platform platform
		recorded []hybridcore.URI
		decision hybridcore.Decision
		presence hybridcore.Presence
		says     string
	}{
		"there":         {platform{has: both}, both, hybridcore.Unchanged, hybridcore.There, ""},
		"more is there": {platform{has: append(both, other)}, both, hybridcore.Unchanged, hybridcore.There, ""},
		"nothing is there": {
			platform{},
			both, hybridcore.Build, hybridcore.Gone,
			"vm-template debian-12-r1, content-library-item debian-12-r1 is gone from VMware vSphere",
		},
		"a part is gone": {
			platform{has: both[:1]}, both, hybridcore.Build, hybridcore.Gone, "content-library-item debian-12-r1 is gone",
		},
		"another one's name": {
			platform{has: []hybridcore.URI{other, item}},
			both, hybridcore.Build, hybridcore.Gone,
			"(another one has its name)",
		},
		"refused": {
			platform{err: errors.New("403 for s3cret-password")},
			both, hybridcore.Unchanged, hybridcore.NotLooked,
			"not looked at, because 403 for ",
		},
		"half an answer": {
			platform{has: both, err: errors.New("unexpected EOF")},
			both, hybridcore.Unchanged, hybridcore.NotLooked,
			"unexpected EOF",
		},
		"nothing recorded": {
			platform{has: both}, nil, hybridcore.Unchanged, hybridcore.NotLooked, "the record does not say",
		},
	} {
		s := live.Stage{Project: &project.Project{
			Config:   config.Project{Build: config.Build{Parallel: 2}},
			Redactor: redactor, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Connect: func(context.Context, hybridcore.Target) (project.Client, error) { return of.platform, nil },
		}}
		current := &hybridcore.Current{RunID: "r1", Artifact: &hybridcore.Artifact{ID: "debian-12-r1", URIs: of.recorded}}
		target := hybridcore.Target{Env: "lab", Image: hybridcore.Image{Name: "debian-12"}, Platform: hybridcore.VSphere}
		changed := hybridcore.Target{Env: "lab", Image: hybridcore.Image{Name: "debian-13"}, Platform: hybridcore.VSphere}
		plan := s.Plan(t.Context(), hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
			{Target: target, Decision: hybridcore.Unchanged, Current: current},
			{Target: changed, Decision: hybridcore.Build, Current: current},
		}})
		got := plan.Targets[0]
		if got.Decision != of.decision || got.Look == nil || got.Look.Presence != of.presence ||
			!strings.Contains(got.Look.Text, of.says) || strings.Contains(got.Look.Text, "s3cret") {
			t.Errorf("%s: %s, %+v", what, got.Decision, got.Look)
		}
		if told := len(plan.Findings) > 0; told != (of.presence == hybridcore.NotLooked) {
			t.Errorf("%s: findings %+v", what, plan.Findings)
		}
		if plan.Targets[1].Look != nil {
			t.Errorf("%s: what is built anyway was looked at", what)
		}
	}
}

// TestDrift says of each target by rule what is not as it was recorded.
func TestDrift(t *testing.T) {
	t.Parallel()
	template := hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "pve1/100"}
	moved := hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "pve2/100"}
	other := hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "pve1/101"}
	redactor, _ := redact.New()
	for what, of := range map[string]struct {
		platform platform
		rule     string
	}{
		"there":    {platform{has: []hybridcore.URI{template}}, ""},
		"moved":    {platform{has: []hybridcore.URI{moved}}, ""},
		"gone":     {platform{}, live.RuleGone},
		"replaced": {platform{has: []hybridcore.URI{other}}, live.RuleReplaced},
		"refused":  {platform{err: errors.New("403")}, live.RuleNotLooked},
	} {
		s := live.Stage{Project: &project.Project{
			Redactor: redactor, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Connect: func(context.Context, hybridcore.Target) (project.Client, error) { return of.platform, nil },
		}}
		target := hybridcore.Target{Env: "lab", Image: hybridcore.Image{Name: "debian-12"}, Platform: hybridcore.Proxmox}
		artifact := &hybridcore.Artifact{ID: "debian-12-r1", URIs: []hybridcore.URI{template}}
		got := s.Drift(t.Context(), hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
			{Target: target, Decision: hybridcore.Unchanged, Current: &hybridcore.Current{Artifact: artifact}},
		}})
		switch {
		case of.rule == "" && len(got) == 0:
		case of.rule != "" && len(got) == 1 && got[0].Rule == of.rule && got[0].Kind == live.KindDrift &&
			got[0].Subject == target.Name() && got[0].Blocking == (of.rule != live.RuleNotLooked):
		default:
			t.Errorf("%s: %+v, want %q", what, got, of.rule)
		}
	}
}
