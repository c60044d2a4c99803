// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:59:25Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

// Package jobs are the commands that the CI system carries out: what is known of each, and how it is kept in the
// store with the tasks that take it further.
package jobs

import (
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// State is where a job is in its life.
type State string

// States of a job, in the order of the diagram.
const (
	Queued      State = "queued"      // allowed; waits for its targets or for the CI system
	Awaiting    State = "awaiting"    // waits for an approval of its commit
	Joined      State = "joined"      // has the answer of another one that is the same
	Dispatching State = "dispatching" // the CI system may have been asked for a run
	Running     State = "running"     // the run is known
	Done        State = "done"
	Denied      State = "denied"
	Expired     State = "expired" // nobody approved
)

// Final says whether nothing follows a state.
func (s State) Final() bool { return slices.Contains(finals, s) }

var finals = []State{Done, Denied, Expired}

// Job is a command that the CI system carries out, from its decision to its end.
type Job struct {
	Command  door.Command       `json:"command"` // its ID is the job's
	Request  hybridcore.Request `json:"request"` // parsed, with environment
	Line     string             `json:"line"`    // of the shared grammar, as the CI system gets it
	Cells    []policy.Cell      `json:"cells,omitempty"`
	State    State              `json:"state"`
	Person   policy.Person      `json:"person"`
	Decision policy.Decision    `json:"decision"`

	Commit  string          `json:"commit,omitempty"`  // full object ID that it is for
	Plan    *policy.Plan    `json:"plan,omitempty"`    // of the commit, as it was shown for approval
	Shown   time.Time       `json:"shown,omitzero"`    // when commit and plan were
	Answers []policy.Answer `json:"answers,omitempty"` // the rules that want an approval, and who satisfies them

	Joined  string         `json:"joined,omitempty"` // ID of the job that it joined
	Note    string         `json:"note,omitempty"`   // what it waits for, sanitised
	Tried   time.Time      `json:"tried,omitzero"`   // when a run was last asked for; set before it is
	Run     *cirun.Run     `json:"run,omitempty"`    // an empty one was taken by the CI system, and is not listed yet
	Stop    *policy.Person `json:"stop,omitempty"`   // who cancelled it
	Targets []cirun.Target `json:"targets,omitempty"`
	Changed time.Time      `json:"changed,omitzero"` // when its targets last did
	Outcome *cirun.Outcome `json:"outcome,omitempty"`
	Message Message        `json:"message,omitzero"`
}

// Message is the one message of a job in its channel. It is edited until Slack
// has the newest state.
type Message struct {
	TS      string    `json:"ts,omitempty"`   // Slack's identifier of it; empty: there is none yet
	Tried   time.Time `json:"tried,omitzero"` // when it was first posted; set before it is
	Want    int       `json:"want"`           // number of the job's newest state
	Sent    int       `json:"sent"`           // of the state that Slack has
	Thread  bool      `json:"thread,omitempty"`
	Replies int       `json:"replies,omitempty"` // uses of the address for answers, where the bot may not post
}

// Order is what the CI system is asked for, without the ticket. Runs are for the branch ref.
func (j Job) Order(ref string) cirun.Order {
	return cirun.Order{Request: j.Command.ID, Line: j.Line, Ref: ref, Commit: j.Commit}
}

// Ticket is what the job of the CI system decides on once more.
func (j Job) Ticket() policy.Ticket {
	return policy.Ticket{
		Request: j.Command.ID, Person: j.Person, Verb: string(j.Request.Action), Cells: j.Cells, Commit: j.Commit,
		Plan: j.Plan, Decision: j.Decision, Approvals: j.Approvals(), Shown: j.Shown, Requested: j.Command.At,
	}
}

// Lanes are the targets that a job must have for itself.
func (j Job) Lanes() []string {
	if !j.Exclusive() {
		return nil
	}
	cells := make([]string, 0, len(j.Cells))
	for _, cell := range j.Cells {
		cells = append(cells, cell.String())
	}
	return cells
}

// Exclusive says whether a job changes its targets, so that one at a time may.
func (j Job) Exclusive() bool {
	return slices.Contains([]hybridcore.Action{hybridcore.ActionBuild, hybridcore.ActionReap, hybridcore.ActionPublish},
		j.Request.Action)
}

// Approvals are those that count for a job, each once.
func (j Job) Approvals() []policy.Approval {
	var all []policy.Approval
	for _, answer := range j.Answers {
		same := func(a policy.Approval) bool { return a.By.User == answer.By.By.User && a.At.Equal(answer.By.At) }
		if !answer.Open() && !slices.ContainsFunc(all, same) {
			all = append(all, answer.By)
		}
	}
	return all
}

// Retryable says whether asking for the same again would do something.
func (j Job) Retryable() bool {
	return j.Outcome != nil && j.State == Done && j.Request.Action != hybridcore.ActionInspect &&
		slices.Contains([]hybridcore.Status{hybridcore.Failed, hybridcore.Cancelled}, j.Outcome.Status)
}
