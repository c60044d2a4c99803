// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:06Z
// Spec: openspec/specs/logs/spec.md#requirement-outside-text-is-sanitised
// Diagram: openspec/specs/logs/diagram.md#sinks

package text

import (
	"strings"
	"unicode/utf8"
)

// The control characters that begin and end terminal sequences (ECMA-48).
const (
	bel = '\a'
	can = 0x18
	sub = 0x1a
	esc = 0x1b
)

// Sanitize returns text that others wrote in a form that is safe to print: valid UTF-8 without terminal sequences
// (CSI, OSC
// and the other control strings, in their two-byte and their C1 forms), control characters other than newline and tab,
// carriage returns, bidirectional controls, invisible formatting characters and line separators. Invalid bytes become
// U+FFFD.
// It is idempotent, and takes time in proportion to the text whatever that is.
//
// It does not neutralise workflow commands or Markdown: that is the work of whoever renders for them.
func Sanitize(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == esc || r >= 0x80 && r <= 0x9f && size == 2:
			i += sequence(s[i:])
			continue
		case r == utf8.RuneError:
			b.WriteRune(utf8.RuneError)
		case !hidden(r):
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// clean reports whether there is nothing to do: printable ASCII, newlines and tabs.
func clean(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// hidden reports a character that is removed.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || r >= 0x7f && r <= 0x9f:
		return true
	// soft hyphen, Arabic letter mark, Mongolian separator, BOM
	case r == 0xad || r == 0x61c || r == 0x180e || r == 0xfeff:
		return true
	case r == 0x200b || r == 0x200e || r == 0x200f: // zero width space, left-to-right and right-to-left marks
		return true
	case r >= 0x2028 && r <= 0x202e: // line and paragraph separators, embeddings and overrides
		return true
	case r >= 0x2060 && r <= 0x206f: // word joiner, invisible operators, isolates, deprecated controls
		return true
	case r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f: // interlinear annotations, tags
		return true
	}
	return false
}

// sequence returns the number of bytes of the terminal sequence at the beginning of s, which begins with ESC or a C1
// character. Of a broken sequence only the valid part counts, of an unterminated control string only its introducer.
func sequence(s string) int {
	if len(s) == 1 {
		return 1
	}
	kind, n := s[1], 2
	if s[0] != esc {
		kind -= 0x40 // C1 as the byte that follows ESC: U+0080..U+009F are C2 80..C2 9F
	}
	switch {
	case kind < ' ' || kind > '~':
		return 1
	case kind == '[':
		return n + csi(s[n:])
	case strings.IndexByte("]PX^_", kind) >= 0:
		return n + controlString(s[n:])
	case kind < '0': // intermediates, then one final byte: character sets and the like
		for n < len(s) && s[n] >= ' ' && s[n] <= '/' {
			n++
		}
		if n < len(s) && s[n] >= '0' && s[n] <= '~' {
			n++
		}
	}
	return n
}

// csi returns the length of the parameters, intermediates and final byte of a control sequence.
func csi(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '?' {
		n++
	}
	for n < len(s) && s[n] >= ' ' && s[n] <= '/' {
		n++
	}
	if n < len(s) && s[n] >= '@' && s[n] <= '~' {
		n++
	}
	return n
}

// controlString returns the length of a control string with its terminator (BEL, ESC \ or U+009C), or 0 when the line
// or the
// text ends, or another sequence begins, before one.
func controlString(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case c == bel:
			return i + 1
		case c == esc && i+1 < len(s) && s[i+1] == '\\', c == 0xc2 && i+1 < len(s) && s[i+1] == 0x9c:
			return i + 2
		case c == esc || c == can || c == sub || c == '\n', c == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0:
			return 0
		}
	}
	return 0
}
