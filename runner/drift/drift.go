// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

// Package drift is the stage that says what is not as it was recorded.
package drift

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/seen"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// Look looks at what a plan, of the verb drift, knows as built. Live are the findings of a look at
// the platforms; nil when nobody looked.
func (s Stage) Look(ctx context.Context, plan hybridcore.Plan, live []hybridcore.Finding) (
	hybridcore.DriftReport, error,
) {
	snapshot, err := s.Project.State.Read(ctx)
	if err != nil {
		return hybridcore.DriftReport{}, err
	}
	r := &report{deep: map[string]bool{}, of: hybridcore.DriftReport{
		Env: plan.Request.Env, At: s.Project.Now().UTC(), Findings: []hybridcore.Drifted{},
	}}
	built := map[string]hybridcore.Current{}
	for key, current := range snapshot.Targets {
		if plan.Request.Wants(key) {
			built[key] = current
		}
	}
	s.local(r, plan, built)
	if err := s.records(ctx, r, plan.Request.Deep, built); err != nil {
		return hybridcore.DriftReport{}, err
	}
	if live == nil {
		r.skipped(hybridcore.DriftLive, "--live was not given")
	} else {
		r.add(hybridcore.DriftLive, live...)
		r.looked(hybridcore.DriftLive, "targets", planned(plan))
	}
	if plan.Request.Upstream {
		s.upstream(ctx, r, plan)
	} else {
		r.skipped(hybridcore.DriftUpstream, "--upstream was not given")
	}
	if err := s.accept(ctx, r, plan.Request); err != nil {
		return hybridcore.DriftReport{}, err
	}
	s.since(ctx, r, plan.Request)
	slices.SortStableFunc(r.of.Findings, func(a, b hybridcore.Drifted) int {
		return cmp.Compare(severity(a), severity(b))
	})
	return r.of, nil
}

// planned counts the built targets of a plan.
func planned(plan hybridcore.Plan) (n int) {
	for _, t := range plan.Targets {
		if t.Current != nil {
			n++
		}
	}
	return n
}

// severity orders findings, the worst first.
func severity(d hybridcore.Drifted) int {
	return slices.Index([]hybridcore.Severity{hybridcore.Error, hybridcore.Warning, hybridcore.Info}, d.Finding.Severity)
}

// accept lets pass what is waived. A live look at all targets also says which waivers are stale.
func (s Stage) accept(ctx context.Context, r *report, req hybridcore.Request) error {
	whole := req.Look && len(req.Images)+len(req.Platforms) == 0
	accepted, err := s.Project.Accept(ctx, r.of.All(), func(w waivers.Waiver) bool {
		env, _, target := strings.Cut(w.Subject, "/")
		return whole && w.Kind == waivers.Drift && target && env == r.of.Env
	})
	if err != nil {
		return err
	}
	for i, f := range accepted {
		if i < len(r.of.Findings) {
			r.of.Findings[i].Finding = f
		} else {
			r.of.Findings = append(r.of.Findings, hybridcore.Drifted{Part: hybridcore.DriftLocal, Finding: f})
		}
	}
	return nil
}

// deepPart stands for the part of what only a deep look at the records finds, which no other look forgets.
const deepPart = "deep"

// since adds when each finding was first seen, and remembers it. What is gone is forgotten where all was looked at.
func (s Stage) since(ctx context.Context, r *report, req hybridcore.Request) {
	looked := map[string]bool{}
	for _, look := range r.of.Looks {
		looked[string(look.Part)] = look.Why == "" && look.NotLooked == 0 && len(req.Images)+len(req.Platforms) == 0
	}
	looked[deepPart] = req.Deep && looked[string(hybridcore.DriftRecords)]
	keyOf := func(d hybridcore.Drifted) string {
		rule := cmp.Or(d.Finding.Waived.Rule, d.Finding.Rule)
		part := string(d.Part)
		if d.Part == hybridcore.DriftRecords && r.deep[d.Finding.Subject] {
			part = deepPart
		}
		return strings.Join([]string{part, rule, d.Finding.Subject}, " ")
	}
	var keys []string
	for _, d := range r.of.Findings {
		keys = append(keys, keyOf(d))
	}
	memory := seen.Memory{State: s.Project.State, Env: r.of.Env}
	since, err := memory.First(ctx, s.Project.Now(), keys, func(key string) bool {
		part, _, _ := strings.Cut(key, " ")
		return looked[part]
	})
	if err != nil {
		r.of.SinceUnknown = s.Project.Redact(err.Error())
		return
	}
	for i, d := range r.of.Findings {
		r.of.Findings[i].Since = since[keyOf(d)]
	}
}
