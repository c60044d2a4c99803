// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:17:18Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package report

import (
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxDrift bounds the findings of a look, in UTF-16 units.
const maxDrift = 40_000

// drift adds what is not as it was recorded, the worst first.
func drift(m *markdown, d hybridcore.DriftReport) {
	mark := statusMark(hybridcore.UnchangedDone)
	switch d.Exit() {
	case hybridcore.ExitBlocked:
		mark = statusMark(hybridcore.BlockedStatus)
	case hybridcore.ExitFailed:
		mark = "⚠️"
	}
	m.add("## %s Drift of %s", mark, text.Code(d.Env))
	m.add("\n**%s**, %s.", text.Code(summary.Drift(d)), d.At.UTC().Format("2006-01-02 15:04 UTC"))
	rows := [][]string{}
	for _, look := range d.Looks {
		rows = append(rows, []string{string(look.Part), text.Code(summary.Looked(look))})
	}
	m.table([]string{"Part", "How far"}, rows)
	m.within(maxDrift, "findings", func() {
		rows := [][]string{}
		for _, one := range d.Findings {
			f := one.Finding
			said := text.Code(f.Message)
			if f.Hint != "" {
				said += ": " + text.Code(f.Hint)
			}
			rows = append(rows, []string{
				fmt.Sprintf("**%s**", f.Severity), text.Code(f.Rule), text.Code(f.Subject), where(f.File, f.Line),
				summary.Since(one.Since), said,
			})
		}
		m.table([]string{"", "Rule", "Of", "Where", "Since", "What"}, rows)
	})
	if d.SinceUnknown != "" {
		m.add("\nSince when is not known: %s", text.Code(d.SinceUnknown))
	}
}

// drifted completes the check of a look.
func (c *Check) drifted(d hybridcore.DriftReport, now time.Time) {
	c.complete(Success, now)
	if d.Exit() != hybridcore.ExitOK {
		c.Conclusion = Failure
	}
	c.Title = Clip(text.InJobLog(summary.Drift(d)), MaxTitle)
}
