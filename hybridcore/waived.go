// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:06Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package hybridcore

// Waived is the waiver that accepts a finding.
type Waived struct {
	Kind    string `json:"kind"` // leak, finding or drift
	Subject string `json:"subject"`
	Rule    string `json:"rule,omitempty"`
	Owner   string `json:"owner"`
	Reason  string `json:"reason"`
	Until   string `json:"until"` // its last day
	From    string `json:"from"`  // where it was read: the commit
}
