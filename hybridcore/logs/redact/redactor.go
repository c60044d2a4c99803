// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:06Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
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

// New returns a redactor for the secrets, and a warning for each that it does not mask.
func New(secrets ...Secret) (*Redactor, []Warning) {
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
		for form := range f.Texts {
			if _, known := r.byForm[form]; !known {
				r.byForm[form] = label
			}
		}
		for part := range f.Parts {
			r.grams = appendGrams(r.grams, part, label)
		}
	}
	if len(r.byForm) > before {
		r.now.Store(newMatcher(r.byForm, r.grams, r.marks))
	}
	return warnings
}

// formsOf returns the spellings of the values of secrets, worked out at the same time: every command waits for them.
func formsOf(secrets []Secret) []*spell.Spellings {
	list := make([]*spell.Spellings, len(secrets))
	var all sync.WaitGroup
	for i, s := range secrets {
		all.Go(func() { list[i] = spell.Of(s.Value) })
	}
	all.Wait()
	return list
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
