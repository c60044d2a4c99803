// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:45:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Kind is what happened, in words that are the same at each forge.
type Kind string

// The kinds of events. Each but the last two has lines in the policy.
const (
	KindChange   Kind = "change" // a pull or merge request is new or has new commits
	KindMerge    Kind = "merge"  // a push to the default branch
	KindTag      Kind = "tag"
	KindSchedule Kind = "schedule"
	KindCommand  Kind = "command" // somebody started a run with a command line
	KindComment  Kind = "comment" // somebody wrote one on a change
)

// Place is the job of a CI system that a process runs in. What is only shown may be
// foreign text: Read makes it harmless.
type Place struct {
	System     string // the forge, as the table of forges names it
	Title      string // the same, for people
	Event      string // as the forge names it, and its action if it has one
	Repository string // OWNER/NAME or the path of a project
	Ref        string // branch or tag, only to be shown
	Login      string // of who caused it, only to be shown
	Run        string // number of the run that the job is one of
	// Again says that the run was started once more, perhaps by somebody else.
	Again  bool
	Origin hybridcore.Origin
	// Apart says how to ask for what is for another environment than the rest of an event.
	Apart string
}

// asks is the origin of a request: the reason is in the words of who asked.
func (p Place) asks(r hybridcore.Request) hybridcore.Origin {
	origin := p.Origin
	origin.Reason = r.Origin.Reason
	return origin
}

// Event is what a forge's event says: all that a forge reads, so that what follows
// of it is the same at each.
type Event struct {
	Place Place
	Kind  Kind
	// Nothing says why the event asks for nothing; empty when it asks for something.
	Nothing string
	// Commits are what it is about, first of all, and others that the checkout may be
	// at. Empty ones are left out.
	Commits []string
	Base    string // commit that a change is to be merged into
	Branch  string // the default one
	Tag     string // empty for none
	Foreign bool   // a change's code is not of this repository, or the forge trusts it no more than such
	Line    string // of the workflow itself, which counts instead of the policy's
	Command Command
	By      Person // who asks by a command or a comment
	Remark  string // the command in a comment, as Remark finds it
	Change  int64  // number of the change that a comment is on
	Word    string // for a change, such as pull request
	// Scheduled says that a command is a line of the policy for a schedule.
	Scheduled bool
}

// Command is a command line that came with an event.
type Command struct {
	Line    string
	Request string // ID, given by who started the run; empty for none
	Ticket  string // of the bot's decision; empty for none
	Child   bool   // of a pipeline whose job has verified the ticket
	Where   string // the line is given
}

// Person is who asks.
type Person struct {
	ID    int64
	Login string
	At    time.Time // when, if the event says so
}
