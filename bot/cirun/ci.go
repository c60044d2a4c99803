// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:59:25Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#one-command

// Package cirun is what the bot asks of a CI system, and what came of it: an order, its run, and the outcome that
// the run's answer tells.
package cirun

import (
	"context"
	"fmt"
	"time"
)

// Order is one run as the CI system is asked for it. Everything in it but the end
// of the ticket is fixed before the first try.
type Order struct {
	Request string // ID; the run carries it where Find sees it, such as in its name
	Line    string // of the shared grammar; one value, for no shell
	Ref     string // branch
	Commit  string // full object ID that the run must be for
	Ticket  []byte // a sealed policy.Ticket; nil for an order that is only looked for
}

// Run is a run of the CI system.
type Run struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// Dispatcher asks a CI system for runs. An error that is a *LaterError passes;
// a *hybridcore.BlockedError or *hybridcore.UsageError stays; of any other one
// it is not known whether it took effect.
type Dispatcher interface {
	// Head returns the full object ID of a branch's tip.
	Head(ctx context.Context, ref string) (string, error)
	// Find looks for the run of an order; false when there is none yet.
	Find(ctx context.Context, o Order) (Run, bool, error)
	// Dispatch asks for a run. An empty run with no error was taken, and is to
	// be found later.
	Dispatch(ctx context.Context, o Order) (Run, error)
}

// Progress is what a run has come to.
type Progress struct {
	Targets []Target
	Done    bool
	Outcome Outcome // when it is done
}

// Follower watches runs and ends them.
type Follower interface {
	Status(ctx context.Context, o Order, run Run) (Progress, error)
	Cancel(ctx context.Context, run Run) error
}

// LaterError says that a refusal passes, and when to ask again.
type LaterError struct {
	After time.Duration
	Err   error
}

func (e *LaterError) Error() string {
	return fmt.Sprintf("%v; trying again in %s", e.Err, e.After)
}

func (e *LaterError) Unwrap() error { return e.Err }

// RetryAfter is when to ask again.
func (e *LaterError) RetryAfter() time.Duration { return e.After }
