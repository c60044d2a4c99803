// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:52:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Bounds of the output of one failed target.
const (
	maxTail     = 30  // lines
	maxTailLine = 300 // runes
)

// maxImages is how many images a comment shows before those that went well are folded.
const maxImages = 10

// statusMark is what an eye finds before it reads.
func statusMark(s hybridcore.Status) string {
	switch s {
	case hybridcore.Failed:
		return "❌"
	case hybridcore.BlockedStatus:
		return "⛔"
	case hybridcore.Cancelled:
		return "⏹️"
	default:
		return "✅"
	}
}

// results are those of the record, the worst first. What was to be built and
// has none did not begin, because the run was cancelled.
func (r Report) results() []hybridcore.Result {
	all, ended := slices.Clone(r.Record.Results), map[string]bool{}
	for _, res := range all {
		ended[res.Target] = true
	}
	for _, t := range r.Plan.Pending() {
		if name := t.Target.Name(); !ended[name] {
			all = append(all, hybridcore.Result{
				Target: name, Image: t.Target.Image.Name, Platform: t.Target.Platform,
				Status: hybridcore.Cancelled,
			})
		}
	}
	return worstFirst(all)
}

// outcome counts the results, the worst first.
func (r Report) outcome() string {
	text := summary.Counts(r.results())
	if slices.ContainsFunc(r.Record.Parity, hybridcore.Parity.Blocked) {
		text = "parity is broken, " + text
	}
	return text
}

// rank orders statuses, the worst first.
func rank(s hybridcore.Status) int {
	order := []hybridcore.Status{
		hybridcore.Failed, hybridcore.BlockedStatus, hybridcore.Cancelled, hybridcore.Built,
		hybridcore.Validated, hybridcore.Published,
	}
	if at := slices.Index(order, s); at >= 0 {
		return at
	}
	return len(order)
}

// bad says whether a status keeps a run from being good.
func bad(s hybridcore.Status) bool { return rank(s) < rank(hybridcore.Built) }

func worstFirst(results []hybridcore.Result) []hybridcore.Result {
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b hybridcore.Result) int { return rank(a.Status) - rank(b.Status) })
	return sorted
}

// took is a duration as people say it: 34s, 12m 5s, 2h 3m.
func took(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0 && m > 0:
		return fmt.Sprintf("%dh %dm", h, m)
	case h > 0:
		return fmt.Sprintf("%dh", h)
	case m > 0 && s > 0:
		return fmt.Sprintf("%dm %ds", m, s)
	case m > 0:
		return fmt.Sprintf("%dm", m)
	default:
		return fmt.Sprintf("%ds", s)
	}
}

// row is one image with what became of it on each platform.
type row struct {
	image string
	cells map[string]string // by platform
	bad   bool
	done  bool // something was done with it
}

// results adds a table of images and platforms: those that the run did
// something with, the worst first. Of many, the good ones are folded.
func (m *markdown) results(results []hybridcore.Result) {
	rows, platforms := resultRows(results)
	var failed, good [][]string
	for _, one := range rows {
		cells := []string{text.Code(one.image)}
		for _, p := range platforms {
			text := one.cells[p]
			if text == "" {
				text = "–"
			}
			cells = append(cells, text)
		}
		if one.bad {
			failed = append(failed, cells)
		} else {
			good = append(good, cells)
		}
	}
	head := append([]string{"Image"}, platforms...)
	if len(failed)+len(good) <= maxImages {
		m.table(head, append(failed, good...))
		return
	}
	m.table(head, failed)
	if len(good) > 0 {
		m.folded("Results of "+summary.Plural(len(good), "image"), func() { m.table(head, good) })
	}
}

// resultRows are the images that something was done with, and the platforms
// that any of them is for, in the order of the platform table. results are sorted.
func resultRows(results []hybridcore.Result) (rows []row, platforms []string) {
	at, used := map[string]int{}, map[string]bool{}
	for _, res := range results {
		image := res.Image
		if image == "" {
			image = res.Target
		}
		i, seen := at[image]
		if !seen {
			i, at[image] = len(rows), len(rows)
			rows = append(rows, row{image: image, cells: map[string]string{}})
		}
		text := string(res.Status)
		if res.Status != hybridcore.UnchangedDone {
			rows[i].done = true
			text = statusMark(res.Status) + " " + text
			if res.Duration > 0 {
				text += ", " + took(res.Duration)
			}
		}
		rows[i].bad = rows[i].bad || bad(res.Status)
		rows[i].cells[string(res.Platform)] = text
	}
	rows = slices.DeleteFunc(rows, func(one row) bool { return !one.done })
	for _, one := range rows {
		for p := range one.cells {
			used[p] = true
		}
	}
	for _, name := range append(hybridcore.PlatformNames(), "") {
		if used[name] {
			platforms = append(platforms, name)
		}
	}
	return rows, platforms
}

// artifacts adds what the run has built.
func (m *markdown) artifacts(r hybridcore.Record) {
	var rows [][]string
	for _, res := range r.Results {
		if res.Artifact != nil && res.Status != hybridcore.UnchangedDone {
			rows = append(rows, append([]string{text.Code(res.Target)}, artifactRow(res)...))
		}
	}
	if len(rows) > 0 {
		m.folded(summary.Plural(len(rows), "artifact"), func() { m.table(append([]string{"Target"}, artifactHead...), rows) })
	}
}

var artifactHead = []string{"Artifact", "Packages"}

func artifactRow(res hybridcore.Result) []string {
	packages := "–"
	if res.Inventory != nil {
		packages = fmt.Sprint(res.Inventory.Packages)
	}
	return []string{text.Code(summary.ArtifactName(res.Artifact)), packages}
}

// failures adds why targets failed, with the last lines of each.
func (m *markdown) failures(r hybridcore.Record) {
	for _, res := range worstFirst(r.Results) {
		if res.Failure != nil {
			m.folded(fmt.Sprintf("%s %s %s: %s", statusMark(res.Status), htmlCode(res.Target), res.Status,
				htmlCode(res.Failure.Message)), func() {
				m.failure(*res.Failure, res.Log)
			})
		}
	}
}

// failure adds where it failed, and the last lines of output.
func (m *markdown) failure(f hybridcore.Failure, log string) {
	m.add("")
	for _, one := range [][2]string{{"Step", f.Step}, {"File", f.File}, {"Log", log}} {
		if one[1] != "" {
			m.add("- %s: %s", one[0], text.Code(one[1]))
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
		said := []rune(text.Line(line))
		m.add("│ %s", text.HTML(string(said[:min(len(said), maxTailLine)])))
	}
	m.close("</pre>")
}

// htmlCode is code for within an HTML element, where Markdown is not read.
func htmlCode(said string) string { return inHTML(text.Code(said)) }

// inHTML writes code spans as elements. What code returns holds no other backtick.
func inHTML(text string) string { return span.ReplaceAllString(text, "<code>$1</code>") }

var span = regexp.MustCompile("`([^`]*)`")
