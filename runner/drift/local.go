// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-the-tree-against-the-records
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// maxTouched bounds the targets that a finding names.
const maxTouched = 5

// local adds what of the tree moved since the builds, by the reasons of a plan.
func (s Stage) local(r *report, plan hybridcore.Plan, built map[string]hybridcore.Current) {
	known := map[string]bool{}
	touched, causes := map[hybridcore.Reason][]string{}, []hybridcore.Reason{}
	for _, t := range plan.Targets {
		if t.Current == nil {
			continue
		}
		known[t.Target.Key()] = true
		for _, reason := range t.Reasons {
			if reason.Kind == "unchanged" || reason.Kind == "forced" {
				continue
			}
			if touched[reason] == nil {
				causes = append(causes, reason)
			}
			touched[reason] = append(touched[reason], t.Target.Name())
		}
	}
	for _, cause := range causes {
		r.add(hybridcore.DriftLocal, moved(cause, touched[cause]))
	}
	for _, gone := range plan.Removed {
		key := plan.Request.Env + "/" + hybridcore.TargetName(gone.Image, gone.Platform)
		known[key] = true
		r.add(hybridcore.DriftLocal, hybridcore.Finding{
			Kind: hybridcore.KindDrift, Rule: RuleRemoved, Subject: key, Severity: hybridcore.Info,
			Message: hybridcore.TargetName(gone.Image, gone.Platform) + ": " + gone.Text,
			Hint:    "remove it from its platform when nobody uses it; nothing here looks at it any more",
		})
	}
	why := s.wrong(r, plan.Findings)
	for _, key := range slices.Sorted(maps.Keys(built)) {
		if !known[key] {
			r.add(hybridcore.DriftLocal, NotLooked(key, key+" was not looked at, because "+why))
		}
	}
	r.looked(hybridcore.DriftLocal, "targets", len(built))
}

// moved is the finding about one cause, with the targets that it touches.
func moved(cause hybridcore.Reason, targets []string) hybridcore.Finding {
	f := hybridcore.Finding{
		Kind: hybridcore.KindDrift, Rule: RuleInput, Subject: cause.Subject, Want: cause.Was, Got: cause.Now,
		File: cause.File, Line: cause.Line, Severity: hybridcore.Warning,
		Hint: "run packer-hybrid build: it builds what this touches again",
	}
	if cause.Kind == "version" {
		f.Rule = RuleVersion
	}
	if f.Subject == "" {
		f.Subject = cause.Kind
	}
	named := strings.Join(targets[:min(len(targets), maxTouched)], ", ")
	if more := len(targets) - maxTouched; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	f.Message = cause.Text + " since the last build of " + named
	return f
}

// wrong adds what is wrong with sources and plugins, and says why targets cannot be compared.
func (s Stage) wrong(r *report, findings []hybridcore.Finding) (why string) {
	why = "the plan has no such target"
	for _, f := range findings {
		switch {
		case f.Kind == sources.KindSources:
			f.Kind, f.Rule = hybridcore.KindDrift, RuleSources
			r.add(hybridcore.DriftLocal, f)
		case f.Kind == sources.KindPlugin && f.Severity != hybridcore.Info:
			f.Kind, f.Rule = hybridcore.KindDrift, RulePlugin
			r.add(hybridcore.DriftLocal, f)
		case f.Kind == "tool":
			f = NotLooked("packer", f.Message)
			f.Severity = hybridcore.Info // the tree was looked at
			r.add(hybridcore.DriftLocal, f)
		case f.Blocking:
			why = f.Message
		}
	}
	return why
}
