// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:50:00Z
// Spec: openspec/specs/logs/spec.md#requirement-outside-text-is-sanitised
// Diagram: openspec/specs/logs/diagram.md#sinks

package text

import "strings"

// Line is Sanitize for text within one line: each stretch of white space, line breaks too, becomes a blank.
func Line(s string) string { return strings.Join(strings.Fields(Sanitize(s)), " ") }

// Cut bounds a text to so many characters; one that is cut ends with an ellipsis.
func Cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// ShellWord makes a text one word of a shell command, byte for byte.
func ShellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
