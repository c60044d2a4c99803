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
)

// Bounds of the sections of a comment, in UTF-16 units. Together they are
// below maxMarkdown, so that none takes the room of another.
const (
	maxResults  = 10_000
	maxFailures = 12_000
	maxParity   = 10_000
	maxDiff     = 7_000
	maxFindings = 9_000
	maxPlan     = 10_000
)

// Bounds of the output of one failed target.
const (
	maxTail     = 30  // lines
	maxTailLine = 300 // runes
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
		m.plan(r.Plan)
		m.stranger(r)
		return m.write(w)
	}
	m.add("## Images for %s: %s", code(r.Record.Request.Env), counts(r.Record.Results))
	m.add("\n%s", verdict(*r.Record))
	m.stranger(r)
	m.within(maxResults, "targets", func() { m.results(*r.Record) })
	m.within(maxFailures, "lines of failures", func() { m.failures(*r.Record) })
	for _, one := range r.Record.Parity {
		m.within(maxParity/len(r.Record.Parity), "lines on parity", func() { m.parity(one) })
	}
	m.within(maxDiff, "changes", func() { m.changes(r.Changes) })
	m.within(maxFindings, "findings", func() { m.allFindings(r) })
	m.within(maxPlan, "lines of the plan", func() { m.why(r.Plan) })
	return m.write(w)
}

// stranger says why a fork's change gets no more.
func (m *markdown) stranger(r Report) {
	if r.Untrusted {
		m.add("\nThis change comes from another repository: it is planned without Packer, without secrets and without any platform, and nothing is built for it.")
	}
}

// verdict is the end of a run in one sentence.
func verdict(r hybridcore.Record) string {
	switch n := len(r.Results); r.Status {
	case hybridcore.Built:
		return "**Done:** " + plural(n, "target") + " in " + seconds(r.Duration) + "."
	case hybridcore.UnchangedDone:
		return "**Nothing to do:** all " + plural(n, "target") + " are as they were built last."
	case hybridcore.Validated:
		return "**Valid:** " + plural(n, "target") + " in " + seconds(r.Duration) + "."
	case hybridcore.Cancelled:
		return "**Cancelled** after " + seconds(r.Duration) + "; what was built before is kept."
	case hybridcore.BlockedStatus:
		if slices.ContainsFunc(r.Parity, hybridcore.Parity.Blocked) {
			return "**Parity is broken:** images of one recipe differ where nobody expects it; nothing is released before that is corrected or reviewed."
		}
		return "**Blocked:** nothing is released before what follows is corrected."
	default:
		return "**Failed** after " + seconds(r.Duration) + "; " + code("build --retry-failed "+r.RunID) + " tries what did not succeed again."
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// results adds a row for each target that the run did something with, the
// worst first.
func (m *markdown) results(r hybridcore.Record) {
	rows, equal := [][]string{}, 0
	for _, res := range worstFirst(r.Results) {
		if res.Status == hybridcore.UnchangedDone {
			equal++
			continue
		}
		artifact := "–"
		if res.Artifact != nil {
			artifact = code(artifactName(res.Artifact))
		}
		packages := "–"
		if res.Inventory != nil {
			packages = fmt.Sprint(res.Inventory.Packages)
		}
		rows = append(rows, []string{code(res.Target), string(res.Status), artifact, packages, seconds(res.Duration)})
	}
	m.table([]string{"Target", "Result", "Artifact", "Packages", "Time"}, rows)
	if equal > 0 {
		m.add("\n%s unchanged.", plural(equal, "target"))
	}
}

// worstFirst sorts results: failed, blocked, cancelled, then the others.
func worstFirst(results []hybridcore.Result) []hybridcore.Result {
	rank := map[hybridcore.Status]int{hybridcore.Failed: -3, hybridcore.BlockedStatus: -2, hybridcore.Cancelled: -1}
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b hybridcore.Result) int { return rank[a.Status] - rank[b.Status] })
	return sorted
}

// failures adds why targets failed, with the last lines of each.
func (m *markdown) failures(r hybridcore.Record) {
	for _, res := range worstFirst(r.Results) {
		if res.Failure == nil {
			continue
		}
		m.folded(fmt.Sprintf("Why %s %s", htmlCode(res.Target), res.Status), func() { m.failure(*res.Failure, res.Log) })
	}
}

func (m *markdown) failure(f hybridcore.Failure, log string) {
	m.add("\n%s", code(f.Message))
	for _, one := range [][2]string{{"step", f.Step}, {"file", f.File}, {"log", log}} {
		if one[1] != "" {
			m.add("- %s %s", one[0], code(one[1]))
		}
	}
	m.output(f.Tail)
}

// output adds lines of a builder, in which nothing is markup. Each begins with
// a bar: other bots obey lines that begin with their command.
func (m *markdown) output(lines []string) {
	if len(lines) == 0 || !m.add("\n<pre>") {
		return
	}
	for _, line := range lines[max(0, len(lines)-maxTail):] {
		text := []rune(strings.Join(strings.Fields(hybridcore.Sanitize(line)), " "))
		m.add("│ %s", escape(string(text[:min(len(text), maxTailLine)])))
	}
	m.close("</pre>")
}

// htmlCode is code for within an HTML element, where Markdown is not read.
func htmlCode(text string) string {
	text = code(text)
	if inner, ok := strings.CutPrefix(text, "`"); ok {
		return "<code>" + strings.TrimSuffix(inner, "`") + "</code>"
	}
	return text
}

// parity adds the comparison of one image.
func (m *markdown) parity(one hybridcore.Parity) {
	n := len(one.Unexpected) + one.Unlisted
	end := fmt.Sprintf("identical but for %d expected keys", keys(one))
	switch {
	case one.Blocked() && n == 0:
		end = "<b>not compared</b>"
	case one.Blocked():
		end = fmt.Sprintf("<b>%d unexpected differences block the release</b>", n)
	case n > 0:
		end = fmt.Sprintf("%d unexpected differences", n)
	}
	m.folded(fmt.Sprintf("Parity of %s: %s", htmlCode(one.Image), end), func() {
		if rows := pairRows(one); len(one.Manifests) > 1 {
			for _, row := range rows[1 : len(rows)-1] {
				row[0] = code(row[0])
			}
			rows[0][0] = "Category"
			m.table(rows[0], rows[1:])
		}
		rows := [][]string{}
		for _, d := range one.Unexpected {
			rows = append(rows, []string{
				code(d.Category + " " + d.Key), string(d.A) + ": " + code(shortDigest(d.InA)), string(d.B) + ": " + code(shortDigest(d.InB)), code(d.Cause),
			})
		}
		m.table([]string{"Unexpected", "One", "Other", "Likely cause"}, rows)
		if one.Unlisted > 0 {
			m.add("\n%d more; `packer-hybrid parity` compares anew.", one.Unlisted)
		}
		m.findings(one.Findings)
	})
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
			text := code(shortDigest(c.Was)) + " → " + code(shortDigest(c.Now))
			switch {
			case c.Was == "":
				text = "added " + code(shortDigest(c.Now))
			case c.Now == "":
				text = "removed " + code(shortDigest(c.Was))
			}
			rows = append(rows, []string{code(c.image), code(c.Category + " " + c.Key), text, code(strings.Join(c.platforms, ", "))})
		}
		m.table([]string{"Image", "What", "Change", "On"}, rows)
	})
}

// allFindings adds the findings of plan and results, the worst first.
func (m *markdown) allFindings(r Report) {
	all := r.findings()
	if len(all) == 0 {
		return
	}
	m.folded(findingCounts(all), func() { m.findings(all) })
}

// findings are those of plan and results, each once, the worst first.
func (r Report) findings() []hybridcore.Finding {
	all, seen := []hybridcore.Finding{}, map[hybridcore.Finding]bool{}
	add := func(some []hybridcore.Finding) {
		for _, f := range some {
			if !seen[f] {
				seen[f] = true
				all = append(all, f)
			}
		}
	}
	add(r.Plan.Findings)
	if r.Record != nil {
		for _, res := range r.Record.Results {
			add(res.Findings)
		}
	}
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
	if len(plan.Targets) == 0 {
		return
	}
	if len(plan.Pending())+len(plan.Moved) > 0 {
		m.folded("What changed, and what it rebuilds", func() { m.causes(plan) })
	}
	m.lists(plan)
}
