// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:26Z
// Spec: openspec/specs/logs/spec.md#requirement-masking-is-exact-across-chunk-borders
// Diagram: openspec/specs/logs/diagram.md#writer

package redact

import (
	"bytes"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
)

// naiveCodes decodes all codes of a text of which minStretch characters are a code of text.
func naiveCodes(m *matcher, text []byte, depth int) []match {
	s := source{text: text, tests: m.tests, final: true, codes: true}
	d := decoder{grams: m.grams, depth: depth}
	chain, active := &d.chains[0], false
	for i := 0; i <= len(text); {
		n, means := 0, byte(0)
		if i < len(text) {
			if means = text[i]; base64Digit[means] >= 0 {
				n = 1
			} else {
				n, means, _ = s.joint(i)
			}
		}
		switch {
		case n > 0 && means != 0:
			chain.add(means, int32(i), int32(i+n))
		case n == 0:
			if active {
				d.decode(0, m.tests)
			}
			chain.empty()
			active, n = false, 1
		}
		i += n
		active = active || i <= len(text) && len(chain.text) >= spell.MinStretch && s.active(i)
	}
	return d.found
}

// naive is the redactor as one would write it without caring for speed: try every form and every anchor at every
// position, also where escapes are undone, unite what overlaps, replace.
func naive(m *matcher, text []byte) string {
	raw := &view{source: source{text: text, tests: m.tests, final: true}, end: len(text)}
	found := naiveView(m, raw, maxDepth)
	for kind := range kinds {
		once := naiveUndone(raw, kind)
		if once == nil {
			continue
		}
		found = append(found, naiveView(m, once, 1)...)
		for kind := range kinds {
			if twice := naiveUndone(once, kind); twice != nil {
				found = append(found, naiveView(m, twice, 0)...)
			}
		}
	}
	slices.SortFunc(found, match.compare)
	var b strings.Builder
	pos, label := -1, ""
	done := 0
	for _, f := range found {
		if f.start < pos || f.start == pos && m.markOf(f) == label {
			pos = max(pos, f.end)
			done = pos
			continue
		}
		b.Write(text[done:f.start])
		label = m.markOf(f)
		b.WriteString(label)
		pos, done = f.end, f.end
	}
	b.Write(text[done:])
	return b.String()
}

// naiveUndone returns the view with escapes of a kind undone, or nil when there are none.
func naiveUndone(parent *view, kind int) *view {
	v := &view{}
	if !v.undo(parent, kind) {
		return nil
	}
	return v
}

// naiveView returns what is in a view, with codes as deep as depth says.
func naiveView(m *matcher, v *view, depth int) []match {
	text := v.source.text
	var found []match
	byFirst := map[byte][]int{}
	for id, form := range m.forms {
		byFirst[form[0]] = append(byFirst[form[0]], id)
	}
	if depth > 0 {
		found = append(found, naiveCodes(m, text, depth)...)
	}
	for i := range text {
		for _, id := range byFirst[text[i]] {
			if form := m.forms[id]; bytes.HasPrefix(text[i:], []byte(form)) {
				found = append(found, match{anchor: i, start: i, end: i + len(form), label: m.labels[id]})
			}
		}
		for id, a := range shape.Anchors {
			if !bytes.HasPrefix(text[i:], []byte(a.Text)) {
				continue
			}
			c := shape.Candidate{Anchor: len(a.Text)}
			copy(c.Before[2-min(i, 2):], text[i-min(i, 2):i])
			c.Text, c.Final = v.reach(i)
			from, to, verdict := a.Kind.Scan(c)
			if verdict == shape.Yes {
				found = append(found, match{anchor: i, start: i + from, end: i + to, label: -1 - int32(id), shape: true})
			}
		}
	}
	if !v.isLog() {
		for i, f := range found {
			found[i].anchor, found[i].start, found[i].end = v.log(f.anchor), v.log(f.start), int(v.layer.to[f.end-1])
		}
	}
	return found
}
