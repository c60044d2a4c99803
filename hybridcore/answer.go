// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:52:46Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package hybridcore

import (
	"maps"
	"slices"
	"time"
)

// Answer is what a request came to: only what its verb makes is set. Everything that people and programs are told of
// a request is rendered from it: text, JSON, the files and comments of a CI job, messages in Slack.
type Answer struct {
	FormatVersion int `json:"format_version"`
	// Request and Exit are nil where who reads the answer knows both: on standard output.
	Request *Request `json:"request,omitempty"`
	Exit    *int     `json:"exit_code,omitempty"`

	Plan *Plan `json:"plan,omitempty"`
	// Plans are those of a change, one for each environment, of which Plan is the first.
	Plans       []EnvPlan     `json:"plans,omitempty"`
	Record      *Record       `json:"record,omitempty"`
	Reaped      *[]Reaped     `json:"reaped,omitempty"`
	ReapedOn    *[]ReapPart   `json:"reaped_on,omitempty"` // by jobs, one a platform
	Parity      *ParityReport `json:"parity,omitempty"`
	Status      *StatusReport `json:"status,omitempty"`
	Release     *Release      `json:"release,omitempty"`
	Explanation *Explanation  `json:"explanation,omitempty"`
	Drift       *DriftReport  `json:"drift,omitempty"`
	Checked     *Checked      `json:"-"`                // the plan says the same
	Cached      string        `json:"cached,omitempty"` // the run whose findings these are; nothing changed since
	Error       string        `json:"error,omitempty"`  // why there is no other answer, redacted
	Findings    []Finding     `json:"findings,omitempty"`
}

// EnvPlan is the plan for one of several environments, or why there is none.
type EnvPlan struct {
	Env      string    `json:"env"`
	Exit     int       `json:"exit_code"`
	Plan     *Plan     `json:"plan,omitempty"`
	Error    string    `json:"error,omitempty"`    // why there is no plan, redacted
	Findings []Finding `json:"findings,omitempty"` // that the plan does not hold
}

// StatusReport is what was last built in an environment, what is running, and what ended without an image.
type StatusReport struct {
	Env     string             `json:"env"`
	Serial  uint64             `json:"serial"`
	Targets map[string]Current `json:"targets"`
	Running []Lease            `json:"running"`
	Dead    []Lease            `json:"dead"` // runs that ended without an image and may have left something
	// Releasing are the releases that are not complete, by ENV/NAME.
	Releasing map[string]ReleaseIntent `json:"releasing,omitempty"`
	// Looks are what the platforms said, by ENV/IMAGE@PLATFORM; nil when nobody asked them.
	Looks map[string]Look `json:"looks,omitempty"`
}

// Checked says what a validation inside the process looked at.
type Checked struct {
	Env     string
	Targets int
	Took    time.Duration
}

// All are the findings of an answer: those of its plan, of its drift and its own.
func (a Answer) All() []Finding {
	if a.Plan == nil {
		return slices.Concat(a.Drift.All(), a.Findings)
	}
	return slices.Concat(a.Plan.Findings, a.Drift.All(), a.Findings)
}

// Unseen says whether a platform was to be looked at, and could not be.
func (a Answer) Unseen() bool {
	unseen := func(l Look) bool { return l.Presence == NotLooked }
	if a.Plan != nil && a.Plan.Request.Look {
		return slices.ContainsFunc(a.Plan.Targets, func(t PlannedTarget) bool { return t.Look != nil && unseen(*t.Look) })
	}
	return a.Status != nil && slices.ContainsFunc(slices.Collect(maps.Values(a.Status.Looks)), unseen)
}

// ExitCode is the exit code of an answer that is no error.
func (a Answer) ExitCode() int {
	findings := a.All()
	switch {
	case a.Request != nil && a.Request.Action == ActionInspect:
		return ExitOK // whatever the run came to
	case a.Record != nil:
		return a.Record.Status.Exit()
	case a.Drift != nil:
		return a.Drift.Exit()
	case a.Parity != nil && a.Parity.Blocked():
		return ExitBlocked
	case a.Reaped != nil && slices.ContainsFunc(*a.Reaped, func(one Reaped) bool { return one.Error != "" }):
		return ExitFailed
	case a.ReapedOn != nil && slices.ContainsFunc(*a.ReapedOn, ReapPart.Failed):
		return ExitFailed
	case a.Unseen():
		return ExitFailed
	case Blocked(findings) != NotBlocked:
		return ExitCode(&FindingsError{Findings: findings})
	case a.Plan != nil && a.Plan.Request.DetailedExitCode && a.Plan.Changes():
		return ExitChanges
	}
	return ExitOK
}
