// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:40:00Z
// Spec: openspec/specs/logs/spec.md#requirement-escapes-are-undone
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"bytes"
	"html"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// escapeBytes are the bytes that escapes begin with, one for each kind of them: of JSON, YAML, programming languages
// and shells; of URLs; of HTML and XML; and the doubled dollar of compose files and make.
const escapeBytes = "\\%&$`"

// kinds is the number of kinds of escapes.
const kinds = len(escapeBytes)

// maxEscape is the number of bytes of an escape, at most. More zeroes than fit in it are written by nobody.
const maxEscape = 12

// escapeReaders read an escape of each kind at the beginning of a text.
var escapeReaders = []func(text []byte) escape{
	backslashEscape, percentEscape, entityEscape, dollarEscape, backtickEscape,
}

// escape is an escape: its bytes, 0 when a text does not begin with one, or moreBytes when text not yet seen decides;
// and the character that it means, or the byte.
type escape struct {
	n      int
	means  rune
	isByte bool
}

// moreBytes are those of an escape that may go on in text not yet seen.
const moreBytes = -1

// undo makes the layer a text with the escapes of a kind undone. at holds the places of the text in the log, if these
// are not the same. It reports whether there was an escape, and returns where in the text one begins whose end was not
// seen, or the text's length.
func (l *layer) undo(text []byte, at *layer, kind int, final bool) (changed bool, end int) {
	l.empty()
	for i := 0; i < len(text); {
		n := bytes.IndexByte(text[i:], escapeBytes[kind])
		if n < 0 {
			n = len(text) - i
		}
		l.plain(text, at, i, i+n)
		if i += n; i == len(text) {
			break
		}
		e := escapeReaders[kind](text[i:])
		switch {
		case e.n > 0:
			from, to := int32(i), int32(i+e.n)
			if at != nil {
				from, to = at.from[i], at.to[i+e.n-1]
			}
			l.means(e, from, to)
			i += e.n
			changed = true
		case e.n == moreBytes && !final:
			return changed, i
		default:
			l.plain(text, at, i, i+1)
			i++
		}
	}
	return changed, len(text)
}

// plain appends text[i:end], which has no escapes.
func (l *layer) plain(text []byte, at *layer, i, end int) {
	l.text = append(l.text, text[i:end]...)
	if at != nil {
		l.from, l.to = append(l.from, at.from[i:end]...), append(l.to, at.to[i:end]...)
		return
	}
	n, first := len(l.from), int32(i)
	l.from, l.to = slices.Grow(l.from, end-i)[:n+end-i], slices.Grow(l.to, end-i)[:n+end-i]
	from, to := l.from[n:], l.to[n:]
	for i := range from {
		from[i], to[i] = first+int32(i), first+int32(i)+1
	}
}

// means appends what an escape means.
func (l *layer) means(e escape, from, to int32) {
	if e.isByte {
		l.add(byte(e.means), from, to)
		return
	}
	var b [utf8.UTFMax]byte
	for _, c := range b[:utf8.EncodeRune(b[:], e.means)] {
		l.add(c, from, to)
	}
}

// backslashEscape reads what begins with a backslash. A letter after it that means nothing everywhere is left.
func backslashEscape(text []byte) escape {
	if len(text) < 2 {
		return escape{n: moreBytes}
	}
	switch c := text[1]; {
	case c == 'n':
		return escape{2, '\n', false}
	case c == 'r':
		return escape{2, '\r', false}
	case c == 't':
		return escape{2, '\t', false}
	case c >= '0' && c <= '3':
		return digits(text, 1, 3, 3, true)
	case (c == 'x' || c == 'u') && len(text) > 2 && text[2] == '{':
		return braced(text)
	case c == 'x':
		return digits(text, 2, 2, 4, true)
	case c == 'u':
		return unitEscape(text)
	case c == 'U':
		return digits(text, 2, 8, 4, false)
	case c >= ' ' && c < 0x7f && !shape.Alnum[c]:
		return escape{2, rune(c), false}
	}
	return escape{}
}

// digits reads an escape of n digits of so many bits that begin at from.
func digits(text []byte, from, n, bits int, isByte bool) escape {
	var means rune
	for i := from; i < from+n; i++ {
		if i == len(text) {
			return escape{n: moreBytes}
		}
		digit := hexDigit[text[i]]
		if digit < 0 || digit>>bits != 0 {
			return escape{}
		}
		means = means<<bits | rune(digit)
	}
	return escape{from + n, means, isByte}
}

// braced reads \u{...} or \x{...}.
func braced(text []byte) escape {
	means, i := rune(0), 3
	for ; i < len(text) && i < maxEscape-1 && hexDigit[text[i]] >= 0; i++ {
		means = means<<4 | rune(hexDigit[text[i]])
	}
	switch {
	case i == len(text):
		return escape{n: moreBytes}
	case text[i] != '}' || i == 3:
		return escape{}
	}
	return escape{i + 1, means, false}
}

// unitEscape reads \uXXXX, two of them where they are one character.
func unitEscape(text []byte) escape {
	const one = 6
	e := digits(text, 2, 4, 4, false)
	if e.n != one || e.means < 0xd800 || e.means > 0xdbff {
		return e
	}
	rest := text[one:]
	switch {
	case len(rest) == 0 || len(rest) == 1 && rest[0] == '\\':
		return escape{n: moreBytes}
	case rest[0] != '\\' || rest[1] != 'u':
		return e
	}
	low := digits(rest, 2, 4, 4, false)
	if low.n == moreBytes {
		return low
	}
	if r := utf16.DecodeRune(e.means, low.means); low.n == one && r != utf8.RuneError {
		return escape{2 * one, r, false}
	}
	return e
}

// percentEscape reads a byte in two digits.
func percentEscape(text []byte) escape { return digits(text, 1, 2, 4, true) }

// entityEscape reads a character by its number or its name, with the semicolon.
func entityEscape(text []byte) escape {
	i := 1
	for i < len(text) && i < maxEscape-1 && (shape.Alnum[text[i]] || text[i] == '#' && i == 1) {
		i++
	}
	switch {
	case i == len(text):
		return escape{n: moreBytes}
	case text[i] != ';':
		return escape{}
	}
	written := string(text[:i+1])
	means := html.UnescapeString(written)
	if r, n := utf8.DecodeRuneInString(means); n == len(means) {
		return escape{len(written), r, false}
	}
	return escape{}
}

// dollarEscape reads a doubled dollar.
func dollarEscape(text []byte) escape {
	switch {
	case len(text) < 2:
		return escape{n: moreBytes}
	case text[1] != '$':
		return escape{}
	}
	return escape{2, '$', false}
}

// backtickEscape reads an escape of PowerShell.
func backtickEscape(text []byte) escape {
	if len(text) < 2 {
		return escape{n: moreBytes}
	}
	switch c := text[1]; c {
	case 'n':
		return escape{2, '\n', false}
	case 'r':
		return escape{2, '\r', false}
	case 't':
		return escape{2, '\t', false}
	case '$', '"', '\'', '`':
		return escape{2, rune(c), false}
	}
	return escape{}
}
