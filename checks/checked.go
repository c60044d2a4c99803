// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:13:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-findings-name-a-rule
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package checks

import (
	"io"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Checked is what a validation inside the process came to.
type Checked struct {
	Env      string
	Targets  int
	Findings []hybridcore.Finding
	Took     time.Duration
	Cached   string // the run whose verdict this is, if it is an earlier one's
}

// WriteChecked prints the findings of a validation and one line that sums up.
func WriteChecked(w io.Writer, s Style, c Checked) error {
	p := &printer{w: w, style: s}
	p.findings(s, c.Findings)
	blocking := 0
	for _, f := range c.Findings {
		if f.Blocking {
			blocking++
		}
	}
	verdict := s.green("valid")
	if blocking > 0 {
		verdict = s.red("blocked")
	}
	p.line("%s: %s of %s, %s, %s, %s", verdict, plural(c.Targets, "target"), c.Env,
		plural(blocking, "error"), plural(len(c.Findings)-blocking, "warning"), c.Took.Round(time.Millisecond))
	if c.Cached != "" {
		p.line("cached verdict of run %s: nothing changed since (--no-cache asks anew)", c.Cached)
	}
	return p.err
}
