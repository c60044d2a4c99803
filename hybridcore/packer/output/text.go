// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:15Z
// Spec: openspec/specs/packer/spec.md#requirement-hostile-output
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package output

import (
	"strings"
	"unicode/utf8"
)

// MaxLine bounds a line in an event or outcome, in bytes.
const MaxLine = 4 << 10

// Bound cuts a line to maxLine bytes at a character border and marks the cut.
func Bound(line string) string {
	if len(line) <= MaxLine {
		return line
	}
	cut := MaxLine - len("…")
	for cut > 0 && !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + "…"
}

// Lines splits text at line breaks of any kind; a carriage return alone is one
// too, because progress bars end with it. Empty lines at the ends are dropped.
func Lines(text string) []string {
	text = strings.Trim(text, "\r\n")
	if !strings.ContainsAny(text, "\r\n") {
		return []string{text}
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
}

// Limits of what is kept of one run. A build that exceeds them still runs to
// its end; the rest is in the log.
const (
	MaxTail  = 20   // lines
	MaxSteps = 1000 // steps
	MaxTexts = 100  // diagnostics, errors and marked lines, each
)

// FirstLine is the first line of a text that is not blank.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
