// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:26Z
// Spec: openspec/specs/logs/spec.md#requirement-masking-is-exact-across-chunk-borders
// Diagram: openspec/specs/logs/diagram.md#writer

package redact

import (
	"bytes"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
)

// prefixes answers where in the tail of a text a form may have begun that goes on in text not yet seen.
type prefixes struct {
	sorted  []string // forms and anchors of shapes
	maxLen  int
	maxLine int                     // bytes of the longest of them that has a line end
	longest [1 << prefixBits]uint16 // by hash of the first minForm bytes: length of the longest such text, at most 65535
}

const prefixBits = 15

// newPrefixes returns the prefixes of the forms and of the anchors of all shapes.
func newPrefixes(forms []string) prefixes {
	var p prefixes
	p.sorted = append(anchorTexts(), forms...)
	slices.Sort(p.sorted)
	for _, s := range p.sorted {
		p.maxLen = max(p.maxLen, len(s))
		if strings.IndexByte(s, '\n') >= 0 {
			p.maxLine = max(p.maxLine, len(s))
		}
		if len(s) >= spell.MinForm {
			h := prefixHash(s)
			p.longest[h] = max(p.longest[h], uint16(min(len(s), math.MaxUint16)))
		}
	}
	return p
}

// prefixHash maps the first minForm bytes of a text to an index of longest.
func prefixHash[T string | []byte](s T) uint64 {
	return gramAt(s, spell.MinForm) * hashFactor >> (64 - prefixBits)
}

// live returns the first position from which the rest of the text is the beginning of a longer form, or the text's
// length.
func (p *prefixes) live(text []byte) int {
	i := max(0, len(text)-p.maxLen+1)
	if line := bytes.LastIndexByte(text[i:], '\n') + 1; line > 0 { // before it only those with a line end may begin
		i = max(i, min(i+line, len(text)-p.maxLine+1))
	}
	for ; i < len(text); i++ {
		rest := text[i:]
		if len(rest) >= spell.MinForm && int(p.longest[prefixHash(rest)]) <= min(len(rest), math.MaxUint16-1) {
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
