// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:13:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-findings-name-a-rule
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package checks

import (
	"fmt"
	"io"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// WriteChecked prints the findings of a validation and one line that sums up.
func WriteChecked(w io.Writer, s Style, plan hybridcore.Plan, took time.Duration) error {
	p := &printer{w: w}
	p.findings(s, plan.Findings)
	blocking := 0
	for _, f := range plan.Findings {
		if f.Blocking {
			blocking++
		}
	}
	verdict := s.green("valid")
	if blocking > 0 {
		verdict = s.red("blocked")
	}
	p.line("%s: %s of %s, %s, %s, %s", verdict, count(len(plan.Targets), "target"), plan.Request.Env,
		count(blocking, "error"), count(len(plan.Findings)-blocking, "warning"), took.Round(time.Millisecond))
	return p.err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
