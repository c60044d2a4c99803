// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// minForm is the number of bytes under which a spelling is not searched for; see MinSecret.
const minForm = MinSecret

// minRest is the number of characters of the last line of wrapped Base64 under which it is not searched for: it holds at most
// 8 of at least 49 bytes, and one short form would halve the speed for all (see matcher).
const minRest = 12

// plainBytes are escaped by nobody.
const plainBytes = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."

// wrapColumns are the widths at which Base64 is wrapped: PEM and openssl 64, MIME and coreutils 76.
var wrapColumns = []int{64, 76}

// spellings collects the distinct texts to search for.
type spellings map[string]struct{}

// add stores a spelling unless it is too short.
func (f spellings) add(s string) {
	if len(s) >= minForm {
		f[s] = struct{}{}
	}
}

// forms returns every spelling of a trimmed value that is searched for, sorted. Values over MaxSecret are represented by
// their lines.
func forms(value string) []string {
	f := spellings{}
	lf := strings.ReplaceAll(value, "\r\n", "\n")
	if len(value) <= MaxSecret {
		for _, whole := range []string{value, lf, strings.ReplaceAll(lf, "\n", "\r\n"), hybridcore.Sanitize(value)} {
			if len(whole) >= minForm { // sanitising may leave nothing
				f.text(whole)
				f.binary(whole)
			}
		}
	}
	if lines := strings.FieldsFunc(lf, func(r rune) bool { return r == '\n' || r == '\r' }); len(lines) > 1 {
		for _, line := range lines {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "-----") || len(line) > MaxSecret {
				continue // the frame of a PEM block is no secret
			}
			f.text(line)
		}
	}
	all := make([]string, 0, len(f))
	for s := range f {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// text adds the spellings that stay text.
func (f spellings) text(s string) {
	f.add(s)
	if strings.Trim(s, plainBytes) == "" {
		return // no tool escapes anything of it
	}
	for _, escape := range escapes {
		e := escape(s)
		f.add(e)
		f.add(lowerHex(e))
	}
	for _, n := range nestings {
		e := escapes[n[1]](escapes[n[0]](s))
		f.add(e)
		f.add(lowerHex(e))
	}
}

// binary adds the spellings that encode bytes: UTF-8 and UTF-16LE (what PowerShell's -EncodedCommand carries).
func (f spellings) binary(s string) {
	wide := utf16le(s)
	f.add(wide)
	for _, raw := range []string{s, wide} {
		f.add(hex.EncodeToString([]byte(raw)))
		f.add(strings.ToUpper(hex.EncodeToString([]byte(raw))))
		f.base64(raw)
	}
}

// base64 adds the Base64 of a text: what of it depends on the text alone when it stands at each of the three alignments
// inside something longer, the whole with and without padding, and the lines of the wrapped whole.
func (f spellings) base64(raw string) {
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			code := enc.EncodeToString([]byte("\x00\x00"[:shift] + raw))
			first := (8*shift + 5) / 6
			last := 8 * (shift + len(raw)) / 6
			f.add(code[first:last])
		}
		whole := enc.EncodeToString([]byte(raw))
		padded := enc.WithPadding(base64.StdPadding).EncodeToString([]byte(raw))
		f.add(whole)
		f.add(padded)
		for _, width := range wrapColumns {
			for rest := padded; len(padded) > width && rest != ""; {
				n := min(width, len(rest))
				if n >= minRest {
					f.add(rest[:n])
				}
				rest = rest[n:]
			}
		}
	}
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
