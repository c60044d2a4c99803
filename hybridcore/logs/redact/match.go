// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:59Z
// Spec: openspec/specs/logs/spec.md#requirement-redaction-keeps-up-with-the-fastest-log
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

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
