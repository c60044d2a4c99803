// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"net/http"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
)

// System is a forge, as whom reports are sent to.
type System struct {
	Name  string // as the outbox has it
	Title string // for people
	Login string // whom the token of a job belongs to; empty where the forge is asked
	// Groups says that a repository may lie in groups of groups.
	Groups bool
	// NoSteps says that a check cannot show what is done now.
	NoSteps bool
	// Open makes what brings reports to an address; a request has the time given.
	Open func(Access, Address, time.Duration) (Forge, error)
}

// file is the name of the system's outbox in a run's directory.
func (s System) file() string { return s.Name + FileName }

// Access is how a system is reached.
type Access struct {
	System System
	API    string // base address; empty for the forge's own
	Token  string
	// Repository is the only one whose reports a flush sends; empty for all.
	Repository string
}

// Forge brings reports to one address.
type Forge interface {
	// Check brings the state of a check there.
	Check(ctx context.Context, it *Item, want *report.Check) error
	// Texts keeps the comments of the change; with an issue, the issues of the slot: then Put
	// opens or closes one as well, and Remove closes one that is too many.
	Texts(issue *Issue) Commenter
	// Answer is what a failed request was answered with.
	Answer(err error) Answer
}

// Commenter keeps the comments of one change, or the issues of a repository.
type Commenter interface {
	// Find gets the comment id, or without one all of this slot and author, oldest
	// first. A comment that is gone is no error.
	Find(ctx context.Context, id int64) ([]Comment, error)
	// Put makes a comment, or edits the one with an identifier, and returns it.
	Put(ctx context.Context, id int64, body string) (int64, error)
	Remove(ctx context.Context, id int64) error
}

// Comment is one that is there.
type Comment struct {
	ID   int64
	Body string
}

// Answer is what is known of a request that failed.
type Answer struct {
	Status int // 0: there was none, or it was no JSON
	Header http.Header
	// Denied says that the token must not do this at all.
	Denied bool
}

// Item is a check on its way: what is known of it at its forge. What a forge finds
// out it sets here, and notes with Made.
type Item struct {
	Key         string
	ID          int64 // 0: it is not there yet
	Annotations int   // that have arrived
	State       string
	Tried       bool // something was asked for, and what came of it is not known

	sender *sender
}

// Try notes that something is asked for which must not be done twice.
func (i *Item) Try() {
	_ = i.sender.box.append(line{Kind: "try", Key: i.Key}) // told at the end
}

// Writing notes that a request which writes is made now.
func (i *Item) Writing() { i.sender.wrote = i.sender.clock.Now() }

// Made notes what is there.
func (i *Item) Made() {
	l := line{Kind: "made", Key: i.Key, ID: i.ID, Annotations: i.Annotations, State: i.State}
	_ = i.sender.box.append(l) // told at the end
}

// Note keeps a line for people about what arrives in part only.
func (i *Item) Note(text string) { i.sender.notes = append(i.sender.notes, text) }
