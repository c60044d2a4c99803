// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:22:29Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Rules of findings of this stage. They never change, so that they can be waived and looked up.
const (
	RuleInput   = "drift-input"   // a file or a variable is not as it was built from
	RuleVersion = "drift-version" // Packer or a plugin is another than that which built
	RulePlugin  = "drift-plugin"  // a plugin is not as the lock has it
	RuleSources = "drift-sources" // a checkout is not as the lock has it
	RuleRemoved = "drift-removed" // the tree does not make what was built
	RuleRecord  = "drift-record"  // a record is damaged, missing or another one
	// RuleUpstream is of a tag that points elsewhere than when it was pinned.
	RuleUpstream = "drift-upstream"
	// RuleMedium is of an installation medium that is not published any more, or as another file.
	RuleMedium = "drift-upstream-iso"
	// RuleRelease is of a newer release of Packer or of a plugin.
	RuleRelease = "drift-upstream-release"
)

// Stage looks at what is not as it was recorded.
type Stage struct{ Project *project.Project }

// report collects what parts of a look come to.
type report struct {
	of   hybridcore.DriftReport
	deep map[string]bool // subjects of what only a deep look at the records finds
}

// add adds findings of a part, with the environment in the subjects that are targets.
func (r *report) add(part hybridcore.DriftPart, findings ...hybridcore.Finding) {
	for _, f := range findings {
		r.of.Findings = append(r.of.Findings, hybridcore.Drifted{Part: part, Finding: inEnv(r.of.Env, f)})
	}
}

// looked says how far a part was looked at: each of all at which nobody looked has a finding.
func (r *report) looked(part hybridcore.DriftPart, of string, all int) {
	look := hybridcore.DriftLook{Part: part, Of: of}
	for _, one := range r.of.Findings {
		if one.Part == part && one.Finding.Rule == hybridcore.RuleNotLooked && one.Finding.Severity != hybridcore.Info {
			look.NotLooked++
		}
	}
	look.Looked = max(all-look.NotLooked, 0)
	r.of.Looks = append(r.of.Looks, look)
}

// skipped says that nobody looked at a part.
func (r *report) skipped(part hybridcore.DriftPart, why string) {
	r.of.Looks = append(r.of.Looks, hybridcore.DriftLook{Part: part, Why: why})
}

// inEnv is a finding about a target with its environment in the subject: the same image may be
// built for another one.
func inEnv(env string, f hybridcore.Finding) hybridcore.Finding {
	if f.Kind == hybridcore.KindDrift && strings.Contains(f.Subject, "@") && !strings.Contains(f.Subject, "/") {
		f.Subject = env + "/" + f.Subject
	}
	return f
}

// NotLooked is the finding about what nobody could look at.
func NotLooked(subject, message string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: hybridcore.KindDrift, Rule: hybridcore.RuleNotLooked, Subject: subject, Severity: hybridcore.Warning,
		Message: message,
	}
}
