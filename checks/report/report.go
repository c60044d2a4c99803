// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:09:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

// Package report renders plans and runs for a change: as a comment, a step summary
// and checks.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
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
	maxPlan      = 8_000
)

// Write renders a run, or a plan, for a comment and a step
// summary. It has at most 60,000 UTF-16 units, and says what is left out.
func Write(w io.Writer, r Report) error {
	m := &markdown{full: r.Full}
	if r.Drift != nil {
		drift(m, *r.Drift)
		return m.write(w)
	}
	if r.Record == nil {
		if len(r.Beside)+len(r.Gone) > 0 {
			environments(m, r)
		} else {
			m.plan(r)
		}
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

// WriteDrift renders a look for a comment and a step summary.
func WriteDrift(w io.Writer, d hybridcore.DriftReport) error {
	return Write(w, Report{Drift: &d})
}

// verdict is the end of a run in one sentence.
func verdict(r hybridcore.Record) string {
	switch n := len(r.Results); r.Status {
	case hybridcore.Published:
		return "**Released:** " + summary.Plural(n, "target") + " as " + text.Code(r.Request.Release) + " in " +
			took(r.Duration) + "."
	case hybridcore.Built:
		return "**Done** in " + took(r.Duration) + "."
	case hybridcore.UnchangedDone:
		return "**Nothing to do:** all " + summary.Plural(n, "target") + " are as they were built last."
	case hybridcore.Validated:
		return "**Valid:** " + summary.Plural(n, "target") + " in " + took(r.Duration) + "."
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

// changes adds what is in the images since their last build.
func (m *markdown) changes(reports []hybridcore.Changes) {
	all := summary.Merged(reports)
	if len(all) == 0 {
		return
	}
	m.folded(summary.Plural(len(all), "change")+" in the images since their last build", func() {
		rows := [][]string{}
		for _, c := range all {
			said := text.Code(summary.ShortDigest(c.Was)) + " → " + text.Code(summary.ShortDigest(c.Now))
			switch {
			case c.Was == "":
				said = "added " + text.Code(summary.ShortDigest(c.Now))
			case c.Now == "":
				said = "removed " + text.Code(summary.ShortDigest(c.Was))
			}
			rows = append(rows, []string{
				text.Code(c.Image), text.Code(c.Category + " " + c.Key), said,
				text.Code(strings.Join(c.Platforms, ", ")),
			})
		}
		m.table([]string{"Image", "What", "Change", "On"}, rows)
	})
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
