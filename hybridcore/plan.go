// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-plan-and-record
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"slices"
	"time"
)

// Decision says what a plan does with a target.
type Decision string

// Decisions of a plan.
const (
	Build     Decision = "build"
	Unchanged Decision = "unchanged"
)

// Reason is one cause for a decision.
type Reason struct {
	// Kind is never-built, gone, new, renamed, lab, source, file, variable, version, upstream, forced or unchanged.
	Kind string `json:"kind"`
	// a path, variable, tool or upstream; the run or commit of what is unchanged
	Subject  string `json:"subject,omitempty"`
	Was      string `json:"was,omitempty"`
	Now      string `json:"now,omitempty"`
	Part     string `json:"part,omitempty"`      // what a file belongs to, e.g. "role base"
	Layer    string `json:"layer,omitempty"`     // that sets the variable
	WasLayer string `json:"was_layer,omitempty"` // that set it before; empty when it is the same, or not known
	File     string `json:"file,omitempty"`      // relative to the project root
	Line     int    `json:"line,omitempty"`      // 1-based; of a file the first that differs; 0 when not known
	Text     string `json:"text"`                // one sentence
}

// Base is the commit that a plan is the difference to.
type Base struct {
	Revision string `json:"revision"` // as asked for
	Commit   string `json:"commit"`
}

// Removed is a target that the base, or without one the state, has and the
// working tree has not. What was built of it stays on its platform.
type Removed struct {
	Image    string   `json:"image"`
	Platform Platform `json:"platform"`
	RunID    string   `json:"run_id,omitempty"` // that built it last, as far as the plan looked
	Text     string   `json:"text"`             // one sentence
}

// Unsupported is an image on a platform that cannot carry it.
type Unsupported struct {
	Image    string   `json:"image"`
	Platform Platform `json:"platform"`
	Reason   string   `json:"reason"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
}

// PlannedTarget is a target with what the plan decided and why.
type PlannedTarget struct {
	Target   Target   `json:"target"`
	Decision Decision `json:"decision"`
	Reasons  []Reason `json:"reasons"`
	// Current is what the state knows of the last good build; nil when there is none.
	Current *Current `json:"current,omitempty"`
	// Wrong is what is wrong with its variables and names; the findings of the plan have it, as waivers leave it.
	Wrong []Finding `json:"-"`
	// Look is what the platform said of the last build; nil when nobody asked.
	Look *Look `json:"look,omitempty"`
	// Checkout compares the inputs with the commit; nil where nobody asked.
	Checkout *Checkout `json:"checkout,omitempty"`
}

// Plan is the answer to "what would be done, and why". It is a pure function
// of the tree, the state and the versions: the same input gives the same bytes.
type Plan struct {
	Request Request `json:"request"`
	Commit  string  `json:"commit,omitempty"` // of the checkout, empty outside git
	// Base is what the targets are compared with; nil for their last records.
	Base        *Base             `json:"base,omitempty"`
	Targets     []PlannedTarget   `json:"targets"`
	Removed     []Removed         `json:"removed,omitempty"`
	Unsupported []Unsupported     `json:"unsupported,omitempty"`
	Moved       []Reason          `json:"moved,omitempty"` // upstream sources whose pin differs from the base
	Versions    map[string]string `json:"versions"`        // packer and plugin address → version
	Findings    []Finding         `json:"findings"`
}

// Pending lists the targets that the plan builds.
func (p Plan) Pending() []PlannedTarget {
	return slices.DeleteFunc(slices.Clone(p.Targets), func(t PlannedTarget) bool { return t.Decision != Build })
}

// Changes says whether anything is pending: targets to build, and for a
// difference to a commit also those that it removes.
func (p Plan) Changes() bool { return len(p.Pending()) > 0 || p.Base != nil && len(p.Removed) > 0 }

// Status is the end of one target in one run.
type Status string

// Statuses of a result, and of a record as a whole.
const (
	Built         Status = "built"
	UnchangedDone Status = "unchanged"
	Validated     Status = "validated"
	Published     Status = "published"
	FreedDone     Status = "freed" // a lease was taken from its holder
	Failed        Status = "failed"
	Cancelled     Status = "cancelled"
	BlockedStatus Status = "blocked"
)

// Step is one step of a build, as the builder announced it.
type Step struct {
	Name     string        `json:"name"`
	At       time.Time     `json:"at"`
	Duration time.Duration `json:"duration_ns"`
}

// Result is the end of one target in one run.
type Result struct {
	Target   string            `json:"target"` // IMAGE@PLATFORM
	Image    string            `json:"image"`
	Platform Platform          `json:"platform"`
	Status   Status            `json:"status"`
	Artifact *Artifact         `json:"artifact,omitempty"`
	Digest   string            `json:"digest"`
	Recipe   string            `json:"recipe"`
	Inputs   map[string]string `json:"inputs,omitempty"`
	Findings []Finding         `json:"findings,omitempty"`
	// Provenance is what it was built with; nil of what was not built, and in records of older versions.
	Provenance *Provenance   `json:"provenance,omitempty"`
	Inventory  *Inventory    `json:"inventory,omitempty"`
	Log        string        `json:"log,omitempty"` // relative to the project root
	Steps      []Step        `json:"steps,omitempty"`
	Failure    *Failure      `json:"failure,omitempty"`
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration_ns"`
	// Notes are facts worth a line in the report: Ansible's recap, what an
	// interrupted run left behind.
	Notes []string `json:"notes,omitempty"`
}

// Failure says why a target did not succeed.
type Failure struct {
	Step    string   `json:"step,omitempty"` // the step that was running
	File    string   `json:"file,omitempty"` // the file that the failing step ran, e.g. a playbook
	Message string   `json:"message"`        // the cause in one sentence
	Tail    []string `json:"tail,omitempty"` // the last lines of output, redacted and sanitised
}

// Inventory refers to the inventory collected inside the guest.
type Inventory struct {
	File     string `json:"file"` // relative to the state directory
	SHA256   string `json:"sha256"`
	Packages int    `json:"packages"`
}

// Record is what one run did. It is immutable once written.
type Record struct {
	FormatVersion int               `json:"format_version"`
	RunID         string            `json:"run_id"`
	Request       Request           `json:"request"`
	PlanDigest    string            `json:"plan_digest"`
	Commit        string            `json:"commit,omitempty"`
	At            time.Time         `json:"at"`
	Duration      time.Duration     `json:"duration_ns"`
	Status        Status            `json:"status"`
	Versions      map[string]string `json:"versions"`
	Results       []Result          `json:"results"`
	// Parity compares the images that the run built for several platforms.
	Parity []Parity `json:"parity,omitempty"`
	// Release is what the run published; nil for other runs.
	Release *Release `json:"release,omitempty"`
	// Waived are the waivers that the run stands on.
	Waived []Waived `json:"waived,omitempty"`
	// Freed is the lease that was taken from its holder by hand; nil for other runs.
	Freed *Lease `json:"freed,omitempty"`
}

// Overall is the status of a run: cancelled, failed or blocked when any
// target is, in that order; unchanged when every target is.
func Overall(results []Result) Status {
	overall := UnchangedDone
	if len(results) > 0 && results[0].Status == Validated {
		overall = Validated
	}
	rank := map[Status]int{
		UnchangedDone: 0, Validated: 0, Built: 1, Published: 1, BlockedStatus: 2, Failed: 3,
		Cancelled: 4,
	}
	for _, r := range results {
		if rank[r.Status] > rank[overall] {
			overall = r.Status
		}
	}
	return overall
}

// Exit is the exit code of a run with this status.
func (s Status) Exit() int {
	switch s {
	case Failed:
		return ExitFailed
	case Cancelled:
		return ExitCancelled
	case BlockedStatus:
		return ExitBlocked
	default:
		return ExitOK
	}
}

// Current is what the state knows of the last good build of one target.
type Current struct {
	RunID     string            `json:"run_id"`
	Commit    string            `json:"commit,omitempty"` // of the checkout that it was built from
	At        time.Time         `json:"at"`
	Digest    string            `json:"digest"`
	Recipe    string            `json:"recipe"`
	Inputs    map[string]string `json:"inputs"`
	Versions  map[string]string `json:"versions"`
	Artifact  *Artifact         `json:"artifact,omitempty"`
	Inventory *Inventory        `json:"inventory,omitempty"`
	Release   string            `json:"release,omitempty"` // the last one that it belongs to
}

// Snapshot is the current state: one entry for each target that was ever built.
type Snapshot struct {
	FormatVersion int                `json:"format_version"`
	Lineage       string             `json:"lineage"` // made once with the state; a foreign one is refused
	Serial        uint64             `json:"serial"`  // grows by one with each write
	Targets       map[string]Current `json:"targets"` // by ENV/IMAGE@PLATFORM
	// Releases are what was published, by ENV/NAME.
	Releases map[string]ReleaseRef `json:"releases,omitempty"`
	// Releasing are releases that are not complete, by ENV/NAME.
	Releasing map[string]ReleaseIntent `json:"releasing,omitempty"`
}

// Event is one thing that happened while a target was being built.
type Event struct {
	At     time.Time
	Target string // IMAGE@PLATFORM
	Kind   EventKind
	Text   string // sanitised and redacted
	// Elapsed is the time since the target started.
	Elapsed time.Duration
	// Plan is what the request was planned to be, of EventPlan.
	Plan *Plan
}

// EventKind sorts events.
type EventKind string

// Kinds of events.
const (
	EventPlan   EventKind = "plan"   // the request is planned; there is no target
	EventStart  EventKind = "start"  // the target starts; Text says with what
	EventStep   EventKind = "step"   // the builder begins a step
	EventOutput EventKind = "output" // a line of output within a step
	EventError  EventKind = "error"  // a line that the builder marked as an error
	EventDone   EventKind = "done"   // the target ended; Text is its status
	EventNote   EventKind = "note"   // something the user should know
)
