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
	"path"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// ticketsDir holds a file for each ticket of the bot that a run has used.
const ticketsDir = "tickets"

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
func (d *Dir) UseTicket(ctx context.Context, request, run string, until time.Time) error {
	if err := hybridcore.CheckName("request", request); err != nil {
		return err
	}
	if run == "" || len(run) > maxRun {
		return hybridcore.Usagef("%.80q does not name a run of a CI system", run)
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return d.writeError("noting the ticket of "+request, d.useTicket(request, usedTicket{run, until.UTC()}))
}

func (d *Dir) useTicket(request string, use usedTicket) error {
	name := path.Join(ticketsDir, request+ticketSuffix)
	before, err := d.usedTicket(name)
	switch {
	case err != nil:
		return err
	case before == nil:
	case before.Run == use.Run:
		return nil
	default:
		return hybridcore.Blockedf("the ticket of request %s was used by another run, %s: it is for one run; ask again "+
			"in Slack", request, before.Run)
	}
	data, err := encode(use)
	if err != nil {
		return err
	}
	if err := d.mkdir(ticketsDir); err != nil {
		return err
	}
	if err := d.place(newTemp(), name, data); err != nil {
		return err
	}
	if err := d.syncDir(ticketsDir); err != nil {
		return errors.Join(err, d.root.Remove(name))
	}
	d.forgetTickets()
	return nil
}

// usedTicket reads who used a ticket; nil when nobody has.
func (d *Dir) usedTicket(name string) (*usedTicket, error) {
	data, err := d.readFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nobody has used it
	}
	if err != nil {
		return nil, d.unreadable(name, err)
	}
	var use usedTicket
	if err := decode(data, &use); err != nil || use.Run == "" {
		return nil, d.refuse(name, fmt.Errorf("it does not say which run used the ticket: %w",
			errors.Join(err, errForm("it is damaged"))), "ask again in Slack, for a new ticket")
	}
	return &use, nil
}

// forgetTickets removes the notes of tickets that have ended, and cannot be used
// in any case. What cannot be removed is tried again with the next ticket.
func (d *Dir) forgetTickets() {
	entries, err := fs.ReadDir(d.root.FS(), ticketsDir)
	if err != nil {
		return
	}
	now := d.now()
	for _, e := range entries {
		name := path.Join(ticketsDir, e.Name())
		if use, err := d.usedTicket(name); err == nil && use != nil && now.After(use.Until) {
			_ = d.root.Remove(name)
		}
	}
}
