// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:26Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import "iter"

// run is a code of which a part is a match that has one of its windows.
type run struct {
	text  string
	core  int // characters before which its windows end, at least minRun
	label int32
}

// windows yields where the windows of a run begin.
func (r run) windows() iter.Seq[int] {
	return func(yield func(int) bool) {
		last := r.core - minRun
		for at := 0; at < last; at += runStep {
			if !yield(at) {
				return
			}
		}
		yield(last)
	}
}

// part appends the part of a run around the window of e at position i of the text, if that is there, unless it was found by
// another window.
func (m *matcher) part(text []byte, i int, e entry, found []match) []match {
	r, at := &m.runs[e.form-uint32(len(m.forms))], int(e.at)
	if n := len(found); n > 0 && found[n-1].run == r && found[n-1].start-found[n-1].off == i-at && found[n-1].end > i {
		return found
	}
	if i < 0 || len(text)-i < minRun || string(text[i:i+minRun]) != r.text[at:at+minRun] {
		return found
	}
	start, end := i, i+minRun
	for start > max(0, i-runStep) && start > i-at && text[start-1] == r.text[at-1-(i-start)] {
		start--
	}
	left := r.text[at+minRun:]
	for end < len(text) && left != "" && text[end] == left[0] {
		end, left = end+1, left[1:]
	}
	return append(found, match{
		anchor: start, start: start, end: end, label: r.label, run: r, off: at - (i - start),
		open: end == len(text) && left != "",
	})
}
