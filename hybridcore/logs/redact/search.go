// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:59Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import "slices"

// stream is what must be remembered between two pieces of one text.
type stream struct {
	views   []view // the log, and with an escape in it, what it is with escapes undone
	size    int    // bytes of a text that are looked at
	early   bool   // the text was longer: what is left is to be redacted at once
	stuck   bool   // nothing was decided: the next time all of the text is looked at
	decoder decoder
	open    bool // an interval is open: the next covered bytes are hidden and printed by nothing
	cover   int
	mark    string // of the open interval
	out     []byte
}

// redact returns the decided beginning of text with its matches replaced, and how many bytes of text that was. The
// rest must come again at the beginning of the next text. The result is valid until the next call and may be a part
// of text.
//
// All occurrences of all forms and shapes are intervals; overlapping ones, and adjoining ones of one name, are
// united, and each union is replaced by the mark of its first. That makes the result independent of how the text is
// cut.
func (st *stream) redact(m *matcher, text []byte, final bool) ([]byte, int) {
	found, limit := st.find(m, text, final)
	if len(found) == 0 && st.cover == 0 {
		st.open = st.open && limit == 0
		return text[:limit], limit
	}
	out, pos := st.out[:0], 0 // text before pos is dealt with
	if st.open {
		pos = st.cover
	}
	for _, f := range found {
		label := m.markOf(f)
		if st.open && (f.start < pos || f.start == pos && label == st.mark) {
			pos = max(pos, f.end)
			continue
		}
		out = append(out, text[pos:f.start]...)
		out = append(out, label...)
		st.open, st.mark, pos = true, label, f.end
	}
	if pos < limit {
		out = append(out, text[pos:limit]...)
	}
	st.open, st.cover = st.open && pos >= limit, max(0, pos-limit)
	st.out = out
	return out, limit
}

// markOf returns what replaces a match.
func (m *matcher) markOf(f match) string {
	if f.shape {
		return shapeMarks[-1-f.label]
	}
	return m.marks[f.label]
}

// look appends what is found in a view, in places of the log, and returns the first position of the log whose answer
// depends on text not yet seen.
func (st *stream) look(m *matcher, v *view) int {
	d, first := &st.decoder, len(st.decoder.found)
	if d.depth = 1; v == &st.views[0] {
		d.depth = maxDepth
	}
	d.found, d.regions = m.literals(v.source.text, d.found), v.regions[:0]
	if v.inside {
		d.code(&v.source, 0, 0)
		d.regions[0].active = -1
	}
	limit := findShapes(v, m.pairs, d)
	v.regions = d.regions
	if !v.source.final {
		limit = min(limit, m.prefixes.live(v.source.text), v.source.tail())
	}
	if !v.isLog() {
		for i, f := range d.found[first:] {
			d.found[first+i].anchor, d.found[first+i].start = v.log(f.anchor), v.log(f.start)
			d.found[first+i].end = int(v.layer.to[f.end-1])
		}
	}
	return v.log(limit)
}

// find returns the matches that are decided, sorted, and the number of bytes that are: before that limit no match can
// start that is not among them. It may look at a part of the text only, see stream. The result is valid until the next
// call.
func (st *stream) find(m *matcher, text []byte, final bool) ([]match, int) {
	if st.views == nil {
		st.views, st.size = make([]view, 1, viewCount), segment
	}
	n := min(len(text), st.size)
	if st.stuck {
		n = len(text)
	}
	limit := st.raw(m, text[:n], final && n == len(text))
	raw := &st.views[0]
	switch plain := len(st.views) == 1; {
	case plain && raw.escapes == 0:
		st.size = min(2*st.size, segment)
	case plain && raw.first > smallPiece && !st.stuck:
		n, st.size = raw.first, smallPiece
		limit = st.raw(m, text[:n], false)
	default:
		st.size = smallPiece
		limit = min(limit, st.undone(m))
	}
	st.early = n < len(text)
	if !raw.source.final {
		limit = st.boundary(limit)
	}
	st.stuck = limit == 0
	found := slices.DeleteFunc(st.decoder.found, func(f match) bool { return f.start >= limit })
	slices.SortFunc(found, match.compare)
	st.decoder.found = found
	st.advance(limit)
	return found, limit
}

// smallPiece is the number of bytes that are searched at once where escapes are, or the text between them would be
// undone as well.
const smallPiece = 2 << 10

// raw looks at the log itself.
func (st *stream) raw(m *matcher, text []byte, final bool) int {
	v := &st.views[0]
	v.source = source{text: text, ctx: v.source.ctx, tests: m.tests, final: final, codes: true}
	v.end, v.active = len(text), true
	st.decoder.grams, st.decoder.found = m.grams, st.decoder.found[:0]
	return st.look(m, v)
}

// undone looks at what the log is with escapes undone.
func (st *stream) undone(m *matcher) int {
	raw := &st.views[0]
	limit := raw.end
	if len(st.views) == 1 {
		st.views = st.views[:viewCount]
		raw = &st.views[0]
		for i := 1; i < viewCount; i++ {
			v := &st.views[i]
			v.source.codes = !deep(i)
			v.follow(raw)
		}
	}
	for i := 1; i < viewCount; i++ {
		v := &st.views[i]
		parent, like, kind := st.origin(i)
		v.active = !v.same(&st.views[like])
		if !v.active && (st.views[parent].escapes>>kind&1 == 0 || parent != like) {
			continue
		}
		if v.undo(&st.views[parent], kind) || v.active {
			v.active = true
			limit = min(limit, st.look(m, v))
		}
	}
	return limit
}

// origin returns of which view the view at an index is made, by undoing which kind, and which view it is like if
// nothing else stood before. A view of which nothing was undone is its parent.
func (st *stream) origin(index int) (parent, like, kind int) {
	if !deep(index) {
		return 0, 0, index - 1
	}
	parent, kind = 1+(index-1-kinds)/kinds, (index-1-kinds)%kinds
	if st.views[parent].active {
		return parent, parent, kind
	}
	return 0, 1 + kind, kind
}

// boundary returns a limit, or a smaller one that parts no match from its anchor, and no escape nor joint.
func (st *stream) boundary(limit int) int {
	for again := true; again; {
		again = false
		for _, f := range st.decoder.found {
			if f.anchor < limit && f.start >= limit {
				limit, again = f.anchor, true
			}
		}
		for i := range st.views {
			if v := &st.views[i]; v.active {
				if whole := v.whole(limit); whole < limit {
					limit, again = whole, true
				}
			}
		}
	}
	return limit
}

// advance remembers what is before the limit, in all views. Views that nothing tells apart from the log are forgotten.
func (st *stream) advance(limit int) {
	raw := &st.views[0]
	raw.advance(limit)
	forget := true
	for i := 1; i < len(st.views); i++ {
		v := &st.views[i]
		if v.active {
			v.advance(limit)
		} else {
			_, like, _ := st.origin(i)
			v.follow(&st.views[like])
		}
		forget = forget && v.same(raw)
	}
	if forget {
		st.views = st.views[:1]
	}
}

// segment is the number of bytes that are searched at once: small enough for the processor's second cache, large enough
// that the work at its borders does not count.
const segment = 32 << 10
