// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:38Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

// Package waivers reads waivers.hcl: what somebody has accepted for a time, with the
// reason. Secrets stand in it as salted hashes only.
package waivers

import (
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// FileName is where waivers stand, at the top of the project.
const FileName = "waivers.hcl"

// Kind is the kind of findings about waivers.
const Kind = "waiver"

// Rules of findings about waivers.
const (
	RuleExpired  = "waiver-expired"
	RuleStale    = "waiver-stale"
	RuleInForce  = "waiver-in-force"
	RuleNotYet   = "waiver-not-yet"
	RuleRefused  = "waiver-refused"
	RuleBadField = "waiver-setting"
)

// Kinds of waivers.
const (
	Leak  = "leak"    // a secret in plain text
	Found = "finding" // what validation finds
	Drift = "drift"   // what is there is not what was recorded
)

// settings are what a waiver of each kind says, in the order in which it is proposed.
var settings = map[string][]string{
	Leak:  {"subject", "hash", "owner", "reason", "expires"},
	Found: {"subject", "rule", "owner", "reason", "expires"},
	Drift: {"subject", "rule", "accepts", "owner", "reason", "expires"},
}

// kinds are what can be waived.
var kinds = []string{Leak, Found, Drift}

// Bounds: of waivers in a file, of a reason in bytes, and of the work of a hash. The work
// makes a weak secret slower to guess; it does not make it safe to show.
const (
	maxWaivers = 500
	// A hash is slow to compare: each leak of a file is compared with each of its waivers.
	maxOfSubject = 20
	maxReason    = 500
	rounds       = 4096
	saltBytes    = 8
)

// Waiver accepts one thing until it expires.
type Waiver struct {
	Kind    string
	Subject string // a file; of drift what it is about
	Rule    string // of a finding and of drift
	Hash    string // of a leak: sha256:SALT:DIGEST of what is accepted
	Accepts string // of drift: what was found, see Accepts
	Owner   string
	Reason  string
	Expires time.Time // the first moment at which it does not hold
	Line    int
}

// Holds says whether a waiver has not expired.
func (w Waiver) Holds(now time.Time) bool { return now.Before(w.Expires) }

// Accept is a finding that a waiver accepts: it is shown, and blocks nothing. From is where
// the waiver was read, in words.
func (w Waiver) Accept(f hybridcore.Finding, from string) hybridcore.Finding {
	until := w.Expires.AddDate(0, 0, -1).Format(time.DateOnly)
	f.Waived = hybridcore.Waived{
		Kind: w.Kind, Subject: w.Subject, Rule: w.Rule, Owner: hclfile.Printable(w.Owner),
		Reason: hclfile.Printable(w.Reason), Until: until, From: from,
	}
	f.Kind, f.Rule, f.Severity, f.Blocking = Kind, RuleInForce, hybridcore.Info, false
	f.Message += fmt.Sprintf(": waived until %s by %s, because %s", until, f.Waived.Owner, f.Waived.Reason)
	f.Hint = "read from " + FileName + " of " + from
	return f
}

// Finding is one about a waiver of the tree.
func (w Waiver) Finding(rule string, severity hybridcore.Severity, message, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: Kind, Rule: rule, Subject: w.Subject, File: FileName, Line: w.Line, Column: 1,
		Message: hclfile.Printable(message), Hint: hint, Severity: severity, Blocking: severity == hybridcore.Error,
	}
}
