// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-the-tree-against-the-records
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// maxTouched bounds the targets that a finding names.
const maxTouched = 5

// local adds what of the tree moved since the builds, by the reasons of a plan.
func (s Stage) local(r *report, plan hybridcore.Plan, built map[string]hybridcore.Current) {
	known, told := map[string]bool{}, map[hybridcore.Finding]bool{}
	touched, causes := map[hybridcore.Reason][]string{}, []hybridcore.Reason{}
	for _, t := range plan.Targets {
		if t.Current == nil {
			continue
		}
		known[t.Target.Key()] = true
		if f := blocks(plan.Findings, t.Wrong); f != nil {
			told[place(*f)] = true
			r.add(hybridcore.DriftLocal, blocked(t.Target.Key(), t.Target.Name(), *f))
			continue // what it would be made of is not known
		}
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
	others := slices.DeleteFunc(s.wrong(r, plan.Findings), func(f hybridcore.Finding) bool { return told[place(f)] })
	why := hybridcore.Finding{Message: "the plan has no such target"}
	if len(others) > 0 {
		why = others[0]
	}
	unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(built)), func(key string) bool { return known[key] })
	for _, key := range unknown {
		r.add(hybridcore.DriftLocal, blocked(key, key, why))
	}
	all := len(built)
	if len(unknown) > 0 && len(others) > 0 {
		others = others[1:]
	}
	for _, f := range others {
		all++ // something that was not compared, and is not among what was built
		r.add(hybridcore.DriftLocal, blocked(f.Subject, cmp.Or(f.File, f.Subject, "the project"), f))
	}
	r.looked(hybridcore.DriftLocal, "targets", all)
}

// place tells apart what is wrong: a waiver changes the rest of a finding.
func place(f hybridcore.Finding) hybridcore.Finding {
	return hybridcore.Finding{Subject: f.Subject, File: f.File, Line: f.Line, Column: f.Column}
}

// blocks is the first of what is wrong with a target that blocks its plan; nil when nothing does.
func blocks(findings, wrong []hybridcore.Finding) *hybridcore.Finding {
	of := map[hybridcore.Finding]bool{}
	for _, f := range wrong {
		of[place(f)] = of[place(f)] || f.Blocking
	}
	for i, f := range findings {
		if f.Blocking && of[place(f)] {
			return &findings[i]
		}
	}
	return nil
}

// blocked is the finding about what was not looked at because something blocks its plan.
func blocked(subject, name string, why hybridcore.Finding) hybridcore.Finding {
	f := NotLooked(subject, name+" was not looked at, because "+why.Message)
	f.File, f.Line, f.Column, f.Hint = why.File, why.Line, why.Column, why.Hint
	return f
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

// wrong adds what is wrong with sources and plugins, and returns what else blocks the plan.
func (s Stage) wrong(r *report, findings []hybridcore.Finding) (others []hybridcore.Finding) {
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
		case f.File == waivers.FileName: // it is said by who accepts
		case f.Blocking:
			others = append(others, f)
		}
	}
	return others
}
