// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:06Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Redactor hides registered values, in every spelling that tools give them, and credentials of well-known shape. It
// is safe for concurrent use; values may be added while writers are in use.
type Redactor struct {
	adding sync.Mutex
	values map[string]bool  // guarded by adding
	byForm map[string]int32 // guarded by adding
	grams  []gram           // guarded by adding
	marks  []string         // guarded by adding; appended to, never changed
	now    atomic.Pointer[matcher]
}

// NewRedactor returns a redactor for the secrets, and a warning for each that it does not mask.
func NewRedactor(secrets ...Secret) (*Redactor, []Warning) {
	r := &Redactor{values: map[string]bool{}, byForm: map[string]int32{}}
	r.now.Store(newMatcher(nil, nil, nil))
	return r, r.Add(secrets...)
}

// Add registers more secrets, and returns a warning for each that is not masked. Text that a writer passed on before
// stays as it was. Of equal values the first name is printed. Values are trimmed of white space; empty ones are
// ignored.
func (r *Redactor) Add(secrets ...Secret) []Warning {
	r.adding.Lock()
	defer r.adding.Unlock()
	var warnings []Warning
	var fresh []Secret
	for _, s := range secrets {
		value, warning := s.check()
		if warning != nil {
			warnings = append(warnings, *warning)
		}
		if value == "" || r.values[value] {
			continue
		}
		r.values[value] = true
		fresh = append(fresh, Secret{s.Name, value})
	}
	before := len(r.byForm)
	for i, f := range formsOf(fresh) {
		label := int32(len(r.marks))
		r.marks = append(r.marks, mark(fresh[i].Name))
		for form := range f.texts {
			if _, known := r.byForm[form]; !known {
				r.byForm[form] = label
			}
		}
		for part := range f.parts {
			r.grams = appendGrams(r.grams, part, label)
		}
	}
	if len(r.byForm) > before {
		r.now.Store(newMatcher(r.byForm, r.grams, r.marks))
	}
	return warnings
}

// formsOf returns the spellings of the values of secrets, worked out at the same time: every command waits for them.
func formsOf(secrets []Secret) []*spellings {
	list := make([]*spellings, len(secrets))
	var all sync.WaitGroup
	for i, s := range secrets {
		all.Go(func() { list[i] = forms(s.Value) })
	}
	all.Wait()
	return list
}

// mark returns what is printed in place of the value of a name. It has no byte that means something in JSON, CSV, shell
// quotes or Packer's machine-readable stream.
func mark(name string) string {
	const maxName = 64
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && (isAlnum(byte(r)) || strings.ContainsRune("_.-", r)) {
			return r
		}
		return '_'
	}, name)
	if name == "" {
		return "<sensitive>"
	}
	return "<sensitive:" + name[:min(len(name), maxName)] + ">"
}

// String returns s with everything that the redactor knows hidden.
func (r *Redactor) String(s string) string {
	out := r.Bytes([]byte(s))
	if string(out) == s {
		return s
	}
	return string(out)
}

// Clean makes text from outside fit for a report: safe to print, and without what the redactor knows.
func (r *Redactor) Clean(s string) string { return r.String(text.Sanitize(s)) }

// Bytes returns b with everything that the redactor knows hidden: b itself if there is nothing to hide.
func (r *Redactor) Bytes(b []byte) []byte {
	var st stream
	m := r.now.Load()
	out, n := st.redact(m, b, true)
	if !st.early {
		return out
	}
	all := slices.Clone(out)
	for st.early {
		b = b[n:]
		out, n = st.redact(m, b, true)
		all = append(all, out...)
	}
	return all
}

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
