// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T18:30:00Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"bytes"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
)

const (
	// minDigits is spell.MinStretch for hexadecimal, of which 16 digits are the least of a secret's part.
	minDigits = 16
	// maxSpan is the number of bytes of a log that a part of a secret takes at most in two codes: 128 characters of
	// hexadecimal of UTF-16, line ends and prefixes between them. A writer holds back as many bytes of a code.
	maxSpan = 512
	// maxLinePrefix is the number of bytes of what stands before each line of a code.
	maxLinePrefix = 128
)

// tests says which codes have a byte at a place: bits 0 to 3 say that a group of 4 characters of Base64 may have
// begun 0 to 3 characters before the place, counted down from it modulo 4, bits 4 and 5 the same for two digits of
// hexadecimal. A byte that would make such a code the code of no text is not in it.
type tests [4][256]uint8

// base64Tests are the bits of tests for Base64.
const base64Tests = 0xf

// textTests is for codes of text in ASCII, also as UTF-16; byteTests is for codes of any bytes.
var (
	textTests = newTests(isText)
	byteTests = newTests(func(byte) bool { return true })
)

// isText reports whether a byte is one of text in ASCII, or of its UTF-16.
func isText(b byte) bool {
	return b == 0 || b == '\t' || b == '\n' || b == '\r' || b >= ' ' && b < 0x7f
}

// newTests returns the tests for codes of bytes of a set.
func newTests(set func(b byte) bool) *tests {
	var base64 [4][64]bool
	var hex [2][16]bool
	for b := range 256 {
		if !set(byte(b)) {
			continue
		}
		hex[0][b>>4], hex[1][b&15] = true, true
		base64[0][b>>2] = true
		for x := range 16 {
			base64[2][x<<2|b>>6] = true
			for y := range 256 {
				if set(byte(y)) {
					base64[1][b&3<<4|y>>4] = true
				}
			}
		}
		base64[3][b&63] = true
	}
	var t tests
	for place := range 4 {
		for c := range 256 {
			digit, nibble := base64Digit[c], hexDigit[c]
			for begin := range 4 {
				if digit >= 0 && base64[(place-begin)&3][digit] {
					t[place][c] |= 1 << begin
				}
			}
			for begin := range 2 {
				if nibble >= 0 && hex[(place-begin)&1][nibble] {
					t[place][c] |= 16 << begin
				}
			}
		}
	}
	return &t
}

// passed returns the tests that 8 characters of a text pass, one after the other: as many of a part of a secret
// depend on it alone, and a shorter value is searched for in one code as it is.
func (t *tests) passed(text []byte) uint8 {
	all, last := uint8(0), uint64(0)
	for i, c := range text {
		last = last<<8 | uint64(t[i&3][c])
		two := last & (last >> 8)
		four := two & (two >> 16)
		all |= uint8(four & (four >> 32))
	}
	return all
}

// base64Digit and hexDigit are the values of characters, -1 for others.
var base64Digit, hexDigit = func() (a, b [256]int8) {
	for i := range a {
		a[i], b[i] = -1, -1
	}
	for i := range base64Alphabet {
		a[base64Alphabet[i]] = int8(i & 63)
	}
	a['-'], a['_'] = 62, 63
	for i := range int8(16) {
		b["0123456789abcdef"[i]], b["0123456789ABCDEF"[i]] = i, i
	}
	return a, b
}()

// base64Alphabet are the characters of Base64 by their values.
const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// continued is the end of a line that goes on.
const continued = "\\\n"

// joints are what may stand between two characters of a code: line ends as text escapes write them, which mean
// nothing, and escapes of characters that Base64 has.
var joints = []struct {
	text  string
	means byte
}{
	{`\n`, 0},
	{`\r`, 0},
	{continued, 0},
	{"`n", 0},
	{"`r", 0},
	{"%0A", 0},
	{"%0a", 0},
	{"%0D", 0},
	{"%0d", 0},
	{"&#xA;", 0},
	{"&#xD;", 0},
	{"&#10;", 0},
	{"&#13;", 0},
	{`\/`, '/'},
	{`\+`, '+'},
	{"%2F", '/'},
	{"%2f", '/'},
	{"%2B", '+'},
	{"%2b", '+'},
	{"&#43;", '+'},
	{"&#x2F;", '/'},
	{"&#x2f;", '/'},
	{`\u002B`, '+'},
	{`\u002b`, '+'},
	{`\u002F`, '/'},
	{`\u002f`, '/'},
}

// chainBytes are those of a code and of its joints, but for line ends.
var chainBytes = shape.ClassOf("+/-_\\%&#;`")

// ctxSize is the number of bytes of what stood before a text that count.
const ctxSize = minDigits

// source is a text, what stood before it, and how its codes are tested.
type source struct {
	text  []byte
	ctx   [ctxSize]byte
	tests *tests
	final bool // nothing follows
	codes bool // its codes count
}

// before returns the two bytes before a position.
func (s *source) before(i int) [2]byte {
	switch i {
	case 0:
		return [2]byte{s.ctx[ctxSize-2], s.ctx[ctxSize-1]}
	case 1:
		return [2]byte{s.ctx[ctxSize-1], s.text[0]}
	}
	return [2]byte{s.text[i-2], s.text[i-1]}
}

// active reports whether the minStretch characters before i are a code of text, or the minDigits before it.
func (s *source) active(i int) bool {
	var area [ctxSize]byte
	if n := copy(area[max(0, ctxSize-i):], s.text[max(0, i-ctxSize):i]); n < ctxSize {
		copy(area[:ctxSize-n], s.ctx[n:])
	}
	alive := uint8(0xff)
	for at, c := range area[1:] {
		alive &= s.tests[(at+1)&3][c]
	}
	return alive&base64Tests != 0 || alive&s.tests[0][area[0]] != 0
}

// stretch returns where a code of text of at least minStretch characters begins that has the 8 characters at i, or -1.
func (s *source) stretch(i int) int {
	t, text := s.tests, s.text
	alive := uint8(0xff)
	for at := i; at < i+8; at++ {
		alive &= t[at&3][text[at]]
	}
	first := -1
	for ; alive != 0; alive &= alive - 1 {
		one, from, to, least := alive&-alive, i, i+8, spell.MinStretch
		if one > base64Tests {
			least = minDigits
		}
		for from > 0 && i-from < least && t[(from-1)&3][text[from-1]]&one != 0 {
			from--
		}
		for to < len(text) && to-from < least && t[to&3][text[to]]&one != 0 {
			to++
		}
		if to-from >= least && (first < 0 || from < first) {
			first = from
		}
	}
	return first
}

// joint returns how many bytes at i stand between two characters of a code, and the character that they mean, if any.
// It is more when that depends on text not yet seen.
func (s *source) joint(i int) (n int, means byte, more bool) {
	rest := s.text[i:]
	switch rest[0] {
	case '\r':
		if len(rest) == 1 {
			return 0, 0, !s.final && s.active(i)
		}
		if rest[1] != '\n' || !s.active(i) {
			return 0, 0, false
		}
		n, more = s.linePrefix(rest[2:])
		return 2 + n, 0, more
	case '\n':
		if !s.active(i) {
			return 0, 0, false
		}
		n, more = s.linePrefix(rest[1:])
		return 1 + n, 0, more
	case '\\', '%', '&', '`':
		for _, j := range joints {
			if len(rest) >= len(j.text) && string(rest[:len(j.text)]) == j.text {
				if j.text == continued && !s.active(i) {
					return 0, 0, false
				}
				return len(j.text), j.means, false
			}
			more = more || !s.final && len(rest) < len(j.text) && j.text[:len(rest)] == string(rest)
		}
	}
	return 0, 0, more
}

// linePrefix returns how many bytes stand before the code in a line: blanks, and Packer's "==> name: " or "    name: ".
func (s *source) linePrefix(line []byte) (n int, more bool) {
	i := 0
	skip := func(class *shape.Class) {
		for i < min(len(line), maxLinePrefix) && class[line[i]] {
			i++
		}
	}
	skip(shape.Blank)
	blanks := i
	arrow := []byte("==> ")
	if bytes.HasPrefix(line[i:], arrow) {
		i += len(arrow)
	} else if len(line)-i < len(arrow) && bytes.HasPrefix(arrow, line[i:]) {
		return blanks, !s.final
	}
	name := i
	skip(nameBytes)
	if i == len(line) {
		return blanks, !s.final && i < maxLinePrefix
	}
	if i == name || line[i] != ':' {
		return blanks, false
	}
	i++
	colon := i
	skip(shape.Blank)
	switch {
	case i == len(line):
		return i, !s.final
	case i == colon:
		return blanks, false
	}
	return i, false
}

// nameBytes may stand in the name of a source of Packer.
var nameBytes = shape.ClassOf("_.-")

// back returns the first byte of those before i, at most maxSpan of them, that may belong to the same line of a code.
func (s *source) back(i, least int) int {
	for least = max(least, i-maxSpan); i > least && chainBytes[s.text[i-1]]; {
		i--
	}
	return i
}

// tail returns the first position from which on the text may be the beginning of a secret's part in codes that goes
// on in text not yet seen, or the text's length.
func (s *source) tail() int {
	if !s.codes {
		return len(s.text)
	}
	least := max(0, len(s.text)-maxSpan)
	start := len(s.text)
	if start > least && s.text[start-1] == '\r' && s.active(start-1) {
		start-- // the line end may go on
	}
	start = s.back(start, least)
	for start > least {
		within := max(least, start-maxLinePrefix)
		line := bytes.LastIndexByte(s.text[within:start], '\n')
		if line < 0 {
			break
		}
		line += within
		if line > least && (s.text[line-1] == '\r' || s.text[line-1] == '\\') {
			line--
		}
		if n, _, more := s.joint(line); n == 0 || !more && line+n < start {
			break
		}
		start = s.back(line, least)
	}
	return start
}

// whole returns i, or where the joint begins that has the bytes before and after i.
func (s *source) whole(i int) int {
	if !s.codes {
		return i
	}
	for at := i - 1; at >= max(0, i-maxLinePrefix-2) && i < len(s.text); at-- {
		if c := s.text[at]; c == '\n' || c == '\r' || c == '\\' || c == '%' || c == '&' || c == '`' {
			if n, _, more := s.joint(at); at+n > i || more {
				i = at
			}
		}
	}
	return i
}
