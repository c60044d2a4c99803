// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:59Z
// Spec: openspec/specs/logs/spec.md#requirement-redaction-keeps-up-with-the-fastest-log
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"encoding/binary"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
)

// gramAt returns the first n bytes of a text, at most 8, little endian; zeroes stand for those that it lacks.
func gramAt[T string | []byte](text T, n int) uint64 {
	if len(text) >= 8 {
		return eight(text) & (^uint64(0) >> (64 - 8*n))
	}
	var b [8]byte
	copy(b[:], text[:min(len(text), n)])
	return binary.LittleEndian.Uint64(b[:])
}

// eight returns the first 8 bytes of a text.
func eight[T string | []byte](t T) uint64 {
	_ = t[7]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// gram is a part of a secret: its bytes, little endian, their number (6 to 8), and the secret's label.
type gram struct {
	bytes uint64
	n     uint8
	label int32
}

// text reports whether all bytes are those of a text in ASCII.
func (g gram) text() bool {
	for i := range g.n {
		if b := byte(g.bytes >> (8 * i)); !isText(b) {
			return false
		}
	}
	return true
}

// maxGram is the number of bytes of a gram of a longer text.
const maxGram = 8

// appendGrams appends the grams of a text: each of its parts of maxGram bytes, or the whole when it is shorter. White
// space and the frames of PEM are no secrets.
func appendGrams(list []gram, text string, label int32) []gram {
	n := min(len(text), maxGram)
	if n < spell.MinForm {
		return list
	}
	for i := range len(text) - n + 1 {
		if part := text[i : i+n]; !blank(part) && part[:5] != "-----" && part[n-5:] != "-----" {
			list = append(list, gram{gramAt(part, n), uint8(n), label})
		}
	}
	return list
}

// blank reports whether a text is white space.
func blank(text string) bool {
	for i := range len(text) {
		if text[i] > ' ' {
			return false
		}
	}
	return true
}

// gramTable finds grams by their first minForm bytes: a hash table with open addressing.
type gramTable struct {
	slots []gram // with n = 0 where empty
	shift uint
	has   shape.Class // bytes of the first minForm of grams
}

// newGramTable returns a table of grams. Of equal ones the first counts.
func newGramTable(list []gram) *gramTable {
	log := uint(4)
	for 1<<log < 2*len(list) {
		log++
	}
	t := &gramTable{slots: make([]gram, 1<<log), shift: 64 - log}
	for _, g := range list {
		slot := t.slot(g.bytes)
		for t.slots[slot].n != 0 && (t.slots[slot].bytes != g.bytes || t.slots[slot].n != g.n) {
			slot = (slot + 1) & uint64(len(t.slots)-1)
		}
		if t.slots[slot].n == 0 {
			t.slots[slot] = g
			for i := range spell.MinForm {
				t.has[byte(g.bytes>>(8*i))] = true
			}
		}
	}
	return t
}

// slot returns where the grams begin that have the first minForm bytes of b.
func (t *gramTable) slot(b uint64) uint64 {
	return b << (64 - 8*spell.MinForm) * hashFactor >> t.shift
}

// find appends the places of the log from which the grams in a layer were read.
func (t *gramTable) find(l *layer, found []match) []match {
	first, known := len(found), 0
	for end, c := range l.text {
		if known++; !t.has[c] {
			known = 0
		}
		if known < spell.MinForm {
			continue
		}
		i := end + 1 - spell.MinForm
		b := gramAt(l.text[i:], maxGram)
		for slot := t.slot(b); t.slots[slot].n != 0; slot = (slot + 1) & uint64(len(t.slots)-1) {
			g := t.slots[slot]
			n := int(g.n)
			if (b^g.bytes)<<(64-8*g.n) != 0 || i+n > len(l.text) {
				continue
			}
			start, end := int(l.from[i]), int(l.to[i+n-1])
			if last := len(found) - 1; last >= first && found[last].label == g.label && found[last].end >= start {
				found[last].end = max(end, found[last].end)
			} else {
				found = append(found, match{anchor: start, start: start, end: end, label: g.label})
			}
		}
	}
	return found
}

const (
	hashFactor = 0x9E3779B97F4A7C15 // 2^64 / golden ratio, the usual multiplicative hash
	filterBits = 32                 // filter bits a block, at least
	maxWindows = 8                  // windows of a form that are compared when the rarest is chosen
)
