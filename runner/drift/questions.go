// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:51:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// questions are those to publishers.
type questions struct {
	Stage
	report *report
	asked  int
	oldest time.Time // when the oldest answer was given
}

// unknown adds what could not be asked, or not be understood.
func (q *questions) unknown(subject string, why error) {
	q.report.add(hybridcore.DriftUpstream, NotLooked(subject,
		subject+" was not looked at, because "+q.Project.Redact(why.Error())))
}

// unasked adds what nobody asks, because nothing says whom: a note.
func (q *questions) unasked(subject, message string) {
	f := NotLooked(subject, message)
	f.Severity = hybridcore.Info
	q.report.add(hybridcore.DriftUpstream, f)
}

// answered counts an answer, and remembers how old it is.
func (q *questions) answered(at time.Time) {
	if q.oldest.IsZero() || at.Before(q.oldest) {
		q.oldest = at
	}
}
