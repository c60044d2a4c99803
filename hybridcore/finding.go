// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-findings
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"fmt"
	"slices"
	"strings"
)

// Severity orders findings.
type Severity string

// Severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Kinds of findings whose cause is the form of an input file. Other kinds are
// named where they are made.
const (
	KindSyntax   = "syntax"   // a file cannot be read as what it is
	KindSchema   = "schema"   // a name, type or required setting is wrong
	KindVariable = "variable" // a variable is missing, undeclared or of a wrong type
)

// Finding is one thing that is wrong or worth knowing, with the place.
type Finding struct {
	Kind string `json:"kind"`
	// Rule names the check that found it and never changes, so that it can be
	// waived and looked up; empty when the kind says it all.
	Rule     string   `json:"rule,omitempty"`
	Subject  string   `json:"subject"`        // what it is about: a variable, a target, a tool
	Want     string   `json:"want,omitempty"` // what would be right
	Got      string   `json:"got,omitempty"`  // what is there
	Message  string   `json:"message"`        // one sentence
	Hint     string   `json:"hint,omitempty"` // what to do next
	File     string   `json:"file,omitempty"` // relative to the project root
	Line     int      `json:"line,omitempty"` // 1-based, 0 when there is none
	Column   int      `json:"column,omitempty"`
	Source   string   `json:"source,omitempty"` // the line itself, without a secret
	Severity Severity `json:"severity"`
	Blocking bool     `json:"blocking"`
	// Waived is the waiver that accepts it: then it is shown, and blocks nothing.
	Waived Waived `json:"waived,omitzero"`
}

// String renders the finding for a terminal: place, message, the line, hint.
func (f Finding) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
			if f.Column > 0 {
				fmt.Fprintf(&b, ":%d", f.Column)
			}
		}
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	if f.Source != "" {
		fmt.Fprintf(&b, "\n    %s", f.Source)
	}
	if f.Hint != "" {
		fmt.Fprintf(&b, "\n  hint: %s", f.Hint)
	}
	return b.String()
}

// Block says why findings block a request.
type Block int

// Ways in which findings block.
const (
	NotBlocked    Block = iota
	BlockedByForm       // only by syntax, schema and variables: the user's input is wrong
	BlockedByRule       // by drift, policy, a missing tool or a leak
)

// Distinct keeps the first of equal findings, in place.
func Distinct(findings []Finding) []Finding {
	seen := map[Finding]bool{}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		was := seen[f]
		seen[f] = true
		return was
	})
}

// Blocked says whether, and by what, the findings block a request.
func Blocked(findings []Finding) Block {
	state := NotBlocked
	for _, f := range findings {
		if !f.Blocking {
			continue
		}
		switch f.Kind {
		case KindSyntax, KindSchema, KindVariable:
			state = max(state, BlockedByForm)
		default:
			return BlockedByRule
		}
	}
	return state
}

// WaiversIn lists the waivers that findings are accepted by, each once.
func WaiversIn(findings []Finding) []Waived {
	var all []Waived
	seen := map[Waived]bool{}
	for _, f := range findings {
		if f.Waived != (Waived{}) && !seen[f.Waived] {
			seen[f.Waived] = true
			all = append(all, f.Waived)
		}
	}
	return all
}
