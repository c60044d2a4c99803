// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

package bot

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Bot decides on commands, and has its worker carry out those that it allows.
type Bot struct {
	Store   *store.Store
	Chat    *Chat
	Worker  *Worker              // see StartWorker
	Site    func() (Site, error) // what the project has now
	Log     *slog.Logger
	Metrics *Metrics
	Now     func() time.Time

	// Plan says what a command means at a commit, for who approves it; nil: only
	// the names of its targets.
	Plan    func(ctx context.Context, commit string, cells []policy.Cell) policy.Plan
	State   func(context.Context, hybridcore.Request) (hybridcore.Answer, error) // see Worker
	Tickets Tickets

	members members
}

// Tickets are how decisions travel to jobs.
type Tickets struct {
	Keys     policy.Keys
	Audience policy.Audience
}

// Worker takes jobs from the queue to their end.
type Worker struct {
	Store      *store.Store
	Slack      *slack.Client
	Dispatcher Dispatcher
	Follower   Follower
	Ref        string // branch that runs are for
	// ListDelay is how long the CI system may take to list a run that it took, so
	// that an answer which was lost is not taken for a refusal.
	ListDelay time.Duration
	// Decide decides on a job again, now, and says whether a rule that wants an
	// approval is open. An error means to ask later.
	Decide func(context.Context, Job) (d policy.Decision, open bool, err error)
	Plan   func(ctx context.Context, commit string, cells []policy.Cell) policy.Plan // nil: only the names of its targets
	// State answers a request that needs the state only; nil: the bot cannot read the state that runs write.
	State   func(context.Context, hybridcore.Request) (hybridcore.Answer, error)
	Tickets Tickets
	Answers func(address string) bool // whether an address for answers may be used; nil: when it is Slack's
	Log     *slog.Logger
	Now     func() time.Time // nil: the system's clock
	Pace    time.Duration    // between two messages in a channel; 0: a second, as Slack asks

	// pause makes the pauses of a test shorter; nil: they are as long as they are.
	pause func(time.Duration) time.Duration

	busy  keys
	paced pacer
}

// received is a command with all that decides about it.
type received struct {
	door.Command

	task   store.Task
	site   Site
	who    policy.Person
	recent int
	ask    ask
	wrong  error // what is wrong with the usage
}

// snapshot is what the policy decides on.
func (r received) snapshot(verb string, cells []policy.Cell) policy.Snapshot {
	return policy.Snapshot{Bot: r.site.Bot, Person: r.who, Recent: r.recent, Verb: verb, Cells: cells}
}

// pacer keeps the messages of a channel apart. Its clock is the real one, as
// Slack's is.
type pacer struct {
	mu   sync.Mutex
	next map[string]time.Time // of a channel
	held time.Time            // of all
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

// stack is the stack of a panic, for the log.
func stack(err error) []any {
	if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok {
		return []any{"stack", panicked.Stack}
	}
	return nil
}
