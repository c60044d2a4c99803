// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxFindings bounds the findings of a comment, in UTF-16 units, as those of the other
// sections, see Write.
const maxFindings = 9_000

// Report is what a comment and checks are rendered from.
type Report struct {
	Plan    hybridcore.Plan
	Record  *hybridcore.Record   // nil before the end, and for a plan
	Changes []hybridcore.Changes // of the images since their last build
	// Drift is what is not as it was recorded; nil for other reports.
	Drift *hybridcore.DriftReport
	// Full says in our words where everything is, for what does not fit:
	// "the artifact `report` of this job".
	Full string
	// Untrusted says that the change is of a stranger: nothing is built for it.
	Untrusted bool
	// Beside are the plans of the same change for other environments, and Gone the
	// environments that it takes away.
	Beside []Report
	Gone   []string
	// Quiet leaves out the check of an environment beside others in which nothing moves.
	Quiet bool
	// Prefix is the path of the project in its repository; empty: the top.
	Prefix string
}

// stranger says why a fork's change gets no more.
func (m *markdown) stranger(r Report) {
	if r.Untrusted {
		m.add("\nThis change comes from another repository or from Dependabot: it is planned without Packer, without " +
			"secrets and without any platform, and nothing is built for it.")
	}
}

// maxPlain is how many findings are not folded.
const maxPlain = 5

// allFindings adds the findings of plan and results, the worst first. Those
// that decide are not folded: all of a plan, and the errors that block a run.
func (m *markdown) allFindings(r Report) {
	all, plain := r.Findings(), 0
	for r.Record == nil && plain < len(all) || r.Record != nil && r.Record.Status == hybridcore.BlockedStatus &&
		plain < len(all) && all[plain].Severity == hybridcore.Error {
		plain++
	}
	plain = min(plain, maxPlain)
	m.findings(all[:plain])
	if rest := all[plain:]; len(rest) > 0 {
		text := findingCounts(rest)
		if plain > 0 {
			text = "And " + text
		}
		m.folded(text, func() { m.within(maxFindings, "findings", func() { m.findings(rest) }) })
	}
}

// Findings are those of plan, results and parity, each once, the worst first.
func (r Report) Findings() []hybridcore.Finding {
	all := append(r.Drift.All(), r.Plan.Findings...)
	if r.Record != nil {
		for _, res := range r.Record.Results {
			all = append(all, res.Findings...)
		}
		for _, one := range r.Record.Parity {
			all = append(all, one.Findings...)
		}
	}
	all = hybridcore.Distinct(all)
	rank := map[hybridcore.Severity]int{hybridcore.Error: 0, hybridcore.Warning: 1, hybridcore.Info: 2}
	slices.SortStableFunc(all, func(a, b hybridcore.Finding) int { return rank[a.Severity] - rank[b.Severity] })
	return all
}

// findingCounts is "3000 findings: 1000 errors, 2000 warnings".
func findingCounts(all []hybridcore.Finding) string {
	n, parts := map[hybridcore.Severity]int{}, []string{}
	for _, f := range all {
		n[f.Severity]++
	}
	for _, s := range []hybridcore.Severity{hybridcore.Error, hybridcore.Warning} {
		if n[s] > 0 {
			parts = append(parts, summary.Plural(n[s], string(s)))
		}
	}
	text := summary.Plural(len(all), "finding")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

func (m *markdown) findings(findings []hybridcore.Finding) {
	if len(findings) > 0 {
		m.add("")
	}
	for _, f := range findings {
		line := fmt.Sprintf("- **%s** %s", f.Severity, text.Code(f.Message))
		if f.File != "" {
			line += " in " + where(f.File, f.Line)
		}
		if f.Hint != "" {
			line += ": " + text.Code(f.Hint)
		}
		m.add("%s", line)
	}
}

func where(file string, line int) string {
	switch {
	case file == "":
		return "–"
	case line == 0:
		return text.Code(file)
	default:
		return text.Code(fmt.Sprintf("%s:%d", file, line))
	}
}
