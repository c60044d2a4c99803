// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:07Z
// Spec: openspec/specs/plan/spec.md#requirement-explain-a-variable
// Diagram: openspec/specs/plan/diagram.md#layers

package checks

import (
	"fmt"
	"io"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// WriteExplanation prints every layer of a variable and which one wins.
func WriteExplanation(w io.Writer, s Style, e hybridcore.Explanation) error {
	p := &printer{w: w, style: s}
	p.line("%s of %s in %s: %s, declared at %s:%d", e.Variable, e.Target, e.Env, e.Type, e.File, e.Line)
	if e.Description != "" {
		p.line("%s", s.Dim(text.InJobLog(e.Description)))
	}
	for _, note := range notes(e) {
		p.line("%s", s.Dim(note))
	}
	p.line("")
	rows := [][]string{{"", "LAYER", "VALUE", "WHERE"}}
	for _, l := range e.Layers {
		mark, value, where := "", "-", dash(l.File)
		switch l.State {
		case hybridcore.LayerWins, hybridcore.LayerSets:
			if l.State == hybridcore.LayerWins {
				mark = "wins"
			}
			if value = text.InJobLog(l.Value); e.Sensitive {
				value = "<sensitive>"
			}
			if l.Line > 0 {
				where = fmt.Sprintf("%s:%d", l.File, l.Line)
			}
		case hybridcore.LayerMissing:
			where += " (no such file)"
		}
		rows = append(rows, []string{mark, l.Name, value, where})
	}
	p.table(rows, func(row, col int, text string) string {
		switch {
		case row == 0:
			return text
		case e.Layers[row-1].State == hybridcore.LayerWins:
			return s.green(text)
		case e.Layers[row-1].State == hybridcore.LayerSets:
			return text
		default:
			return s.Dim(text)
		}
	})
	if len(e.Findings) > 0 {
		p.line("")
	}
	p.findings(s, e.Findings)
	return p.err
}

// notes say what the variable is beyond its value.
func notes(e hybridcore.Explanation) []string {
	var all []string
	if e.Sensitive {
		all = append(all, "sensitive: its value is never shown, and is in no digest")
	}
	if e.Connection {
		all = append(all, "says how to reach the platform or the guest: in no digest")
	}
	if e.Run {
		all = append(all, "differs from run to run: in no digest; shown as it is before a run")
	}
	return all
}
