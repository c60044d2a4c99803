// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:59:25Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#parts

// Package door takes commands from Slack, over HTTP and over Socket Mode: it
// checks that they are Slack's, makes one line of text of them, has them stored,
// and acknowledges.
package door

import (
	"context"
	"time"
)

// Command is what somebody in Slack asks for. However it was given, it is one
// line of text for the shared grammar.
type Command struct {
	ID      string    `json:"id"` // of the request, given here; a run's ID
	At      time.Time `json:"at"`
	Door    string    `json:"door"` // http or socket
	Team    string    `json:"team"` // identifiers that Slack does not change
	Channel string    `json:"channel"`
	User    string    `json:"user"`
	Text    string    `json:"text"` // as typed, at most one byte over command.MaxBytes; empty asks for the form
	// Trigger opens the form, for three seconds. ReplyTo is an address for five
	// answers within 30 minutes; empty for the form's own answer.
	Trigger string `json:"trigger,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
}

// Accept stores a command durably under the key of its body, so that it is
// carried out once however often it comes.
type Accept func(ctx context.Context, key [32]byte, c Command) error
