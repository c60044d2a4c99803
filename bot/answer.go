// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:18:07Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Tries of an answer to one user, who hardly waits for it longer.
const ephemeralTries = 8

// ephemeral is an answer for one user on its way.
type ephemeral struct {
	To   door.Command `json:"to"`
	Text string       `json:"text"`
}

// ephemeral answers one user.
func (b *Bot) ephemeral(ctx context.Context, task store.Task) error {
	var w ephemeral
	if err := json.Unmarshal(task.Body, &w); err != nil {
		b.Log.Error("answer not read", "error", err)
		return nil
	}
	err := b.Chat.Ephemeral(ctx, w.To, w.Text, b.Now())
	if err != nil && (chat.Given(err) || task.Try >= ephemeralTries) {
		b.Log.Error("answer not given", "request", w.To.ID, "user", w.To.User, "error", err)
		return nil
	}
	return err
}

// named is the job that a command names, when it is one of the command's channel.
func (b *Bot) named(ctx context.Context, r received) (jobs.Job, error) {
	j, ok, err := jobs.Get(ctx, b.Store, r.ask.run)
	if err != nil {
		return jobs.Job{}, err
	}
	if !ok || j.Command.Channel != r.Channel || j.Command.Team != r.Team {
		return jobs.Job{}, hybridcore.Usagef("no run %s of this channel is known", r.ask.run)
	}
	return j, nil
}

// cancelRun has a run end, for somebody who may.
func (b *Bot) cancelRun(ctx context.Context, r received) error {
	j, err := b.named(ctx, r)
	if err != nil {
		return b.misusedOr(ctx, r, err)
	}
	d := policy.Decide(r.snapshot(verbCancel, j.Cells))
	if !d.Allow {
		return b.refuse(ctx, r, j.Cells, d)
	}
	said, err := b.Worker.Cancel(ctx, j.Command.ID, r.who)
	if err != nil {
		return b.misusedOr(ctx, r, err)
	}
	b.audit(r.Command, verbCancel, j.Cells, d, "job", j.Command.ID)
	return b.tell(ctx, r, said)
}

// approve takes an approval of the commit and the plan that a job's message shows.
func (b *Bot) approve(ctx context.Context, r received) error {
	j, err := b.named(ctx, r)
	if err != nil {
		return b.misusedOr(ctx, r, err)
	}
	d, err := b.Worker.Approve(ctx, j.Command.ID, policy.Seen{Commit: r.ask.commit, Plan: r.ask.plan}, r.snapshot("", nil))
	if err != nil {
		return b.misusedOr(ctx, r, err)
	}
	b.audit(r.Command, verbApprove, j.Cells, d, "job", j.Command.ID, "commit", r.ask.commit, "plan", r.ask.plan)
	if !d.Allow {
		return b.tell(ctx, r, "Denied: "+d.Why+".")
	}
	return nil
}

// misusedOr tells a user what is wrong with a command; another error is given
// back, so that it is tried again.
func (b *Bot) misusedOr(ctx context.Context, r received, err error) error {
	if _, usage := errors.AsType[*hybridcore.UsageError](err); usage {
		return b.misused(ctx, r, err)
	}
	return err
}

// refuse tells a user why they may not. A workspace that the policy does not
// know hears nothing, and who sends too much hears it once.
func (b *Bot) refuse(ctx context.Context, r received, cells []policy.Cell, d policy.Decision) error {
	b.audit(r.Command, r.ask.verb, cells, d)
	if !slices.Contains(r.site.Bot.Teams, r.Team) || r.recent > r.site.Bot.Rate {
		return nil
	}
	return b.tell(ctx, r, "Denied: "+d.Why+".")
}

// misused tells a user the nearest correct command.
func (b *Bot) misused(ctx context.Context, r received, err error) error {
	b.Log.Info("wrong usage", "request", r.ID, "user", r.User, "error", err)
	why, nearest := text.Sanitize(err.Error()), text.Sanitize(menu().Nearest(r.Text))
	return b.tell(ctx, r, text.Cut(why, 1200)+"\n\n"+text.Cut(nearest, 1500))
}

// tell finishes a command with an answer for its user alone.
func (b *Bot) tell(ctx context.Context, r received, text string) error {
	body, err := json.Marshal(ephemeral{r.Command, text})
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	return b.Store.Change(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Send(QueueEphemeral, body, 0), tx.Finish(r.task))
	})
}
