// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:15:42Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

// Package bot is the team's door in Slack: it takes commands, decides on them,
// has the CI system run them, and shows each run in the channel until it ends.
package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// StartWorker gives the bot a worker for a CI system that lists a run within the time
// given.
func (b *Bot) StartWorker(d Dispatcher, f Follower, ref string, delay time.Duration) {
	b.Worker = &Worker{
		Store: b.Store, Slack: b.Chat.API, Dispatcher: d, Follower: f, Ref: ref, ListDelay: delay, Decide: b.again,
		Log: b.Log, Now: b.Now, Plan: b.Plan, State: b.State, Tickets: b.Tickets, Answers: b.Chat.hook,
	}
}

// ephemeral is an answer for one user on its way.
type ephemeral struct {
	To   door.Command `json:"to"`
	Text string       `json:"text"`
}

// Accept stores a command; it is the doors' part of the store.
func (b *Bot) Accept(ctx context.Context, key [32]byte, c door.Command) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding a command: %w", err)
	}
	repeated, err := b.Store.Accept(ctx, key, body)
	if repeated {
		b.audit(c, "", nil, policy.Decision{Rule: "once", Why: "the same request was accepted before"})
	}
	return err
}

// Work works all queues off until the context ends, then finishes what was
// begun.
func (b *Bot) Work(ctx context.Context) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { b.Store.Work(ctx, store.Intake, b.intake, b.failed) })
		all.Go(func() { b.Store.Work(ctx, QueueEphemeral, b.ephemeral, b.failed) })
	}
	all.Go(func() { b.Worker.Run(ctx) })
	all.Go(func() { b.prune(ctx) })
	all.Wait()
}

// failed logs what goes wrong in a step, which is then tried again.
func (b *Bot) failed(task store.Task, err error) {
	b.Metrics.Failures.WithLabelValues(task.Queue).Inc()
	b.Log.Warn("trying again", append([]any{"queue", task.Queue, "try", task.Try, "error", err}, stack(err)...)...)
}

// Jobs that have ended are kept for this long.
const kept = 90 * 24 * time.Hour

// prune forgets what is old, each hour.
func (b *Bot) prune(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		states := make([]string, 0, len(finals))
		for _, state := range finals {
			states = append(states, string(state))
		}
		err := hybridcore.Contain(func() error { return b.Store.Prune(context.WithoutCancel(ctx), kept, states...) })
		if err != nil {
			b.Log.Warn("old entries not removed", append([]any{"error", err}, stack(err)...)...)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// audit writes the line of a decision.
func (b *Bot) audit(c door.Command, verb string, cells []policy.Cell, d policy.Decision, more ...any) {
	result := "denied"
	if d.Allow {
		result = "allowed"
	}
	b.Metrics.Decisions.WithLabelValues(result).Inc()
	audit(b.Log, c, append([]any{"at", "intake", "verb", plain(verb, 40)}, more...), cells, d)
}

// audit writes the line of a decision, in the form that all of them have.
func audit(log *slog.Logger, c door.Command, more []any, cells []policy.Cell, d policy.Decision) {
	env := ""
	names := make([]string, 0, len(cells))
	for _, cell := range cells {
		env = cell.Env
		names = append(names, hybridcore.TargetName(cell.Image, cell.Platform))
	}
	log.Info("decision", append([]any{
		"request", c.ID, "door", c.Door, "team", c.Team, "channel", c.Channel, "user", c.User,
		"env", env, "targets", strings.Join(names, ","), "allow", d.Allow, "rule", d.Rule, "why", d.Why,
	}, more...)...)
}

// again decides on a job once more, and says whether a rule is open: each
// approval is by somebody who may give it now.
func (b *Bot) again(ctx context.Context, j Job) (d policy.Decision, open bool, err error) {
	site, err := b.Site()
	if err != nil {
		return policy.Decision{}, false, fmt.Errorf("reading the project: %w", err)
	}
	who, err := b.person(ctx, site.Bot, j.Person.Team, j.Person.Channel, j.Person.User)
	if err != nil {
		return policy.Decision{}, false, err
	}
	d = policy.Decide(policy.Snapshot{Bot: site.Bot, Person: who, Verb: string(j.Request.Action), Cells: j.Cells})
	if !d.Allow || len(d.Need) == 0 {
		return d, false, nil
	}
	pending := j.pending()
	pending.Requester, pending.Needs = who, d.Need
	for i, given := range pending.Given {
		if pending.Given[i].By, err = b.person(ctx, site.Bot, given.By.Team, given.By.Channel, given.By.User); err != nil {
			return policy.Decision{}, false, err
		}
	}
	return d, j.Plan == nil || len(pending.Missing(site.Bot)) > 0, nil
}

// fresh is how long a group's members are taken as known.
const fresh = time.Minute

// person is who gave a command, with the groups that the policy names.
func (b *Bot) person(ctx context.Context, bot config.Bot, team, channel, user string) (policy.Person, error) {
	p := policy.Person{Team: team, Channel: channel, User: user}
	if !slices.Contains(bot.Teams, team) || !slices.Contains(bot.Channels, channel) {
		return p, nil // denied whatever their groups
	}
	asked := map[string]bool{}
	for _, role := range bot.Roles {
		for _, group := range role.Groups {
			if asked[group] {
				continue
			}
			asked[group] = true
			users, err := b.groupOf(ctx, team, group)
			if err != nil {
				return p, err
			}
			if users[user] {
				p.Groups = append(p.Groups, group)
			}
		}
	}
	return p, nil
}

func (b *Bot) groupOf(ctx context.Context, team, group string) (map[string]bool, error) {
	key := team + " " + group
	b.members.mu.Lock()
	known, ok := b.members.groups[key]
	b.members.mu.Unlock()
	if ok && b.Now().Sub(known.at) < fresh {
		return known.users, nil
	}
	list, err := b.Chat.Members(ctx, team, group)
	if err != nil {
		return nil, err
	}
	known = membership{b.Now(), map[string]bool{}}
	for _, user := range list {
		known.users[user] = true
	}
	b.members.mu.Lock()
	defer b.members.mu.Unlock()
	if b.members.groups == nil || len(b.members.groups) > 1000 {
		b.members.groups = map[string]membership{}
	}
	b.members.groups[key] = known
	return known.users, nil
}
