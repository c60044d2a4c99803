// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:13:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-findings-name-a-rule
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package checks

import (
	"io"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// WriteChecked prints the findings of a validation and one line that sums up.
func WriteChecked(w io.Writer, s Style, a hybridcore.Answer) error {
	p := &printer{w: w, style: s}
	findings := a.All()
	p.findings(s, findings)
	blocking := 0
	for _, f := range findings {
		if f.Blocking {
			blocking++
		}
	}
	verdict := s.green("valid")
	if blocking > 0 {
		verdict = s.Red("blocked")
	}
	p.line("%s: %s of %s, %s, %s, %s", verdict, summary.Plural(a.Checked.Targets, "target"), a.Checked.Env,
		summary.Plural(blocking, "error"), summary.Plural(len(findings)-blocking, "warning"),
		a.Checked.Took.Round(time.Millisecond))
	if a.Cached != "" {
		p.line("cached verdict of run %s: nothing changed since (--no-cache asks anew)", a.Cached)
	}
	return p.err
}
