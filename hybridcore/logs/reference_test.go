// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:26Z
// Spec: openspec/specs/logs/spec.md#requirement-masking-is-exact-across-chunk-borders
// Diagram: openspec/specs/logs/diagram.md#writer

package logs

import (
	"bytes"
	"slices"
	"strings"
)

// naiveCodes decodes all codes of a text of which minStretch characters are a code of text.
func naiveCodes(m *matcher, text []byte) []match {
	s := source{text: text, tests: m.tests, final: true}
	d := decoder{grams: m.grams}
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
		active = active || i <= len(text) && len(chain.text) >= minStretch && s.active(i)
	}
	return d.found
}

// naive is the redactor as one would write it without caring for speed: try every form and every anchor at every
// position, unite what overlaps, replace.
func naive(m *matcher, text []byte) string {
	var found []match
	byFirst := map[byte][]int{}
	for id, form := range m.forms {
		byFirst[form[0]] = append(byFirst[form[0]], id)
	}
	found = append(found, naiveCodes(m, text)...)
	for i := range text {
		for _, id := range byFirst[text[i]] {
			if form := m.forms[id]; bytes.HasPrefix(text[i:], []byte(form)) {
				found = append(found, match{anchor: i, start: i, end: i + len(form), label: m.labels[id]})
			}
		}
		for id, a := range anchors {
			if !bytes.HasPrefix(text[i:], []byte(a.text)) {
				continue
			}
			var before [2]byte
			copy(before[2-min(i, 2):], text[i-min(i, 2):i])
			from, to, v := a.shape.scan(candidate{text: text[i:], anchor: len(a.text), before: before, final: true})
			if v == yes {
				found = append(found, match{anchor: i, start: i + from, end: i + to, label: -1 - int32(id), shape: true})
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
