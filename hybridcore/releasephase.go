// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:00:46Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package hybridcore

import (
	"slices"
	"time"
)

// ReleasePlan is a release before anything of it is looked up or marked: what the
// phases that reach a platform work on.
type ReleasePlan struct {
	Run        string            `json:"run,omitempty"` // of the CI system; empty when one process does all phases
	Request    Request           `json:"request"`       // without an origin
	PlanDigest string            `json:"plan_digest"`
	Versions   map[string]string `json:"versions"`
	Release    Release           `json:"release"`          // as it will be; its run ID is that of the publish
	Before     string            `json:"before,omitempty"` // run whose record has this release as it was published earlier
	// Targets are those of the request: each with its artifact, or with what
	// speaks against the release.
	Targets []Result `json:"targets"`
	Parity  []Parity `json:"parity,omitempty"`
}

// Key of the release in the state: ENV/NAME.
func (p ReleasePlan) Key() string { return p.Release.Env + "/" + p.Release.Name }

// Refused says whether something speaks against the release that no platform
// needs to be asked about.
func (p ReleasePlan) Refused() bool {
	return slices.ContainsFunc(p.Parity, Parity.Blocked) || slices.ContainsFunc(p.Targets,
		func(r Result) bool { return r.Failure != nil })
}

// Platforms of the targets, in report order.
func (p ReleasePlan) Platforms() []Platform {
	var all []Platform
	for _, row := range platformTable {
		if slices.ContainsFunc(p.Targets, func(r Result) bool { return r.Platform == row.Name }) {
			all = append(all, row.Name)
		}
	}
	return all
}

// On lists the targets of one platform.
func (p ReleasePlan) On(platform Platform) []Result {
	return slices.DeleteFunc(slices.Clone(p.Targets), func(r Result) bool { return r.Platform != platform })
}

// ReleasePhase is a phase of a release that reaches a platform.
type ReleasePhase string

// The phases that leave a part for each platform.
const (
	Prepared ReleasePhase = "prepared" // every artifact was looked up
	Marked   ReleasePhase = "marked"   // every artifact was marked
)

// ReleasePart is what one phase came to on one platform.
type ReleasePart struct {
	Phase    ReleasePhase  `json:"phase"`
	Run      string        `json:"run,omitempty"` // of the CI system
	Commit   string        `json:"commit,omitempty"`
	Env      string        `json:"env"`
	Platform Platform      `json:"platform"`
	Plan     string        `json:"plan"` // digest of the plan that it is a part of
	Steps    []ReleaseStep `json:"steps"`
}

// ReleaseStep is what one phase came to for one target.
type ReleaseStep struct {
	Target    string        `json:"target"` // IMAGE@PLATFORM
	Started   time.Time     `json:"started"`
	Duration  time.Duration `json:"duration_ns"`
	Failure   string        `json:"failure,omitempty"`
	Cancelled bool          `json:"cancelled,omitempty"` // why it failed
	Fresh     bool          `json:"fresh,omitempty"`     // at least one object did not have its mark yet
}

// Done says whether the phase came to a good end for every target of the part.
func (p ReleasePart) Done() bool {
	return !slices.ContainsFunc(p.Steps, func(s ReleaseStep) bool { return s.Failure != "" })
}

// Step of a target; nil when there is none.
func (p ReleasePart) Step(target string) *ReleaseStep {
	for i, s := range p.Steps {
		if s.Target == target {
			return &p.Steps[i]
		}
	}
	return nil
}

// ReleaseIntent is the journal of a release: what is about to be marked. It is in
// the state from before the first mark until the release is complete.
type ReleaseIntent struct {
	RunID string    `json:"run_id"` // of the last publish that began it
	At    time.Time `json:"at"`
	Plan  string    `json:"plan"` // digest of its plan
	// Builds are the runs that built what it marks, by IMAGE@PLATFORM; Former are
	// those of publishes before it, which were not completed either.
	Builds map[string]string `json:"builds"`
	Former map[string]string `json:"former,omitempty"`
}

// ReapPart is what a job answers that removes what dead runs left on one platform.
type ReapPart struct {
	Run      string   `json:"run,omitempty"` // of the CI system
	Commit   string   `json:"commit,omitempty"`
	Env      string   `json:"env"`
	Platform Platform `json:"platform"`
	DryRun   bool     `json:"dry_run,omitempty"`
	Reaped   []Reaped `json:"reaped"`
	Error    string   `json:"error,omitempty"` // why it did not look, or not to the end
}

// Failed says whether something was not looked at, or could not be removed.
func (p ReapPart) Failed() bool {
	return p.Error != "" || slices.ContainsFunc(p.Reaped, func(r Reaped) bool { return r.Error != "" })
}
