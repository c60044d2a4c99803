// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:59Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"slices"
)

// layer is a decoded text, and from where to where in the log each of its bytes was read.
type layer struct {
	text     []byte
	from, to []int32
}

// add appends a byte.
func (l *layer) add(b byte, from, to int32) {
	l.text, l.from, l.to = append(l.text, b), append(l.from, from), append(l.to, to)
}

// keep leaves the last n bytes.
func (l *layer) keep(n int) {
	at := len(l.text) - n
	l.text = append(l.text[:0], l.text[at:]...)
	l.from = append(l.from[:0], l.from[at:]...)
	l.to = append(l.to[:0], l.to[at:]...)
}

// resize makes the layer have n bytes, which are to be set.
func (l *layer) resize(n int) {
	l.text, l.from, l.to = slices.Grow(l.text[:0], n)[:n], slices.Grow(l.from[:0], n)[:n], slices.Grow(l.to[:0], n)[:n]
}

// empty makes the layer empty.
func (l *layer) empty() { l.text, l.from, l.to = l.text[:0], l.from[:0], l.to[:0] }
