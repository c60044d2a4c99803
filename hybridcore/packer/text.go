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

// sanitise takes terminal control sequences, other control characters (tab
// stays) and text-direction overrides out of one line. An invalid byte becomes
// U+FFFD.
func sanitise(line string) string {
	if plain(line) {
		return line
	}
	var b strings.Builder
	b.Grow(len(line))
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		switch {
		case r == 0x1b, r == 0x9b, r == 0x9d, r == 0x90, r == 0x98, r == 0x9e, r == 0x9f:
			i += size + sequence(r, line[i+size:])
			continue
		case r == '\t', !invisible(r):
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// plain says whether the line is printable ASCII, as nearly every line is.
func plain(line string) bool {
	for i := range len(line) {
		if c := line[i]; (c < 0x20 && c != '\t') || c >= 0x7f {
			return false
		}
	}
	return true
}

// invisible says whether a character controls a terminal or the direction of
// text, or ends a line somewhere.
func invisible(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return true
	case r == 0x2028, r == 0x2029: // line and paragraph separators
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // direction
		return true
	case r == 0xfeff: // byte order mark
		return true
	default:
		return false
	}
}

// sequence returns the length of what follows an escape character: the rest of
// a CSI sequence, of a string that BEL or ST ends, or one character.
func sequence(lead rune, rest string) int {
	skip := 0
	if lead == 0x1b {
		if rest == "" {
			return 0
		}
		skip = 1
		switch rest[0] {
		case '[':
			lead = 0x9b
		case ']', 'P', 'X', '^', '_':
			lead = 0x9d
		case '(', ')', '*', '+', '#', ' ', '%': // charset and size: one more byte
			return min(2, len(rest))
		default:
			if rest[0] < 0x20 || rest[0] >= 0x7f {
				return 0
			}
			return 1
		}
	}
	if lead == 0x9b {
		return skip + csi(rest[skip:])
	}
	return skip + controlString(rest[skip:])
}

// csi returns the length of parameters, intermediates and the final byte.
func csi(rest string) int {
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= 0x40 && c <= 0x7e:
			return i + 1
		case c < 0x20 || c > 0x7e:
			return i
		}
	}
	return len(rest)
}

// controlString returns the length up to and including BEL, ESC \ or ST. One
// that does not end is no string: its introducer alone is dropped.
func controlString(rest string) int {
	for i := range len(rest) {
		switch {
		case rest[i] == 0x07:
			return i + 1
		case rest[i] == 0x1b && i+1 < len(rest) && rest[i+1] == '\\':
			return i + 2
		case rest[i] == 0xc2 && i+1 < len(rest) && rest[i+1] == 0x9c:
			return i + 2
		}
	}
	return 0
}

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
