// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:45:00Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-before-anything-is-created
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package hybridcore

import (
	"regexp"
	"slices"
	"time"
)

// Lease is the claim of one run on one target. It is on disk before Packer
// may create anything.
type Lease struct {
	Key    string    `json:"key"` // ENV/IMAGE@PLATFORM
	RunID  string    `json:"run_id"`
	Owner  string    `json:"owner"` // USER@HOST
	Host   string    `json:"host"`
	BootID string    `json:"boot_id"` // of the host's current boot
	PID    int       `json:"pid"`
	At     time.Time `json:"at"`
	// Lab is the identity of the lab that the run is in; empty on real platforms.
	Lab string `json:"lab,omitempty"`
	// Artifact is the name of everything that the run creates; tags and notes on
	// the platform are made of the run's ID.
	Artifact string `json:"artifact"`
	// Scratch is the run's own directory on its host, in which Packer makes CDs;
	// it need not exist yet, or any more.
	Scratch string `json:"scratch,omitempty"`
	// Media are the CDs that Packer had made and not removed when it ended. They
	// are known once somebody has looked into the scratch directory.
	Media []string `json:"media,omitempty"`
	Phase string   `json:"phase"` // one of the phases below
	// Serial is the fencing serial: one higher with each acquisition of the key.
	Serial uint64 `json:"serial"`
	// Expires is when another host stops counting the holder as living, unless
	// the holder renews the lease.
	Expires time.Time `json:"expires"`
	// QuietSince is since when nothing of an ended run was found on its platform;
	// zero means that nobody has looked yet.
	QuietSince time.Time `json:"quiet_since,omitzero"`
	// Freed says who took the lease from an ended run by hand; nil for nobody.
	Freed *Freed `json:"freed,omitempty"`
	// Past are ended runs of the target of which something may still appear on
	// the platform, oldest first. They have no past of their own.
	Past []Lease `json:"past,omitempty"`
}

// Freed says who took the lease from the run that held it, and why: packer-hybrid
// lease release.
type Freed struct {
	By     string    `json:"by"` // USER@HOST
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	RunID  string    `json:"run_id"` // whose record has it
}

// LateWindow is how long a platform may take to show what an ended run asked
// for. A vCenter goes on with a task whose caller is gone, Proxmox VE writes the
// name of a clone after the task has begun, and a Packer that outlives
// packer-hybrid has its own clean-up to do: minutes, not hours.
const LateWindow = 10 * time.Minute

// LookAgain is from when on a look that finds nothing is the last one; zero
// when nobody has looked yet.
func (l Lease) LookAgain() time.Time {
	if l.QuietSince.IsZero() {
		return time.Time{}
	}
	return l.QuietSince.Add(LateWindow)
}

// Phases of a lease.
const (
	PhaseStarting   = "starting"   // taken; Packer was not started yet
	PhaseRunning    = "running"    // Packer runs
	PhaseCancelling = "cancelling" // Packer has its SIGTERM
	PhaseUncleaned  = "uncleaned"  // Packer has ended without an image; what it left was not looked for yet
	PhaseReaping    = "reaping"    // what ended runs left is being removed; creates nothing
	PhaseReleased   = "released"   // nobody holds the target; keeps serial and past
)

// IsPhase says whether the holder of a lease may give it this phase.
func IsPhase(phase string) bool {
	return slices.Contains([]string{PhaseStarting, PhaseRunning, PhaseCancelling, PhaseUncleaned, PhaseReaping}, phase)
}

// End says how the run of a lease ended that does not live any more.
func (l Lease) End() string {
	switch {
	case l.Phase == PhaseUncleaned && l.QuietSince.IsZero():
		return "could not look for what Packer left"
	case l.Phase == PhaseUncleaned:
		return "ended without an image"
	default:
		return "ended while " + l.Phase + ", without a record"
	}
}

// Remains says what to look for on a platform: what an ended run can have left.
type Remains struct {
	Name  string   // of everything that the run created
	RunID string   // of which tags and notes are made
	Media []string // file names of CDs that Packer made for the run and may have uploaded
}

// Remains of the run that had the lease.
func (l Lease) Remains() Remains {
	return Remains{Name: l.Artifact, RunID: l.RunID, Media: l.Media}
}

// medium is the name that Packer gives to a CD of a build, by which it is
// uploaded too: os.CreateTemp with packer*.iso, which puts a uint32 in.
var medium = regexp.MustCompile(`^packer[0-9]{1,20}\.iso$`)

// IsMedium says whether a file has the name of a CD that Packer made for one build.
func IsMedium(name string) bool { return medium.MatchString(name) }

// Reaped is what was done about one ended run of one target.
type Reaped struct {
	Lease   Lease  `json:"lease"`
	Removed []URI  `json:"removed"` // or, in a dry run, what would be
	Kept    []URI  `json:"kept"`    // carries the run's name, but is complete: a template
	Error   string `json:"error,omitempty"`
	// Elsewhere says why nobody looked: the run was in a lab and this is none, or
	// the other way round. Its lease stays.
	Elsewhere string `json:"elsewhere,omitempty"`
	// LookAgain is from when on a look that finds nothing is the last one: until
	// then the platform may still create what the run asked for. Zero means that
	// the run is done with.
	LookAgain time.Time `json:"look_again,omitzero"`
}
