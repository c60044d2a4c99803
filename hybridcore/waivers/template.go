// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:06Z
// Spec: openspec/specs/waivers/spec.md#requirement-the-block-to-paste
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// MaxProposed bounds the waivers that are proposed at once.
const MaxProposed = 50

// Template are the waivers that would accept what blocks, for waivers.hcl, with what only their
// author knows to be filled in. What cannot be waived is said in comments.
func Template(findings []hybridcore.Finding) string {
	var b strings.Builder
	seen := map[string]bool{}
	left := 0
	for _, f := range findings {
		if !f.Blocking {
			continue
		}
		place := f.Subject
		if f.File != "" {
			place = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		block, key := "", ""
		switch why := WhyNever(f); {
		case why == "":
			block = fmt.Sprintf("waiver %q {\n  subject = %s\n  rule    = %q\n", KindFor(f), quote(SubjectOf(f)), f.Rule)
			if what := Accepts(f); what != "" {
				block += fmt.Sprintf("  accepts = %s\n", quote(what))
			}
			block += fmt.Sprintf("  owner   = %[1]q\n  reason  = %[1]q\n  expires = %[1]q\n}\n", Ask)
			key = block
		case f.Kind == Leak:
			block, key = "# Its finding ends with the waiver to paste, unless it is a private key.\n", place
		default:
			block, key = "# Cannot be waived: "+why+".\n", place+f.Message
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		if len(seen) > MaxProposed {
			left++
			continue
		}
		fmt.Fprintf(&b, "# %.300s: %.500s\n%s\n", hclfile.Printable(place), hclfile.Printable(f.Message), block)
	}
	switch {
	case left > 0:
		fmt.Fprintf(&b, "# %d more are left out.\n", left)
	case b.Len() == 0:
		b.WriteString("# Nothing blocks.\n")
	}
	return b.String()
}
