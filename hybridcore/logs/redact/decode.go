// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T18:30:00Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
)

// maxDepth is the number of codes, one in the other, that are decoded.
const maxDepth = 2

// maxChain is the number of characters of a code that are decoded at once.
const maxChain = 8 << 10

// region is a code of a text that was decoded.
type region struct {
	active int // from where on it is known to be a code
	end    int
}

// decoder looks for parts of secrets in the codes of a text. It may be used again.
type decoder struct {
	grams   *gramTable
	found   []match
	regions []region
	chains  [maxDepth]layer // characters of codes, by depth
	plains  [maxDepth]layer // what they mean
	wides   [maxDepth]layer // what that means as UTF-16
	undone  layer           // what that means with escapes undone
	depth   int             // codes, one in the other, that are decoded
}

// code decodes the code of a text that is known from at on to be one.
func (d *decoder) code(s *source, at, least int) {
	chain := &d.chains[0]
	chain.empty()
	i := s.back(at, least)
	for end := false; i < len(s.text) && !end; {
		n, means := 1, s.text[i]
		if base64Digit[means] < 0 {
			n, means, _ = s.joint(i)
		}
		switch {
		case n > 0 && means != 0:
			chain.add(means, int32(i), int32(i+n))
		case n == 0 && i < at:
			chain.empty()
			n = 1
		case n == 0:
			end = true
		}
		i += n
		if len(chain.text) == maxChain {
			d.decode(0, s.tests)
			chain.keep(maxSpan)
		}
	}
	d.regions = append(d.regions, region{at, i})
	d.decode(0, s.tests)
}

// done returns where the last code ends that was decoded.
func (d *decoder) done() int {
	if n := len(d.regions); n > 0 {
		return d.regions[n-1].end
	}
	return 0
}

// decode looks into what the chain of a depth means: Base64 from each of 4 characters on, hexadecimal from each of 2
// on.
func (d *decoder) decode(depth int, t *tests) {
	chain, plain := &d.chains[depth], &d.plains[depth]
	codes := t.passed(chain.text)
	for begin := range 4 {
		if codes&(1<<begin) != 0 {
			plain.base64(chain, begin)
			d.search(plain, depth, t)
		}
	}
	for begin := range 2 {
		if codes&(16<<begin) != 0 {
			plain.hex(chain, begin)
			d.search(plain, depth, t)
		}
	}
}

// base64 makes the layer what Base64 means of which a group of 4 begins with a character of a chain, also what there
// is of the group before.
func (l *layer) base64(chain *layer, begin int) {
	n, skip := max(0, len(chain.text)-begin)*3/4, 0
	if begin >= 2 {
		begin, skip = begin-4, 4-begin
		n += 3 - skip
	}
	l.resize(n)
	text, from, to := l.text[:n], l.from[:n], l.to[:n]
	for i := range n {
		at := begin + (i+skip)/3*4 + (i+skip)%3
		one, two := base64Digit[chain.text[at]], base64Digit[chain.text[at+1]]
		shift := (i + skip) % 3 * 2
		text[i] = byte(int(one)<<(2+shift) | int(two)>>(4-shift))
		from[i], to[i] = chain.from[at], chain.to[at+1]
	}
}

// hex makes the layer what hexadecimal means that begins with a character of a chain; other characters mean 0xff.
func (l *layer) hex(chain *layer, begin int) {
	n := max(0, len(chain.text)-begin) / 2
	l.resize(n)
	text, from, to := l.text[:n], l.from[:n], l.to[:n]
	for i := range n {
		at := begin + 2*i
		one, two := hexDigit[chain.text[at]], hexDigit[chain.text[at+1]]
		text[i] = byte(one<<4 | two)
		from[i], to[i] = chain.from[at], chain.to[at+1]
	}
}

// utf16 makes the layer the UTF-8 of the UTF-16 that begins with a byte of a text. Its first or second bytes are the
// higher.
func (l *layer) utf16(plain *layer, begin, high int) {
	l.empty()
	text := plain.text
	for i := begin; i+1 < len(text); i += 2 {
		r, to := rune(text[i+high])<<8|rune(text[i+1-high]), i+1
		if r < utf8.RuneSelf {
			l.add(byte(r), plain.from[i], plain.to[to])
			continue
		}
		if utf16.IsSurrogate(r) && i+3 < len(text) {
			if pair := utf16.DecodeRune(r, rune(text[i+2+high])<<8|rune(text[i+3-high])); pair != utf8.RuneError {
				r, to = pair, i+3
			}
		}
		var b [utf8.UTFMax]byte
		for _, c := range b[:utf8.EncodeRune(b[:], r)] {
			l.add(c, plain.from[i], plain.to[to])
		}
		i = to - 1
	}
}

// search looks for parts of secrets in a decoded text, also as UTF-16, of which codes and other text of ASCII have
// zeroes.
func (d *decoder) search(plain *layer, depth int, t *tests) {
	d.layer(plain, depth, t)
	if bytes.IndexByte(plain.text, 0) < 0 {
		return
	}
	wide := &d.wides[depth]
	for begin := range 2 {
		for high := range 2 {
			wide.utf16(plain, begin, high)
			d.layer(wide, depth, t)
		}
	}
}

// layer looks for parts of secrets in a decoded text and in the codes that are in it.
func (d *decoder) layer(plain *layer, depth int, t *tests) {
	d.found = d.grams.find(plain, d.found)
	if depth+1 >= d.depth {
		return
	}
	for kind := range kinds {
		if bytes.IndexByte(plain.text, escapeBytes[kind]) < 0 {
			continue
		}
		if changed, _ := d.undone.undo(plain.text, plain, kind, true); changed {
			d.found = d.grams.find(&d.undone, d.found)
		}
	}
	s := source{text: plain.text, tests: t, final: true}
	chain := &d.chains[depth+1]
	chain.empty()
	for i := 0; i <= len(plain.text); {
		n, means := 0, byte(0)
		if i < len(plain.text) {
			if means = plain.text[i]; base64Digit[means] >= 0 {
				n = 1
			} else if n, means, _ = s.joint(i); len(chain.text) == 0 {
				n = 0
			}
		}
		switch {
		case n > 0 && means != 0:
			chain.add(means, plain.from[i], plain.to[i+n-1])
		case n == 0:
			if len(chain.text) >= spell.MinForm*8/6 {
				d.decode(depth+1, t)
			}
			chain.empty()
			n = 1
		}
		i += n
	}
}
