// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// minForm is the number of bytes under which a spelling is not searched for; see MinSecret.
const minForm = MinSecret

// minRun is the number of characters of a code from which on a part of it is hidden: 8 bytes make 10 characters of Base64,
// and one that depends on what stands beside them.
const minRun = 10

// runStep is the number of characters of a code among which one part of minRun characters is looked for, beside the first and
// the last one. So each line of a wrapped code is found whose lines have at least runStep+minRun-1 characters, whatever
// stands before and after it: PEM, openssl and Python wrap at 64, git at 72, MIME and coreutils at 76.
const runStep = 50

// maxNested is the number of bytes up to which a value is searched for in encodings that are nested two deep. Longer values
// are keys and documents; their lines are shorter.
const maxNested = 2 << 10

// plainBytes are escaped by nobody.
const plainBytes = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."

// lineEnds are what stands between the lines of a wrapped code, as it is and escaped.
var lineEnds = []string{
	"\n", "\r\n", `\n`, `\r\n`, "%0A", "%0D%0A", "%0a", "%0d%0a", "&#xA;", "&#xD;&#xA;", "`n", "`r`n", "\\\n", "\\\r\\\n",
}

// spellings are what is searched for of one value: whole texts, and codes of which parts are hidden as well.
type spellings struct {
	texts map[string]struct{}
	codes map[string]int // with the number of characters that depend on the value alone
}

// add stores a text unless it is too short.
func (f *spellings) add(s string) {
	if len(s) >= minForm {
		f.texts[s] = struct{}{}
	}
}

// forms returns the spellings of a trimmed value that are searched for, sorted: texts, and codes. Values over MaxSecret are
// represented by their lines.
func forms(value string) (texts []string, codes []code) {
	f := &spellings{texts: map[string]struct{}{}, codes: map[string]int{}}
	lf := strings.ReplaceAll(value, "\r\n", "\n")
	if len(value) <= MaxSecret {
		for _, whole := range []string{value, lf, strings.ReplaceAll(lf, "\n", "\r\n"), hybridcore.Sanitize(value)} {
			if _, known := f.texts[whole]; len(whole) >= minForm && !known { // sanitising may leave nothing
				f.value(whole)
			}
		}
	}
	if lines := strings.FieldsFunc(lf, func(r rune) bool { return r == '\n' || r == '\r' }); len(lines) > 1 {
		for _, line := range lines {
			line = strings.TrimSpace(line)
			if isFrame(line) || len(line) > MaxSecret {
				continue
			}
			f.text(line)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(f.codes)) {
		codes = append(codes, code{text, f.codes[text]})
	}
	return slices.Sorted(maps.Keys(f.texts)), codes
}

// isFrame reports whether a line is the frame of a PEM block, which is no secret.
func isFrame(line string) bool { return strings.HasPrefix(line, "-----") }

// value adds all spellings of a value.
func (f *spellings) value(s string) {
	raw := withoutFrame(s)
	if len(raw) < minForm {
		return
	}
	f.add(utf16le(s))
	once := f.text(s)
	plain, wide := codesOf(raw), codesOf(utf16le(raw))
	f.wrapped(plain, lineEnds)
	f.whole(wide)
	if len(raw) > maxNested {
		return
	}
	for _, text := range once {
		codes := codesOf(text)
		f.whole(codes[:hexCodes])
		f.wrapped(codes[hexCodes:], lineEnds[:2])
		f.whole(codesOf(utf16le(text))[hexCodes:])
	}
	for i, c := range plain {
		codes := codesOf(c.inner())
		if i < hexCodes {
			f.whole(codes)
		} else {
			f.whole(codes[:hexCodes])
			f.wrapped(codes[hexCodes:], lineEnds[:2])
			for _, parted := range c.parted(lineEnds[:2]) {
				f.whole(codesOf(parted)[hexCodes:])
			}
		}
		for _, e := range escaped(c.inner()) {
			f.wrapped([]code{{e, len(e)}}, nil)
		}
	}
	for _, c := range wide[hexCodes:] {
		f.whole(codesOf(c.inner()))
		for _, e := range escaped(c.inner()) {
			f.add(e)
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

// text adds the spellings that stay text: one escape, and two of them one in the other. It returns those of one escape.
func (f *spellings) text(s string) []string {
	f.add(s)
	once := escaped(s)
	for _, e := range once {
		f.add(e)
	}
	if len(s) <= maxNested {
		for _, e := range once {
			for _, twice := range escaped(e) {
				f.add(twice)
			}
		}
	}
	return once
}

// escaped returns the distinct spellings of a text by one escape that are not the text itself.
func escaped(s string) []string {
	if strings.Trim(s, plainBytes) == "" {
		return nil // no tool escapes anything of it
	}
	list := make([]string, 0, 2*len(escapes))
	for _, escape := range escapes {
		e := escape(s)
		if e != s {
			list = append(list, e)
		}
		if low := lowerHex(e); low != e && low != s {
			list = append(list, low)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// code is what an encoding of bytes makes of a value in something longer: the characters from which the value can be read,
// of which the first core depend on it alone, and the others on its being the end.
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

// whole adds codes of which no part is hidden.
func (f *spellings) whole(list []code) {
	for _, c := range list {
		f.add(c.inner())
	}
}

// wrapped adds codes that may be wrapped, with one of the ends between their lines.
func (f *spellings) wrapped(list []code, ends []string) {
	for _, c := range list {
		if c.core >= minRun {
			f.codes[c.text] = max(f.codes[c.text], c.core)
		} else {
			f.add(c.text)
			f.add(c.inner())
			f.add(strings.TrimRight(c.text, "="))
		}
		for _, parted := range c.parted(ends) {
			f.add(parted)
		}
	}
}

// parted returns the ways in which a line end parts a short code into two parts that are too short to be hidden as such.
func (c code) parted(ends []string) []string {
	var list []string
	for at := max(1, c.core-minRun+1); at < min(c.core, minRun); at++ {
		for _, end := range ends {
			list = append(list, c.text[:at]+end+c.text[at:c.core])
		}
	}
	return list
}

// utf16le returns the little-endian UTF-16 of a text.
func utf16le(s string) string {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}
