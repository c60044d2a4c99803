// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

// Package spell knows how a value may be written: quoted, escaped, and in codes that are too short to be decoded.
package spell

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

const (
	// MinForm is the number of bytes under which a spelling is not searched for.
	MinForm = 6
	// MaxWhole is the number of bytes up to which a value is searched for as a whole; of longer ones only the lines are.
	MaxWhole = 64 << 10
	// MinStretch is the number of characters of a code, with nothing between them, from which on it is decoded: 8
	// bytes in two codes have at least as many. It is the least that surely has 8 characters that begin at a multiple
	// of 8.
	MinStretch = 15
)

// maxNested is the number of bytes up to which a value is searched for in encodings that are nested two deep. Longer
// values are keys and documents; their lines are shorter.
const maxNested = 2 << 10

// plainBytes are escaped by nobody.
const plainBytes = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."

// Spellings are the texts that are searched for of one value, and those of which parts are searched for in codes.
type Spellings struct {
	Texts, Parts map[string]struct{}
}

// add stores a text unless it is too short.
func (f *Spellings) add(s string) {
	if len(s) >= MinForm {
		f.Texts[s] = struct{}{}
	}
}

// Of returns the spellings of a trimmed value. Values over MaxWhole are represented by their lines.
func Of(value string) *Spellings {
	f := &Spellings{map[string]struct{}{}, map[string]struct{}{}}
	lf := strings.ReplaceAll(value, "\r\n", "\n")
	if len(value) <= MaxWhole {
		for _, whole := range []string{value, lf, strings.ReplaceAll(lf, "\n", "\r\n"), text.Sanitize(value)} {
			if _, known := f.Texts[whole]; len(whole) >= MinForm && !known { // sanitising may leave nothing
				f.value(whole)
			}
		}
	}
	if latin := latin1(value); latin != value && len(value) <= MaxWhole {
		f.text(latin)
		f.Parts[latin] = struct{}{}
	}
	if lines := strings.FieldsFunc(lf, func(r rune) bool { return r == '\n' || r == '\r' }); len(lines) > 1 {
		for _, line := range lines {
			line = strings.TrimSpace(line)
			if isFrame(line) || len(line) > MaxWhole {
				continue
			}
			f.text(line)
		}
	}
	return f
}

// latin1 returns a text with its characters of Latin-1 as one byte: so they are in old files, and after YAML's escapes
// such as \xF6 were undone as those of bytes.
func latin1(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= utf8.RuneSelf && r <= 0xff {
			b.WriteByte(byte(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isFrame reports whether a line is the frame of a PEM block, which is no secret.
func isFrame(line string) bool { return strings.HasPrefix(line, "-----") }

// value adds all spellings of a value.
func (f *Spellings) value(s string) {
	once := f.text(s)
	raw := withoutFrame(s)
	if len(raw) < MinForm {
		return
	}
	f.Parts[raw] = struct{}{}
	for _, wide := range []string{utf16Of(raw, binary.LittleEndian), utf16Of(raw, binary.BigEndian)} {
		f.add(wide)
		f.codes(wide, 1)
		if strings.IndexByte(wide, 0) < 0 {
			f.Parts[wide] = struct{}{}
		}
	}
	f.codes(raw, 1)
	for _, c := range codesOf(raw)[hexCodes:] {
		if len(c.text) > MinStretch {
			f.add(c.text[len(c.text)-lastLine:])
		}
	}
	if len(raw) > maxNested {
		return
	}
	for _, text := range once {
		f.Parts[text] = struct{}{}
		if len(text) < MinStretch {
			f.codes(text, 0)
		}
	}
}

// withoutFrame returns a value without the frame of a PEM block: it stands in certificates as well.
func withoutFrame(s string) string {
	if !isFrame(s) {
		return s
	}
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.LastIndex(s, "-----END"); i >= 0 {
		s = s[:i]
	}
	return s
}

// text adds the spellings that stay text and cannot be undone: quoted, and quoted after another spelling. It returns
// those that are quoted once.
func (f *Spellings) text(s string) []string {
	f.add(s)
	once := spelled(s, quotes)
	for _, e := range once {
		f.add(e)
	}
	if len(s) <= maxNested {
		for _, e := range append(spelled(s, escapes), once...) {
			for _, twice := range spelled(e, quotes) {
				f.add(twice)
			}
		}
	}
	return once
}

// spelled returns the distinct spellings of a text that are not the text itself.
func spelled(s string, by map[string]func(string) string) []string {
	if strings.Trim(s, plainBytes) == "" {
		return nil // no tool escapes anything of it
	}
	var list []string
	for _, spell := range by {
		if e := spell(s); e != s && !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}

// codes adds the codes of a text that are too short to be decoded for sure, escaped as well, and codes of these as
// deep as depth says.
func (f *Spellings) codes(raw string, depth int) {
	for _, c := range codesOf(raw) {
		if len(c.text) > longestCode && strings.Trim(c.inner(), plainBytes) == "" {
			continue
		}
		if plainStretch(c.inner()) < MinStretch {
			f.add(c.text)
			f.add(strings.TrimRight(c.text, "="))
			f.add(c.inner())
		}
		if depth == 0 {
			continue
		}
		if len(c.inner()) < MinStretch {
			f.codes(c.inner(), depth-1)
		}
	}
}

// longestCode is the number of characters of a code that is too short, with those that do not depend on the value
// alone.
const longestCode = MinStretch + 4

// lastLine is the number of characters of the last line of wrapped Base64 that is too short to be decoded, and may
// hold 8 bytes.
const lastLine = 12

// plainStretch returns the number of characters of the longest part of a text that is of characters of Base64.
func plainStretch(s string) int {
	longest, n := 0, 0
	for i := range len(s) {
		if n++; !isAlnum(s[i]) && strings.IndexByte("+/-_", s[i]) < 0 {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}

// code is what an encoding of bytes makes of a value in something longer: the characters from which the value can be
// read, of which the first core depend on it alone, and the others on its being the end.
type code struct {
	text string
	core int
}

// inner returns the part of a code that is there whatever surrounds the value.
func (c code) inner() string { return c.text[:c.core] }

// hexCodes is the number of codes of codesOf that are hexadecimal.
const hexCodes = 2

// codesOf returns the codes of a text: hexadecimal, then Base64 with both alphabets at each of the three alignments.
func codesOf(raw string) []code {
	lower := hex.EncodeToString([]byte(raw))
	list := []code{{lower, len(lower)}, {strings.ToUpper(lower), len(lower)}}
	for shift := range 3 {
		first, last := (8*shift+5)/6, 8*(shift+len(raw))/6
		standard := base64.StdEncoding.EncodeToString([]byte("\x00\x00"[:shift] + raw))[first:]
		list = append(list, code{standard, last - first})
		if url := base64Alphabets.Replace(standard); url != standard {
			list = append(list, code{url, last - first})
		}
	}
	return list
}

// base64Alphabets turns the standard alphabet into that for URLs.
var base64Alphabets = strings.NewReplacer("+", "-", "/", "_")

// utf16Of returns the UTF-16 of a text.
func utf16Of(s string, order binary.AppendByteOrder) string {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}
