// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:17:18Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package cirun

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// driftOf is what is not as it was recorded, the worst first, and how far somebody looked.
func driftOf(d hybridcore.DriftReport) Outcome {
	blocking, unseen := 0, 0
	grid := &Grid{Columns: []string{"Severity", "Rule", "Of", "Since", "What"}}
	for _, one := range d.Findings {
		f, since := one.Finding, "not known"
		if !one.Since.IsZero() {
			since = one.Since.UTC().Format("2006-01-02 15:04 UTC")
		}
		switch {
		case f.Blocking:
			blocking++
		case f.Rule == hybridcore.RuleNotLooked:
			unseen++
		}
		grid.add(string(f.Severity), f.Rule, f.Subject, since, f.Message)
	}
	out := Outcome{Title: "Drift"}
	out.Why = fmt.Sprintf("%d found in %s, %d that block, %d not looked at", len(d.Findings)-unseen, d.Env, blocking,
		unseen)
	if len(d.Findings) > 0 {
		out.Grid = grid
	}
	for _, look := range d.Looks {
		if look.Why != "" {
			out.note("%s: not looked at, because %s", look.Part, look.Why)
			continue
		}
		out.note("%s: %d of %d %s looked at", look.Part, look.Looked, look.Looked+look.NotLooked, look.Of)
	}
	return out
}
