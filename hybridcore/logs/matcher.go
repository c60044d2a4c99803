// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-redaction-keeps-up-with-the-fastest-log
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// match is one occurrence of a spelling or of a credential's shape: text[start:end] is to be hidden, anchor <= start is
// where the search recognised it.
type match struct {
	anchor, start, end int
	label              int32
	shape              bool
}

// compare orders matches by start; at one start the registered value goes before the shape and the longer before the
// shorter, so that the first names the interval.
func (m match) compare(o match) int {
	switch {
	case m.start != o.start:
		return m.start - o.start
	case m.shape != o.shape:
		if o.shape {
			return -1
		}
		return 1
	case m.end != o.end:
		return o.end - m.end
	}
	return int(m.label - o.label)
}

// entry says that the block of a form at offset off has these bytes.
type entry struct {
	block uint64
	form  uint32
	off   uint32
}

// matcher finds all occurrences of many forms at once. It is immutable.
//
// Instead of looking at every position it looks at every stride-th: each form has a window of stride+block-1 bytes, so one of
// the first stride blocks of the window lies on a looked-at position wherever the form occurs. The blocks of all windows are
// in a bit filter; what passes is looked up and compared. Unlike the skips of Wu-Manber the positions do not depend on what
// was read before, so the processor overlaps the look-ups. bench/run redact measures it.
type matcher struct {
	forms  []string // sorted, distinct
	labels []int32  // of forms: index into marks
	marks  []string // what replaces a match

	stride  int
	block   int    // bytes of a block, 1 to 8
	mask    uint64 // of block bytes, little endian
	shift   uint   // of the hash to a filter bit
	filter  []uint64
	buckets []uint32 // by filter bit >> bucketShift: start in entries
	entries []entry

	prefixes prefixes
}

const (
	hashFactor  = 0x9E3779B97F4A7C15 // 2^64 / golden ratio, the usual multiplicative hash
	bucketShift = 4                  // filter bits a bucket
	maxWindows  = 8                  // windows of a form that are compared when the rarest is chosen
)

// newMatcher returns a matcher for forms and their labels (indices into marks). Forms have at least minForm bytes.
func newMatcher(byForm map[string]int32, marks []string) *matcher {
	m := &matcher{marks: marks, stride: 8}
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
	if shortest < m.stride+3 {
		m.stride = 4
	}
	m.block = min(8, shortest-m.stride+1)
	m.mask = ^uint64(0) >> (64 - 8*m.block)
	m.index()
	return m
}

// index fills filter, buckets and entries.
func (m *matcher) index() {
	logBits := max(13, bits.Len(uint(32*len(m.forms)*m.stride)))
	m.shift = uint(64 - logBits)
	m.filter = make([]uint64, 1<<(logBits-6))
	m.buckets = make([]uint32, 1<<(logBits-bucketShift)+1)
	all := make([]entry, 0, len(m.forms)*m.stride)
	for id, form := range m.forms {
		at := m.window(form)
		for off := at; off < at+m.stride; off++ {
			block := m.blockAt(form[off:])
			bit := m.hash(block)
			m.filter[bit>>6] |= 1 << (bit & 63)
			m.buckets[bit>>bucketShift]++
			all = append(all, entry{block, uint32(id), uint32(off)})
		}
	}
	for i, sum := 0, uint32(0); i < len(m.buckets); i++ { // counts become ends
		sum += m.buckets[i]
		m.buckets[i] = sum
	}
	m.entries = make([]entry, len(all))
	for _, e := range all { // ends become starts
		bucket := &m.buckets[m.hash(e.block)>>bucketShift]
		*bucket--
		m.entries[*bucket] = e
	}
}

// window chooses the place in a form whose blocks are shared with the fewest other forms, so that a common prefix of many
// values does not make every occurrence of it expensive. While index runs, buckets holds counts.
func (m *matcher) window(form string) int {
	last := len(form) - (m.stride + m.block - 1)
	best, bestCost := 0, uint32(math.MaxUint32)
	for i := range min(last+1, maxWindows) {
		at, cost := i, uint32(0)
		if last >= maxWindows {
			at = i * last / (maxWindows - 1)
		}
		for off := at; off < at+m.stride; off++ {
			cost += m.buckets[m.hash(m.blockAt(form[off:]))>>bucketShift]
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

// hash maps a block to a filter bit.
func (m *matcher) hash(block uint64) uint64 { return block * hashFactor >> m.shift }

// blockAt returns the first block of s, which may be as short as one block.
func (m *matcher) blockAt(s string) uint64 {
	var b [8]byte
	copy(b[:], s[:min(len(s), m.block)])
	return binary.LittleEndian.Uint64(b[:])
}

// literals appends all occurrences of all forms in text.
func (m *matcher) literals(text []byte, found []match) []match {
	if len(m.forms) == 0 {
		return found
	}
	filter, mask, shift, i := m.filter, m.mask, m.shift, 0
	for ; i+m.stride+8 <= len(text); i += 2 * m.stride { // two at a time: they do not wait for each other
		one := binary.LittleEndian.Uint64(text[i:]) & mask
		two := binary.LittleEndian.Uint64(text[i+m.stride:]) & mask
		a, b := one*hashFactor>>shift, two*hashFactor>>shift
		if (filter[a>>6]>>(a&63)|filter[b>>6]>>(b&63))&1 != 0 {
			found = m.verify(text, i, one, found)
			found = m.verify(text, i+m.stride, two, found)
		}
	}
	for ; i+m.block <= len(text); i += m.stride {
		found = m.verify(text, i, m.blockAt(string(text[i:])), found)
	}
	return found
}

// verify appends the forms that have this block at position i of the text.
func (m *matcher) verify(text []byte, i int, block uint64, found []match) []match {
	bucket := m.hash(block) >> bucketShift
	for _, e := range m.entries[m.buckets[bucket]:m.buckets[bucket+1]] {
		if e.block != block {
			continue
		}
		start, form := i-int(e.off), m.forms[e.form]
		if start < 0 || len(text)-start < len(form) || string(text[start:start+len(form)]) != form {
			continue
		}
		found = append(found, match{anchor: start, start: start, end: start + len(form), label: m.labels[e.form]})
	}
	return found
}

// find returns the matches that are decided, sorted, and the number of bytes that are: before that limit no match can start
// that is not among them. Unless final, more text may follow. ctx are the two bytes before the text, zero at its beginning.
func (m *matcher) find(text []byte, ctx [2]byte, final bool, found []match) ([]match, int) {
	found = m.literals(text, found[:0])
	found, limit := findShapes(text, ctx, final, found)
	if !final {
		limit = min(limit, m.prefixes.live(text))
		for again := true; again; { // a match must not be parted from its anchor
			again = false
			for _, f := range found {
				if f.anchor < limit && f.start >= limit {
					limit, again = f.anchor, true
				}
			}
		}
	}
	found = slices.DeleteFunc(found, func(f match) bool { return f.start >= limit })
	slices.SortFunc(found, match.compare)
	return found, limit
}

// prefixes answers where in the tail of a text a form may have begun that goes on in text not yet seen.
type prefixes struct {
	sorted  []string // forms and anchors of shapes
	maxLen  int
	longest [1 << prefixBits]uint16 // by hash of the first 4 bytes: length of the longest such text, at most 65535
}

const prefixBits = 14

// newPrefixes returns the prefixes of the forms and of the anchors of all shapes.
func newPrefixes(forms []string) prefixes {
	var p prefixes
	p.sorted = append(anchorTexts(), forms...)
	slices.Sort(p.sorted)
	for _, s := range p.sorted {
		p.maxLen = max(p.maxLen, len(s))
		if len(s) >= 4 {
			h := prefixHash(s[0], s[1], s[2], s[3])
			p.longest[h] = max(p.longest[h], uint16(min(len(s), math.MaxUint16)))
		}
	}
	return p
}

// prefixHash maps the first four bytes of a text to an index of longest.
func prefixHash(a, b, c, d byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16 | uint32(d)<<24) * 0x9E3779B1 >> (32 - prefixBits)
}

// live returns the first position from which the rest of the text is the beginning of a longer form, or the text's length.
func (p *prefixes) live(text []byte) int {
	for i := max(0, len(text)-p.maxLen+1); i < len(text); i++ {
		rest := text[i:]
		if len(rest) >= 4 && int(p.longest[prefixHash(rest[0], rest[1], rest[2], rest[3])]) <= min(len(rest), math.MaxUint16-1) {
			continue
		}
		at := sort.Search(len(p.sorted), func(i int) bool { return p.sorted[i] >= string(rest) })
		for ; at < len(p.sorted) && len(p.sorted[at]) >= len(rest) && p.sorted[at][:len(rest)] == string(rest); at++ {
			if len(p.sorted[at]) > len(rest) {
				return i
			}
		}
	}
	return len(text)
}
