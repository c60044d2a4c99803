// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:17:18Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

// Package drift prints what is not as it was recorded, for people at a terminal.
package drift

import (
	"fmt"
	"io"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Write prints what was looked at, and what was found.
func Write(w io.Writer, s checks.Style, d hybridcore.DriftReport) error {
	var findings []hybridcore.Finding
	for _, one := range d.Findings {
		f := one.Finding
		if f.Subject != "" {
			f.Message = f.Rule + " " + f.Subject + ": " + f.Message
		}
		f.Message += " (since " + summary.Since(one.Since) + ")"
		findings = append(findings, f)
	}
	if err := checks.WriteFindings(w, s, findings); err != nil {
		return fmt.Errorf("printing drift: %w", err)
	}
	for _, look := range d.Looks {
		if _, err := fmt.Fprintf(w, "%-8s  %s\n", look.Part, s.Dim(summary.Looked(look))); err != nil {
			return fmt.Errorf("printing drift: %w", err)
		}
	}
	said := summary.Drift(d)
	if hybridcore.Blocked(d.All()) != hybridcore.NotBlocked {
		said = s.Red(said)
	}
	if _, err := fmt.Fprintf(w, "%s\n", said); err != nil {
		return fmt.Errorf("printing drift: %w", err)
	}
	if d.SinceUnknown != "" {
		_, err := fmt.Fprintf(w, "since when is not known: %s\n", d.SinceUnknown)
		if err != nil {
			return fmt.Errorf("printing drift: %w", err)
		}
	}
	return nil
}
