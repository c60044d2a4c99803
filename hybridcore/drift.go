// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:07:28Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package hybridcore

import (
	"slices"
	"time"
)

// KindDrift is the kind of findings about what is not as it was recorded.
const KindDrift = "drift"

// RuleNotLooked is the rule of what was to be looked at, and could not be.
const RuleNotLooked = "drift-not-looked"

// DriftReport is what is not as it was recorded, as far as somebody looked.
type DriftReport struct {
	Env      string      `json:"env"`
	At       time.Time   `json:"at"`
	Looks    []DriftLook `json:"looks"`
	Findings []Drifted   `json:"findings"`
	// SinceUnknown says why it is not known since when there are these findings.
	SinceUnknown string `json:"since_unknown,omitempty"`
}

// DriftPart is a part of what may drift.
type DriftPart string

// Parts of what may drift, in the order of reports.
const (
	DriftLocal    DriftPart = "local"    // the tree, against the records
	DriftRecords  DriftPart = "records"  // the records themselves
	DriftLive     DriftPart = "live"     // what is on the platforms
	DriftUpstream DriftPart = "upstream" // what others have published since
)

// DriftLook says how far somebody looked.
type DriftLook struct {
	Part      DriftPart `json:"part"`
	Of        string    `json:"of"` // what is counted: targets, records, questions
	Looked    int       `json:"looked"`
	NotLooked int       `json:"not_looked"`    // each has a finding that says why
	Why       string    `json:"why,omitempty"` // why nobody looked at all
	// Oldest is when the oldest answer was given, where answers are kept.
	Oldest time.Time `json:"oldest,omitzero"`
}

// Drifted is one finding, and since when it is known.
type Drifted struct {
	Part    DriftPart `json:"part"`
	Finding Finding   `json:"finding"`
	Since   time.Time `json:"since,omitzero"` // when it was first seen; zero when that is not known
}

// All are the findings of a report; nil has none.
func (d *DriftReport) All() []Finding {
	if d == nil {
		return nil
	}
	all := make([]Finding, 0, len(d.Findings))
	for _, one := range d.Findings {
		all = append(all, one.Finding)
	}
	return all
}

// Exit is the exit code of a report: what blocks is known, whatever else was not looked at.
func (d *DriftReport) Exit() int {
	all := d.All()
	switch {
	case Blocked(all) != NotBlocked:
		return ExitBlocked
	case slices.ContainsFunc(all, func(f Finding) bool { return f.Rule == RuleNotLooked && f.Severity != Info }):
		return ExitFailed
	}
	return ExitOK
}

// Alarming says whether somebody has to do something: a finding that is more than a note and
// that nobody has accepted, also that something was not looked at.
func (d *DriftReport) Alarming() bool {
	return slices.ContainsFunc(d.All(), func(f Finding) bool { return f.Severity != Info && f.Waived == Waived{} })
}

// LivePart is what a job answers that looked at what is built on one platform.
type LivePart struct {
	Run      string       `json:"run"` // of the CI system
	Commit   string       `json:"commit"`
	Env      string       `json:"env"`
	Platform Platform     `json:"platform"`
	Targets  []LiveTarget `json:"targets"`         // that its state has as built
	Error    string       `json:"error,omitempty"` // why it did not look
}

// LiveTarget is what a look at one target came to.
type LiveTarget struct {
	Key      string    `json:"key"`
	Build    string    `json:"build"` // run that built what was looked for
	Findings []Finding `json:"findings"`
}
