// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:18:07Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// unknownGroups is how long a command waits for Slack to say who is in a group.
const unknownGroups = 10 * time.Minute

// intake decides on an accepted command: it is answered, denied, or becomes a
// job.
func (b *Bot) intake(ctx context.Context, task store.Task) error {
	r := received{task: task}
	if err := json.Unmarshal(task.Body, &r.Command); err != nil {
		b.Log.Error("command not read", "error", err)
		return nil // it was written by another version; it cannot be answered
	}
	var err error
	if r.site, err = b.Site(); err != nil {
		return fmt.Errorf("reading the project: %w", err)
	}
	if r.who, err = b.person(ctx, r.site.Bot, r.Team, r.Channel, r.User); err != nil {
		if b.Now().Sub(r.At) < unknownGroups {
			return err
		}
		d := policy.Decision{Rule: "groups", Why: "Slack does not say who is in a group of the policy; try again later"}
		b.audit(r.Command, "", nil, d)
		return b.tell(ctx, r, d.Why)
	}
	if slices.Contains(r.site.Bot.Teams, r.Team) { // others are denied in any case
		if r.recent, err = b.Store.Recent(ctx, r.Team+" "+r.User, r.ID, r.At); err != nil {
			return err
		}
	}
	r.ask, r.wrong = understand(r.Text)
	if gate := policy.Decide(r.snapshot("", nil)); !gate.Allow {
		return b.refuse(ctx, r, nil, gate)
	}
	switch {
	case r.Text == "":
		return b.open(ctx, r)
	case r.wrong != nil:
		return b.misused(ctx, r, r.wrong)
	}
	return b.obey(ctx, r)
}

// obey does what an understood command asks for.
func (b *Bot) obey(ctx context.Context, r received) error {
	switch r.ask.verb {
	case verbHelp:
		return b.tell(ctx, r, menu().Help())
	case verbInspect: // which targets the record is about is known when it is read
		request := hybridcore.Request{Action: hybridcore.ActionInspect, Record: r.ask.run}
		return b.decide(ctx, r, request, nil, strings.TrimSpace(verbInspect+" "+r.ask.run))
	case verbRuns:
		return b.runs(ctx, r)
	case verbCancel:
		return b.cancelRun(ctx, r)
	case verbApprove:
		return b.approve(ctx, r)
	case verbRetry:
		return b.retry(ctx, r)
	}
	request, cells, line, err := r.site.complete(r.Text, r.ask.request)
	if err != nil {
		return b.misused(ctx, r, err)
	}
	return b.decide(ctx, r, request, cells, line)
}

// decide makes a job of a command of the shared grammar, if it may.
func (b *Bot) decide(ctx context.Context, r received, request hybridcore.Request, cells []policy.Cell,
	line string,
) error {
	d := policy.Decide(r.snapshot(permission(request.Action), cells))
	if !d.Allow {
		return b.refuse(ctx, r, cells, d)
	}
	j := jobs.Job{
		Command: r.Command, Request: request, Line: line, Cells: cells, State: jobs.Queued, Person: r.who, Decision: d,
	}
	j.Command.Trigger = ""
	err := b.Store.Change(ctx, func(tx *store.Tx) error {
		if _, taken, err := tx.Get(j.Command.ID); err != nil {
			return err
		} else if taken { // 20 random bits a millisecond: rare, and must not end another one's job
			j.Command.ID = hybridcore.NewRunID(b.Now())
		}
		if err := join(tx, &j); err != nil {
			return err
		}
		return errors.Join(jobs.Enqueue(tx, &j), tx.Finish(r.task))
	})
	if err != nil {
		return err
	}
	more := []any{"job", j.Command.ID, "line", j.Line}
	if j.Joined != "" {
		more = append(more, "joined", j.Joined)
	}
	b.audit(r.Command, string(request.Action), cells, d, more...)
	return nil
}

// join makes a job one with an equal one that waits, if there is one.
func join(tx *store.Tx, j *jobs.Job) error {
	if !j.Exclusive() {
		return nil
	}
	for _, state := range []jobs.State{jobs.Queued, jobs.Awaiting} {
		waiting, err := jobs.In(tx, state)
		if err != nil {
			return err
		}
		for _, other := range waiting {
			if other.Line == j.Line && slices.Equal(other.Cells, j.Cells) && other.Stop == nil {
				j.State, j.Joined = jobs.Joined, other.Command.ID
				return nil
			}
		}
	}
	return nil
}

// open opens the form, or shows the help when it is too late for that.
func (b *Bot) open(ctx context.Context, r received) error {
	if r.Trigger != "" {
		err := b.Chat.Open(ctx, r.Trigger, form(r.site, r.Channel))
		if err == nil {
			return nil
		}
		b.Log.Info("form not opened", "request", r.ID, "user", r.User, "error", err)
	}
	return b.tell(ctx, r, menu().Help())
}

// runs lists the latest jobs of the channel, of environments that the user may see.
func (b *Bot) runs(ctx context.Context, r received) error {
	d := policy.Decide(r.snapshot(verbRuns, nil))
	if !d.Allow {
		return b.refuse(ctx, r, nil, d)
	}
	b.audit(r.Command, verbRuns, nil, d)
	latest, err := b.latest(ctx, r)
	if err != nil {
		return err
	}
	var lines []string
	for _, j := range latest[:min(len(latest), 10)] {
		lines = append(lines, fmt.Sprintf("%s  %s  %s: %s", j.Command.ID, j.Person.User, text.Cut(text.Line(j.Line), 100),
			text.Cut(text.Line(state(j)), 150)))
	}
	if len(lines) == 0 {
		lines = []string{"No commands of this channel are known."}
	}
	return b.tell(ctx, r, strings.Join(lines, "\n"))
}

// latest are jobs of the command's channel that its user may list, newest first.
func (b *Bot) latest(ctx context.Context, r received) ([]jobs.Job, error) {
	all, err := jobs.Latest(ctx, b.Store, 200)
	if err != nil {
		return nil, err
	}
	var mine []jobs.Job
	for _, j := range all {
		if j.Command.Channel == r.Channel && j.Command.Team == r.Team && policy.Decide(r.snapshot(verbRuns, j.Cells)).Allow {
			mine = append(mine, j)
		}
	}
	return mine, nil
}

// retry asks for the same again: what the named run was asked for, or the last
// one of the channel that failed. Targets that were built are unchanged then.
func (b *Bot) retry(ctx context.Context, r received) error {
	var of jobs.Job
	if r.ask.run == "" {
		latest, err := b.latest(ctx, r)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(latest, jobs.Job.Retryable)
		if at < 0 {
			return b.misused(ctx, r, hybridcore.Usagef("no command of this channel that failed is known; name a run"))
		}
		of = latest[at]
	} else {
		var err error
		if of, err = b.named(ctx, r); err != nil {
			return b.misusedOr(ctx, r, err)
		}
		if !of.Retryable() {
			return b.misused(ctx, r, hybridcore.Usagef("run %s has not failed", of.Command.ID))
		}
	}
	if d := policy.Decide(r.snapshot(verbRetry, of.Cells)); !d.Allow {
		return b.refuse(ctx, r, of.Cells, d)
	}
	return b.decide(ctx, r, of.Request, of.Cells, of.Line)
}

// state is where a job is, in one line.
func state(j jobs.Job) string {
	status, said := chat.Headline(j)
	if said != "" {
		return status + ": " + said
	}
	return status
}
