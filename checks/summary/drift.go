// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:17:18Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package summary

import (
	"fmt"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Since is when something was first seen.
func Since(at time.Time) string {
	if at.IsZero() {
		return "not known"
	}
	return at.UTC().Format("2006-01-02 15:04 UTC")
}

// Looked says how far somebody looked.
func Looked(look hybridcore.DriftLook) string {
	switch {
	case look.Why != "":
		return "not looked at, because " + look.Why
	case look.NotLooked > 0:
		return fmt.Sprintf("%d of %d %s looked at", look.Looked, look.Looked+look.NotLooked, look.Of) + asOf(look.Oldest)
	}
	return fmt.Sprintf("%s looked at", Plural(look.Looked, strings.TrimSuffix(look.Of, "s"))) + asOf(look.Oldest)
}

// asOf says how old answers are; nothing when they are not kept.
func asOf(oldest time.Time) string {
	if oldest.IsZero() {
		return ""
	}
	return ", as of " + Since(oldest)
}

// Drift is what a look came to, in one sentence.
func Drift(d hybridcore.DriftReport) string {
	blocking, other, unseen := 0, 0, 0
	for _, f := range d.All() {
		switch {
		case f.Rule == hybridcore.RuleNotLooked:
			unseen++
		case f.Blocking:
			blocking++
		default:
			other++
		}
	}
	said := fmt.Sprintf("drift of %s: ", d.Env)
	switch {
	case blocking > 0:
		said += fmt.Sprintf("%s, %d that block", Plural(blocking+other, "finding"), blocking)
	case other > 0:
		said += Plural(other, "finding") + ", none that blocks"
	default:
		said += "nothing in what was looked at"
	}
	if unseen > 0 {
		said += fmt.Sprintf("; %d not looked at", unseen)
	}
	return said
}
