// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:06Z
// Spec: openspec/specs/waivers/spec.md#requirement-what-is-never-waived
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"cmp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Never is something that no waiver accepts. One of Rule and Kind is set; a rule that ends
// with '*' is every rule that begins so.
type Never struct{ Rule, Kind, Why string }

// never is what no waiver accepts, besides private keys: those have no rule of their own.
var never = []Never{
	{Kind: Kind, Why: "what is wrong with waivers decides what they accept"},
	{Kind: Leak, Why: "a secret is waived by its hash, as its finding proposes; a private key never is"},
	{Kind: hybridcore.KindSyntax, Why: "a file that cannot be read was not looked at"},
	{Rule: "waiver-*", Why: "what is wrong with waivers decides what they accept"},
	{Rule: "plain-secret", Why: "a secret is waived by its hash, with the kind leak"},
	{Rule: "policy-*", Why: "it guards this machine from a tree whose author is not trusted"},
	{Rule: "too-much-work", Why: "it guards the time and the memory of this machine"},
	{Rule: "yaml", Why: "it guards the time and the memory of this machine"},
	{Rule: "hidden-text", Why: "what a reviewer reads is not what is there"},
	{Rule: "drift-sources", Why: "the lock says what may be used: change it, where it is reviewed"},
	{Rule: "drift-plugin", Why: "the lock says what may be used: change it, where it is reviewed"},
	{Rule: "drift-record", Why: "a damaged record says nothing that could be accepted; restore it"},
	{Rule: "drift-not-looked", Why: "nobody knows what would be accepted"},
}

// Nevers lists what no waiver accepts.
func Nevers() []Never { return slices.Clone(never) }

// neverByRule says why no waiver of a rule accepts anything; empty when one may.
func neverByRule(rule string) string {
	for _, row := range never {
		prefix, many := strings.CutSuffix(row.Rule, "*")
		if row.Rule != "" && (rule == row.Rule || many && strings.HasPrefix(rule, prefix)) {
			return row.Why
		}
	}
	return ""
}

// WhyNever says why a finding cannot be waived; empty when it can.
func WhyNever(f hybridcore.Finding) string {
	for _, row := range never {
		if row.Kind != "" && row.Kind == f.Kind {
			return row.Why
		}
	}
	switch why := neverByRule(f.Rule); {
	case why != "":
		return why
	case KindFor(f) == "":
		return "waivers are for leaks, for what validation finds by a rule, and for drift"
	}
	return ""
}

// KindFor is the kind of waivers of a finding that is no leak; empty when there is none.
func KindFor(f hybridcore.Finding) string {
	switch {
	case f.Rule == "":
		return ""
	case f.Kind == Drift:
		return Drift
	case f.Kind == hybridcore.KindSchema, f.Kind == hybridcore.KindVariable, f.Kind == "policy":
		return Found
	}
	return ""
}

// SubjectOf is the subject of the waivers of a finding: of drift what it is about, else the
// file, for a file's lines move.
func SubjectOf(f hybridcore.Finding) string {
	if f.Kind == Drift {
		return f.Subject
	}
	return cmp.Or(f.File, f.Subject)
}
