// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T02:24:00Z
// Spec: openspec/specs/values/spec.md#requirement-typed-errors
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

// Package text is for text that others wrote: it finds the name that somebody meant, and makes foreign text safe, with
// one way for each language that it is written into.
package text

import "fmt"

// Bounds of a search for the nearest name: files of somebody else's may hold
// thousands of names, and ask for as many.
const (
	maxNear     = 64  // bytes of a name
	maxCompared = 256 // names of about the same length
)

// Nearest returns the candidate at the smallest edit distance from the name,
// which is at most a third of the name's length plus one, or an empty string. Of
// many candidates it compares the first ones only.
func Nearest(name string, candidates []string) string {
	if len(name) > maxNear {
		return ""
	}
	best, at, compared := "", len(name)/3+1, 0
	for _, c := range candidates {
		if len(c)-len(name) > at || len(name)-len(c) > at {
			continue
		}
		if compared++; compared > maxCompared {
			break
		}
		if d := editDistance(name, c, at); d <= at && (best == "" || d < at) {
			best, at = c, d
		}
	}
	return best
}

// DidYouMean returns ` (did you mean "x"?)` for the nearest of the candidates,
// or an empty string; see Nearest.
func DidYouMean(name string, candidates []string) string {
	best := Nearest(name, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// editDistance is the Levenshtein distance of two names, or limit+1 when it is more
// than limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
