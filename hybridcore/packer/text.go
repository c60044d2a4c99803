// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:15Z
// Spec: openspec/specs/packer/spec.md#requirement-hostile-output
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"strings"
	"unicode/utf8"
)

// maxLine bounds a line in an event or outcome, in bytes.
const maxLine = 4 << 10

// bound cuts a line to maxLine bytes at a character border and marks the cut.
func bound(line string) string {
	if len(line) <= maxLine {
		return line
	}
	cut := maxLine - len("…")
	for cut > 0 && !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + "…"
}

// lines splits text at line breaks of any kind; a carriage return alone is one
// too, because progress bars end with it. Empty lines at the ends are dropped.
func lines(text string) []string {
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
	maxTail  = 20   // lines
	maxSteps = 1000 // steps
	maxTexts = 100  // diagnostics, errors and marked lines, each
)
