// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:40:00Z
// Spec: openspec/specs/logs/spec.md#requirement-escapes-are-undone
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"sort"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// view is a text of which the log is one way to write it: the log itself, or the log with escapes of one kind undone,
// or with those of a second kind undone in that.
type view struct {
	source  source
	inside  bool     // what stood before the text is in a code
	regions []region // codes of the text
	escapes uint8    // kinds of escapes that may be in the text, by their bits
	first   int      // where the first of them may begin, at most a byte before it
	layer   layer    // of a text that is not the log
	end     int      // of the text in the log
	active  bool     // the text is not that of another view
}

// viewCount is the number of views: the log, one kind undone, and two.
const viewCount = 1 + kinds + kinds*kinds

// deep reports whether the view at an index has two kinds undone.
func deep(index int) bool { return index > kinds }

// isLog reports whether the view is the log itself.
func (v *view) isLog() bool { return len(v.layer.from) == 0 }

// log returns where in the log a position of the text is.
func (v *view) log(i int) int {
	switch {
	case i == len(v.source.text):
		return v.end
	case v.isLog():
		return i
	}
	return int(v.layer.from[i])
}

// index returns the first position of the text that is not before a position of the log.
func (v *view) index(log int) int {
	if v.isLog() {
		return min(log, len(v.source.text))
	}
	return sort.Search(len(v.layer.from), func(i int) bool { return int(v.layer.from[i]) >= log })
}

// whole returns a position of the log, or where the escape or joint begins that has the bytes before and after it.
func (v *view) whole(log int) int {
	i := v.index(log)
	if !v.isLog() && i > 0 && int(v.layer.to[i-1]) > log {
		return int(v.layer.from[i-1])
	}
	if at := v.source.whole(i); at < i {
		return v.log(at)
	}
	return log
}

// reach returns the text from i on of which a shape may be, and whether nothing may follow.
func (v *view) reach(i int) ([]byte, bool) {
	text := v.source.text[i:]
	if v.isLog() {
		return text, v.source.final
	}
	last := int(v.layer.from[i]) + shape.MaxHold
	n := sort.Search(len(text), func(at int) bool { return int(v.layer.to[i+at]) > last })
	return text[:n], v.source.final || n < len(text)
}

// advance remembers what is before a position of the log.
func (v *view) advance(log int) {
	i := v.index(log)
	if i == 0 {
		return
	}
	v.inside = false
	for _, r := range v.regions {
		v.inside = v.inside || r.active < i && i < r.end
	}
	ctx := &v.source.ctx
	copy(ctx[:], ctx[min(i, ctxSize):])
	copy(ctx[max(0, ctxSize-i):], v.source.text[max(0, i-ctxSize):i])
}

// same reports whether the same stood before the texts of two views.
func (v *view) same(o *view) bool {
	return v.source.ctx == o.source.ctx && (v.inside == o.inside || !v.source.codes)
}

// follow makes what stood before the text that of another view.
func (v *view) follow(o *view) {
	v.source.ctx, v.inside = o.source.ctx, o.inside && v.source.codes
}

// undo makes the text of the view that of its parent with the escapes of a kind undone, and reports whether it
// differs.
func (v *view) undo(parent *view, kind int) bool {
	at := &parent.layer
	if parent.isLog() {
		at = nil
	}
	changed, end := v.layer.undo(parent.source.text, at, kind, parent.source.final)
	v.source.text, v.source.tests, v.source.final = v.layer.text, parent.source.tests, parent.source.final
	v.end = parent.log(end)
	return changed || end < len(parent.source.text)
}

// escapeKinds has a bit for the kind that an escape is of that begins with a byte.
var escapeKinds = func() (kinds [256]uint8) {
	for kind, c := range []byte(escapeBytes) {
		kinds[c] = 1 << kind
	}
	return kinds
}()
