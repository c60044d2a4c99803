// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:23:04Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// ticketsFolder holds an object for each ticket of the bot that a run has used.
const ticketsFolder = "tickets/"

const ticketSuffix = ".json"

// maxRun bounds the name of a CI system's run, in bytes.
const maxRun = 300

// usedTicket is who used a ticket, and until when that matters.
type usedTicket struct {
	Run   string    `json:"run"`
	Until time.Time `json:"until"`
}

// UseTicket notes that a run of the CI system uses the ticket of a request, which
// ends at a time. When another run has used it, that is a BlockedError and
// nothing is noted; the same run may use it again. Notes of tickets that have
// ended are removed.
func (s *Store) UseTicket(ctx context.Context, request, run string, until time.Time) error {
	if err := hybridcore.CheckName("request", request); err != nil {
		return err
	}
	if run == "" || len(run) > maxRun {
		return hybridcore.Usagef("%.80q does not name a run of a CI system", run)
	}
	name := ticketsFolder + request + ticketSuffix
	data, err := encode(usedTicket{run, until.UTC()})
	if err == nil {
		err = s.b.Put(ctx, name, data)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		err = s.usedBefore(ctx, request, name, run)
	case err == nil:
		s.forgetTickets(ctx)
	}
	return s.writeError("noting the ticket of "+request, err)
}

// usedBefore refuses a ticket that a run has used, unless it was the same run.
func (s *Store) usedBefore(ctx context.Context, request, name, run string) error {
	before, err := s.usedTicket(ctx, name)
	switch {
	case err != nil:
		return err
	case before.Run != run:
		return hybridcore.Blockedf("the ticket of request %s was used by another run, %s: it is for one run; ask again "+
			"in Slack", request, before.Run)
	default:
		return nil
	}
}

// usedTicket reads who used a ticket.
func (s *Store) usedTicket(ctx context.Context, name string) (usedTicket, error) {
	var use usedTicket
	data, err := s.b.Get(ctx, name)
	if err != nil {
		return use, s.unreadable(name, err)
	}
	if err := decode(data, &use); err != nil || use.Run == "" {
		return use, s.refuse(name, fmt.Errorf("it does not say which run used the ticket: %w",
			errors.Join(err, FormError("it is damaged"))), "ask again in Slack, for a new ticket")
	}
	return use, nil
}

// forgetTickets removes the notes of tickets that have ended, and cannot be used
// in any case. What cannot be removed is tried again with the next ticket.
func (s *Store) forgetTickets(ctx context.Context) {
	now := s.now()
	for name, err := range s.b.List(ctx, ticketsFolder) {
		if err != nil {
			return
		}
		if use, err := s.usedTicket(ctx, name); err == nil && now.After(use.Until) {
			_ = s.b.Delete(ctx, name)
		}
	}
}
