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

// window is a place in a run.
type window struct {
	run *run
	at  int
}

// naive is the redactor as one would write it without caring for speed: try every form and every anchor at every position,
// unite what overlaps, replace.
func naive(m *matcher, text []byte) string {
	var found []match
	byFirst := map[byte][]int{}
	for id, form := range m.forms {
		byFirst[form[0]] = append(byFirst[form[0]], id)
	}
	windows := map[string][]window{}
	for i := range m.runs {
		r := &m.runs[i]
		for at := range r.windows() {
			windows[r.text[at:at+minRun]] = append(windows[r.text[at:at+minRun]], window{r, at})
		}
	}
	for i := range text {
		for _, w := range windows[string(text[i:min(len(text), i+minRun)])] {
			start, end := i, i+minRun
			for n := 1; n <= min(runStep, w.at, i) && text[i-n] == w.run.text[w.at-n]; n++ {
				start = i - n
			}
			for n := w.at + minRun; end < len(text) && n < len(w.run.text) && text[end] == w.run.text[n]; n++ {
				end++
			}
			found = append(found, match{anchor: start, start: start, end: end, label: w.run.label})
		}
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
