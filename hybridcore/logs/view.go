// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:40:00Z
// Spec: openspec/specs/logs/spec.md#requirement-escapes-are-undone
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"slices"
	"sort"
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
	last := int(v.layer.from[i]) + maxHold
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
