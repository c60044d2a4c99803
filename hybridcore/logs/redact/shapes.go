// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"encoding/binary"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// shapeMarks are the marks of anchors.
var shapeMarks = func() []string {
	marks := make([]string, len(shape.Anchors))
	for i, a := range shape.Anchors {
		marks[i] = mark(a.Kind.Name)
	}
	return marks
}()

// pairs finds anchors by two adjoining pairs of bytes that begin at an even position; whether an anchor does so at at
// or at at+1 depends on its place in the text. Anchors are spread over 3 classes, so that the first pair of one and
// the second of another seldom meet. It also says which pairs may be in a code.
type pairs struct {
	classes [1 << 16]uint16 // of a pair: see the constants
	list    [1 << 16]uint8  // index into first, 0 for none
	first   [][]pairHit     // anchors by first pair
}

// The lowest 3 bits of a pair are classes of anchors that have it as first pair, the next 3 as second pair. Those from
// codeBit on are its tests at a position that is a multiple of 4: of Base64 bits 0 to 3, then 0 and 1 again, and of
// hexadecimal both bits twice. So 2 bits further are those at a position that is 2 more.
const (
	codeBit  = 6
	codeBits = 0b1100_1111 << codeBit
)

// pairHit says that the first pair stands at offset off of an anchor.
type pairHit struct {
	anchor int32
	off    int32
}

// textPairs and bytePairs are the tables over anchors, with codes of text and with codes of any bytes. Few programs
// need the second, and every start of one would wait for it.
var (
	textPairs = newPairs(shape.Anchors, textTests)
	bytePairs = sync.OnceValue(func() *pairs { return newPairs(shape.Anchors, byteTests) })
)

// newPairs builds the table.
func newPairs(list []shape.Anchor, codes *tests) *pairs {
	p := &pairs{first: make([][]pairHit, 1)}
	after := uint16(0) // classes whose second pair may be anything
	for i, a := range list {
		for off := a.At; off < a.At+2; off++ {
			class := uint16(1) << (i & 1)
			if off+2 == len(a.Text) {
				class = 1 << 2 // its second pair may be anything
			}
			one := pairOf([]byte(a.Text), off)
			p.classes[one] |= class
			if p.list[one] == 0 {
				p.list[one] = uint8(len(p.first))
				p.first = append(p.first, nil)
			}
			p.first[p.list[one]] = append(p.first[p.list[one]], pairHit{int32(i), int32(off)})
			if rest := a.Text[off+2:]; rest != "" {
				p.second(rest, class<<3)
			} else {
				after |= class << 3
			}
		}
	}
	for two := range p.classes { // once: every start of the program waits for it
		p.classes[two] |= after
		if escapeKinds[two&0xff]|escapeKinds[two>>8] != 0 {
			p.classes[two] |= 1 << 2 // looked at whatever follows
		}
		both := uint16(codes[0][two&0xff] & codes[1][two>>8])
		base64, hex := both&base64Tests, both>>4
		p.classes[two] |= (base64 | base64<<4&0x30 | hex<<6 | hex<<8) << codeBit
	}
	return p
}

// second marks the pairs that begin with rest: one or 256.
func (p *pairs) second(rest string, class uint16) {
	if len(rest) > 1 {
		p.classes[pairOf([]byte(rest), 0)] |= class
		return
	}
	for high := range 256 {
		p.classes[int(rest[0])|high<<8] |= class
	}
}

// pairOf returns the two bytes at i, zero after the end.
func pairOf(text []byte, i int) uint16 {
	switch {
	case i+1 < len(text):
		return uint16(text[i]) | uint16(text[i+1])<<8
	case i < len(text):
		return uint16(text[i])
	}
	return 0
}

// anchorTexts returns the texts of all anchors.
func anchorTexts() []string {
	texts := make([]string, len(shape.Anchors))
	for i, a := range shape.Anchors {
		texts[i] = a.Text
	}
	return texts
}

// findShapes appends the credentials in a text that are recognised by shape, has what may be a code decoded, and
// returns the first position whose answer depends on text not yet seen, or the text's length.
func findShapes(v *view, p *pairs, d *decoder) int {
	text := v.source.text
	v.escapes, v.first = 0, len(text)
	s := shapeSearch{view: v, pairs: p, decoder: d, limit: len(text)}
	classes, i, last := &p.classes, 0, uint64(0)
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		low := uint32(classes[uint16(w)]) | uint32(classes[uint16(w>>16)])<<16
		high := uint32(classes[uint16(w>>32)]) | uint32(classes[w>>48])<<16
		all := uint64(low) | uint64(high)<<32 // its 16 bits are classes: the first of one meets the second of the next
		if all&(all>>19)&0x0000000700070007 != 0 || last&(all>>3)&7 != 0 {
			s.eight(i-2, last, all)
		}
		if both := low & high; both&(both>>18)&codeBits != 0 { // a pair of each two is 2 further
			s.code(i)
		}
		last = all >> 48
	}
	for i = max(0, i-2); i < len(text); i += 2 {
		if classes[pairOf(text, i)]&(classes[pairOf(text, i+2)]>>3)&7 != 0 {
			s.at(i)
		}
	}
	return s.limit
}

// shapeSearch is the state of findShapes.
type shapeSearch struct {
	view    *view
	pairs   *pairs
	decoder *decoder
	limit   int
}

// eight looks at the pair at position i, which has the classes last, and at the following ones, which have all.
func (s *shapeSearch) eight(i int, last, all uint64) {
	for ; all != 0; all >>= 16 {
		if last&(all>>3)&7 != 0 {
			s.at(i)
		}
		last = all & 0xffff
		i += 2
	}
}

// code has the code decoded that the 8 bytes at position i may be in.
func (s *shapeSearch) code(i int) {
	least, source := s.decoder.done(), &s.view.source
	if i < least || !source.codes {
		return
	}
	if at := source.stretch(i); at >= least {
		s.decoder.code(source, at, least)
	}
}

// At looks for the anchors of the pair of bytes at position i.
func (s *shapeSearch) at(i int) {
	source := &s.view.source
	text := source.text
	pair := pairOf(text, i)
	if kinds := escapeKinds[pair&0xff] | escapeKinds[pair>>8]; kinds != 0 {
		s.view.escapes |= kinds
		s.view.first = min(s.view.first, max(0, i))
	}
	for _, hit := range s.pairs.first[s.pairs.list[pair]] {
		a, start := &shape.Anchors[hit.anchor], i-int(hit.off)
		if start < 0 || start >= s.limit || len(text)-start < len(a.Text) || string(text[start:start+len(a.Text)]) != a.Text {
			continue
		}
		c := shape.Candidate{Anchor: len(a.Text), Before: source.before(start)}
		c.Text, c.Final = s.view.reach(start)
		from, to, v := a.Kind.Scan(c)
		switch v {
		case shape.Yes:
			s.decoder.found = append(s.decoder.found,
				match{anchor: start, start: start + from, end: start + to, label: -1 - hit.anchor, shape: true})
		case shape.More:
			s.limit = min(s.limit, start)
		}
	}
}
