// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T02:22:00Z
// Spec: openspec/specs/values/spec.md#requirement-typed-errors
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package text

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestNearestIsBounded compares a name with a bounded part of many that are alike.
func TestNearestIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxNear+1)
	var many []string
	for n := range 2 * maxCompared {
		many = append(many, fmt.Sprintf("name-%04d", n))
	}
	for name, tt := range map[string]struct {
		name       string
		candidates []string
		want       string
	}{
		"near":                {"debian-13", []string{"ubuntu-24.04", "debian-12"}, "debian-12"},
		"far":                 {"debian-13", []string{"rocky-9"}, ""},
		"the best of several": {"debian-13", []string{"debian-21", "debian-12"}, "debian-12"},
		"too long a name":     {long, []string{long}, ""},
		"the first of many":   {"name-0001x", many, "name-0001"},
		"after too many":      {"zzzzzzzzz", slices.Concat(many, []string{"zzzzzzzzy"}), ""},
		"others do not count": {"zzz", slices.Concat(many, []string{"zzy"}), "zzy"},
	} {
		if got := Nearest(tt.name, tt.candidates); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	tests := []struct{ name, want string }{
		{"debain-12", ` (did you mean "debian-12"?)`},
		{"windows-11", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := DidYouMean(tt.name, []string{"debian-12", "ubuntu-24.04"}); got != tt.want {
			t.Errorf("DidYouMean(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}
