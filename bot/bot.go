// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:15:42Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

// Package bot is the team's door in Slack: it takes commands, decides on them,
// has the CI system run them, and shows each run in the channel until it ends.
package bot

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/bot/work"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Bot decides on commands, and has its worker carry out those that it allows.
type Bot struct {
	Store   *store.Store
	Chat    *chat.Client
	Worker  *work.Worker         // see StartWorker
	Site    func() (Site, error) // what the project has now
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time

	// Plan says what a command means at a commit, for who approves it; nil: only
	// the names of its targets.
	Plan    func(ctx context.Context, commit string, cells []policy.Cell) policy.Plan
	State   func(context.Context, hybridcore.Request) (hybridcore.Answer, error) // see work.Options
	Tickets policy.Tickets
	Pace    time.Duration // see work.Options

	members members
}

// members remembers who is in a group, for a minute.
type members struct {
	mu     sync.Mutex
	groups map[string]membership
}

type membership struct {
	at    time.Time
	users map[string]bool
}

// StartWorker gives the bot a worker for a CI system that lists a run within the time
// given.
func (b *Bot) StartWorker(d cirun.Dispatcher, f cirun.Follower, ref string, delay time.Duration) {
	b.Worker = work.New(work.Options{
		Store: b.Store, Chat: b.Chat, Dispatcher: d, Follower: f, Ref: ref, ListDelay: delay,
		Decide: b.again, Audit: b.auditJob, Plan: b.Plan, State: b.State, Tickets: b.Tickets, Log: b.Log, Now: b.Now,
		Pace: b.Pace,
	})
}

// audit writes the line of a decision.
func (b *Bot) audit(c door.Command, verb string, cells []policy.Cell, d policy.Decision, more ...any) {
	result := "denied"
	if d.Allow {
		result = "allowed"
	}
	b.Metrics.Decisions.WithLabelValues(result).Inc()
	audit(b.Log, c, append([]any{"at", "intake", "verb", text.Cut(text.Sanitize(verb), 40)}, more...), cells, d)
}

// auditJob writes the line of a decision on a job, before a run is asked for.
func (b *Bot) auditJob(j jobs.Job, d policy.Decision) {
	audit(b.Log, j.Command, []any{"at", "dispatch", "verb", j.Request.Action, "commit", j.Commit}, j.Cells, d)
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
func (b *Bot) again(ctx context.Context, j jobs.Job) (d policy.Decision, open bool, err error) {
	site, err := b.Site()
	if err != nil {
		return policy.Decision{}, false, fmt.Errorf("reading the project: %w", err)
	}
	who, err := b.person(ctx, site.Bot, j.Person.Team, j.Person.Channel, j.Person.User)
	if err != nil {
		return policy.Decision{}, false, err
	}
	d = policy.Decide(policy.Snapshot{Bot: site.Bot, Person: who, Verb: permission(j.Request.Action), Cells: j.Cells})
	if !d.Allow || len(d.Need) == 0 {
		return d, false, nil
	}
	pending := j.Pending()
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
