// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-redaction-keeps-up-with-the-fastest-log
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// entry says that a form has these bytes at off (0 to 3) in its window at at.
type entry struct {
	gram uint64
	form uint32
	at   uint32
	off  uint8
}

// matcher finds all occurrences of many forms at once, and parts of secrets in codes. It is immutable.
//
// Instead of looking at every position it looks at every stride-th: each form has a window of stride+block-1 bytes,
// so one of the first stride blocks of the window lies on a looked-at position wherever the form occurs. The blocks
// of all windows are in a bit filter. Unlike the skips of Wu-Manber the positions do not depend on what was read
// before, so the processor overlaps the look-ups. Where a block passes, half a stride of bytes after it or before it
// belongs to the window as well: one of the two grams is looked up, and what has it is compared. bench/run redact
// measures it.
type matcher struct {
	forms  []string // sorted, distinct
	labels []int32  // of forms: index into marks
	marks  []string // what replaces a match

	half     int
	stride   int
	block    int    // bytes of a block
	mask     uint64 // of block bytes, little endian
	shift    uint   // of the hash of a block to a filter bit
	filter   []uint64
	gram     int      // bytes of a gram: a block and half a stride, up to 8
	gramMask uint64   // of gram bytes
	among    uint     // shift of the hash of a gram to a bucket
	buckets  []uint32 // by hash of a gram: start in entries
	entries  []entry

	prefixes prefixes
	grams    *gramTable
	tests    *tests
	pairs    *pairs
}

// newMatcher returns a matcher for forms and their labels (indices into marks), and for grams in codes. Forms have at
// least minForm bytes.
func newMatcher(byForm map[string]int32, grams []gram, marks []string) *matcher {
	m := &matcher{marks: marks, grams: newGramTable(grams), tests: textTests, pairs: textPairs}
	for _, g := range grams {
		if !g.text() {
			m.tests, m.pairs = byteTests, bytePairs()
			break
		}
	}
	shortest := 1 << 30
	for form := range byForm {
		m.forms = append(m.forms, form)
		shortest = min(shortest, len(form))
	}
	slices.Sort(m.forms)
	for _, form := range m.forms {
		m.labels = append(m.labels, byForm[form])
	}
	m.prefixes = newPrefixes(m.forms)
	if len(m.forms) == 0 {
		return m
	}
	m.stride = max(4, min(8, shortest-4))
	m.block = min(8, shortest-m.stride+1)
	m.half = min(m.stride/2, 8-m.block)
	m.gram = m.block + m.half
	m.mask = ^uint64(0) >> (64 - 8*m.block)
	m.gramMask = ^uint64(0) >> (64 - 8*m.gram)
	m.index()
	return m
}

// windowGrams returns how many grams of a window are looked up: the first half ones after a block, and what is left
// of stride before.
func (m *matcher) windowGrams() int { return max(m.half, m.stride-m.half) }

// index fills filter, buckets and entries.
func (m *matcher) index() {
	n := len(m.forms) * m.windowGrams()
	filterLog, bucketLog := max(13, bits.Len(uint(filterBits*n))), bits.Len(uint(2*n))
	m.shift, m.among = uint(64-filterLog), uint(64-bucketLog)
	m.filter = make([]uint64, 1<<(filterLog-6))
	m.buckets = make([]uint32, 1<<bucketLog+1)
	all := make([]entry, 0, n)
	add := func(text string, id, at int) {
		for off := range m.windowGrams() {
			gram := gramAt(text[at+off:], m.gram)
			for _, block := range [2]uint64{gram & m.mask, gram >> (8 * uint(m.half)) & m.mask} {
				bit := block * hashFactor >> m.shift
				m.filter[bit>>6] |= 1 << (bit & 63)
			}
			m.buckets[gram*hashFactor>>m.among]++
			all = append(all, entry{gram, uint32(id), uint32(at), uint8(off)})
		}
	}
	for id, form := range m.forms {
		add(form, id, m.window(form))
	}
	for i, sum := 0, uint32(0); i < len(m.buckets); i++ { // counts become ends
		sum += m.buckets[i]
		m.buckets[i] = sum
	}
	m.entries = make([]entry, len(all))
	for _, e := range all { // ends become starts
		bucket := &m.buckets[e.gram*hashFactor>>m.among]
		*bucket--
		m.entries[*bucket] = e
	}
}

// window chooses the place in a form whose grams are shared with the fewest other forms, so that a common prefix of
// many values does not make every occurrence of it expensive. While index runs, buckets holds counts.
func (m *matcher) window(form string) int {
	last := len(form) - (m.stride + m.block - 1)
	best, bestCost := 0, uint32(math.MaxUint32)
	for i := range min(last+1, maxWindows) {
		at, cost := i, uint32(0)
		if last >= maxWindows {
			at = i * last / (maxWindows - 1)
		}
		for off := at; off < at+m.windowGrams(); off++ {
			cost += m.buckets[gramAt(form[off:], m.gram)*hashFactor>>m.among]
		}
		if cost < bestCost {
			best, bestCost = at, cost
		}
		if cost == 0 {
			break
		}
	}
	return best
}

// literals appends all occurrences of all forms in text.
func (m *matcher) literals(text []byte, found []match) []match {
	if len(m.forms) == 0 {
		return found
	}
	filter, mask, shift, i := m.filter, m.mask, m.shift, m.stride
	found = m.around(text, 0, found)
	for ; i+m.stride+8 <= len(text); i += 2 * m.stride { // two at a time: they do not wait for each other
		one := binary.LittleEndian.Uint64(text[i:]) & mask
		two := binary.LittleEndian.Uint64(text[i+m.stride:]) & mask
		a, b := one*hashFactor>>shift, two*hashFactor>>shift
		if (filter[a>>6]>>(a&63)|filter[b>>6]>>(b&63))&1 != 0 {
			if filter[a>>6]>>(a&63)&1 != 0 {
				found = m.around(text, i, found)
			}
			if filter[b>>6]>>(b&63)&1 != 0 {
				found = m.around(text, i+m.stride, found)
			}
		}
	}
	for ; i+m.block <= len(text); i += m.stride {
		found = m.around(text, i, found)
	}
	return found
}

// around appends what has the block at position i of the text.
func (m *matcher) around(text []byte, i int, found []match) []match {
	half := m.half
	if i < half || len(text)-i < 8 {
		found = m.verify(text, i, gramAt(text[i:], m.gram), found)
		if i >= half {
			found = m.verify(text, i-half, gramAt(text[i-half:], m.gram), found)
		}
		return found
	}
	after := binary.LittleEndian.Uint64(text[i:]) & m.gramMask
	before := binary.LittleEndian.Uint64(text[i-half:]) & m.gramMask
	one, two := after*hashFactor>>m.among, before*hashFactor>>m.among
	if m.buckets[one] != m.buckets[one+1] {
		found = m.verify(text, i, after, found)
	}
	if m.buckets[two] != m.buckets[two+1] {
		found = m.verify(text, i-half, before, found)
	}
	return found
}

// verify appends the forms that have the gram at position i of the text.
func (m *matcher) verify(text []byte, i int, gram uint64, found []match) []match {
	bucket := gram * hashFactor >> m.among
	for _, e := range m.entries[m.buckets[bucket]:m.buckets[bucket+1]] {
		if e.gram != gram {
			continue
		}
		start, form := i-int(e.at)-int(e.off), m.forms[e.form]
		if start < 0 || len(text)-start < len(form) || string(text[start:start+len(form)]) != form {
			continue
		}
		found = append(found, match{anchor: start, start: start, end: start + len(form), label: m.labels[e.form]})
	}
	return found
}
