// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:09:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Bounds of the sections of a comment, in UTF-16 units. Together they are
// below maxMarkdown, so that none takes the room of another.
const (
	maxResults   = 8_000
	maxFailures  = 12_000
	maxParity    = 9_000
	maxDiff      = 6_000
	maxArtifacts = 6_000
	maxFindings  = 9_000
	maxPlan      = 8_000
)

// Report is what a comment and checks are rendered from.
type Report struct {
	Plan    hybridcore.Plan
	Record  *hybridcore.Record   // nil before the end, and for a plan
	Changes []hybridcore.Changes // of the images since their last build
	// Full says in our words where everything is, for what does not fit:
	// "the artifact `report` of this job".
	Full string
	// Untrusted says that the change is of a stranger: nothing is built for it.
	Untrusted bool
	// Prefix is the path of the project in its repository; empty: the top.
	Prefix string
}

// WriteReportMarkdown renders a run, or a plan, for a comment and a step
// summary. It has at most 60,000 UTF-16 units, and says what is left out.
func WriteReportMarkdown(w io.Writer, r Report) error {
	m := &markdown{full: r.Full}
	if r.Record == nil {
		m.plan(r)
		return m.write(w)
	}
	results := r.results()
	m.add("## %s Images for %s: %s", statusMark(r.Record.Status), text.Code(r.Record.Request.Env), r.outcome())
	m.add("\n%s", verdict(*r.Record))
	m.stranger(r)
	m.within(maxResults, "images", func() { m.results(results) })
	m.within(maxFailures, "lines of failures", func() { m.failures(*r.Record) })
	for _, one := range r.Record.Parity {
		m.within(maxParity/len(r.Record.Parity), "lines on parity", func() { m.parity(one) })
	}
	m.within(maxDiff, "changes", func() { m.changes(r.Changes) })
	m.within(maxArtifacts, "artifacts", func() { m.artifacts(*r.Record) })
	m.allFindings(r)
	m.within(maxPlan, "lines of the plan", func() { m.why(r.Plan) })
	return m.write(w)
}

// stranger says why a fork's change gets no more.
func (m *markdown) stranger(r Report) {
	if r.Untrusted {
		m.add("\nThis change comes from another repository or from Dependabot: it is planned without Packer, without " +
			"secrets and without any platform, and nothing is built for it.")
	}
}

// verdict is the end of a run in one sentence.
func verdict(r hybridcore.Record) string {
	switch n := len(r.Results); r.Status {
	case hybridcore.Published:
		return "**Released:** " + plural(n, "target") + " as " + text.Code(r.Request.Release) + " in " +
			took(r.Duration) + "."
	case hybridcore.Built:
		return "**Done** in " + took(r.Duration) + "."
	case hybridcore.UnchangedDone:
		return "**Nothing to do:** all " + plural(n, "target") + " are as they were built last."
	case hybridcore.Validated:
		return "**Valid:** " + plural(n, "target") + " in " + took(r.Duration) + "."
	case hybridcore.Cancelled:
		return "**Cancelled** after " + took(r.Duration) + "; what was built before is kept."
	case hybridcore.BlockedStatus:
		if slices.ContainsFunc(r.Parity, hybridcore.Parity.Blocked) {
			return "**Parity is broken:** " + broken(r.Parity) + " nothing is released before that is corrected or reviewed."
		}
		return "**Blocked:** nothing is released before what follows is corrected."
	default:
		if r.Request.Action == hybridcore.ActionPublish {
			return "**Not released** as " + text.Code(
				r.Request.Release) + ": after what follows is corrected, run publish again; it completes the release."
		}
		return "**Failed** after " + took(r.Duration) + "; " + text.Code("build --retry-failed "+
			r.RunID) + " tries what did not succeed again."
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// changes adds what is in the images since their last build.
func (m *markdown) changes(reports []hybridcore.Changes) {
	all := merged(reports)
	if len(all) == 0 {
		return
	}
	m.folded(plural(len(all), "change")+" in the images since their last build", func() {
		rows := [][]string{}
		for _, c := range all {
			said := text.Code(shortDigest(c.Was)) + " → " + text.Code(shortDigest(c.Now))
			switch {
			case c.Was == "":
				said = "added " + text.Code(shortDigest(c.Now))
			case c.Now == "":
				said = "removed " + text.Code(shortDigest(c.Was))
			}
			rows = append(rows, []string{
				text.Code(c.image), text.Code(c.Category + " " + c.Key), said,
				text.Code(strings.Join(c.platforms, ", ")),
			})
		}
		m.table([]string{"Image", "What", "Change", "On"}, rows)
	})
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
	all := append([]hybridcore.Finding{}, r.Plan.Findings...)
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
			parts = append(parts, plural(n[s], string(s)))
		}
	}
	text := plural(len(all), "finding")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// why adds the plan of a run that is over.
func (m *markdown) why(plan hybridcore.Plan) {
	all := append(causes(plan), moved(plan)...)
	switch len(all) {
	case 0:
	case 1:
		m.folded("What changed: "+inHTML(what(all[0].reason)), func() { m.causes(plan) })
	default:
		m.folded(fmt.Sprintf("What changed: %d causes, and what they rebuild", len(all)), func() { m.causes(plan) })
	}
	m.beside(plan)
}
