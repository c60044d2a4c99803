// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T12:45:00Z
// Spec: openspec/specs/leaks/spec.md#requirement-every-file-of-the-project
// Diagram: openspec/specs/leaks/diagram.md#one-file

package text

import (
	"math"
	"regexp"
	"strings"
)

// coded matches texts as programs write random bytes.
var coded = regexp.MustCompile(`^[A-Za-z0-9+/=_~.-]{24,}$`)

// Coded says whether a text is written as programs write random bytes.
func Coded(s string) bool { return coded.MatchString(s) }

// Random says whether a text has the entropy of random characters: 24 random ones of 64
// have 4.1 bits each and more in 99 of 100 cases, English words and file names joined by
// hyphens stay below 3.9.
func Random(s string) bool { return Coded(s) && strings.Count(s, "/") <= 2 && Entropy(s) >= 4.0 }

// Entropy is how many bits each byte of a text has.
func Entropy(s string) float64 {
	var count [256]float64
	for i := range len(s) {
		count[s[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := n / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
