// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:52:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package summary

import (
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestLooked says how far somebody looked, and how old the answers are.
func TestLooked(t *testing.T) {
	at := time.Date(2026, 12, 1, 8, 5, 0, 0, time.UTC)
	for want, look := range map[string]hybridcore.DriftLook{
		"not looked at, because x":                               {Why: "x", Oldest: at},
		"3 of 4 questions looked at, as of 2026-12-01 08:05 UTC": {Of: "questions", Looked: 3, NotLooked: 1, Oldest: at},
		"1 question looked at, as of 2026-12-01 08:05 UTC":       {Of: "questions", Looked: 1, Oldest: at},
		"2 targets looked at":                                    {Of: "targets", Looked: 2},
	} {
		if got := Looked(look); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
