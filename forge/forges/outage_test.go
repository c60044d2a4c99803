// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:55:52Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package forges_test

import (
	"context"
	"flag"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot"
	gh "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

var outage = flag.Duration("outage", 4*time.Second,
	"how long GitHub answers 502 in TestOutages; make test-nightly has it do so for a minute")

// TestOutages has a GitHub that fails, and a user of Slack who sees that the
// command is queued and why, then the run and its end. There is one run.
func TestOutages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		until time.Duration // that the rules hold; 0: as they say
		note  string        // of Queued
		least time.Duration // from Queued with a note to Running
	}{
		"502 for a while":                      {"* /** status=502", *outage, "502", *outage - 2*time.Second},
		"502 to the dispatch, and it was done": {"POST /** nth=1 status=502 after", 0, "502", 0},
		"secondary limit": {
			`POST /** nth=1 status=403 header="Retry-After: 3"`, 0,
			"secondary rate limit", 3 * time.Second,
		},
		"secondary limit on the branch": {
			`GET /repos/o/r/git/** nth=1 status=403 header="Retry-After: 3"`, 0,
			"secondary rate limit", 3 * time.Second,
		},
		"hangs": {
			"GET /repos/o/r/git/** nth=1 delay=1m\nPOST /** nth=1 delay=1m", 0,
			"context deadline exceeded", time.Second,
		},
		"hangs after it was done": {"POST /** nth=1 drop after", 0, "EOF", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, chat := hub(t, c.rules, nil), chatSim(t)
			ctx, end := context.WithCancel(t.Context())
			defer end()
			system := onGitHub(t, hub, func(g *gh.RunsConfig) { g.Timeout = time.Second })
			b, err := newBot(ctx, t.TempDir(), chat.API(), system, t.Output())
			if err != nil {
				t.Fatal(err)
			}
			defer b.Store.Close()
			admin, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			all.Go(func() { drive(ctx, hub) })
			all.Go(func() {
				if err := bot.Serve(ctx, bot.Service{Bot: b, Socket: true, Admin: admin, Grace: 5 * time.Second}); err != nil {
					t.Error(err)
				}
			})
			defer all.Wait()
			defer end()
			if c.until > 0 {
				time.AfterFunc(c.until, hub.Faults().Clear)
			}
			if err := chat.Deliver(ctx,
				chat.SlashEnvelope(slack.From{Channel: "C0001", User: "U0001"}, "plan debian-12")); err != nil {
				t.Fatal(err)
			}
			late, stop := context.WithTimeout(ctx, c.until+time.Minute)
			defer stop()
			var shown []slack.Message
			err = chat.Wait(late, func(messages []slack.Message, _ []slack.View) bool {
				shown = messages
				return len(messages) > 0 && strings.Contains(messages[len(messages)-1].Shown(), "Done: ")
			})
			if err != nil {
				t.Error(err)
			}
			outlived(t, shown, c.note, c.least)
			if n := len(hub.Runs()); n != 1 {
				t.Errorf("%d runs", n)
			}
		})
	}
}

// outlived fails unless there is one message, which showed Queued with the note,
// and Running so much later.
func outlived(t *testing.T, shown []slack.Message, note string, least time.Duration) {
	t.Helper()
	var noted, running time.Time
	var all []string
	for _, m := range shown {
		text := m.Shown()
		all = append(all, text)
		if noted.IsZero() && strings.Contains(text, "Queued: ") && strings.Contains(text, note) {
			noted = m.At
		}
		if running.IsZero() && strings.Contains(text, "Running") {
			running = m.At
		}
		if m.TS != shown[0].TS {
			t.Error("there are two messages")
		}
	}
	// A message is edited once a second: the reason is shown that much after the pause has begun.
	if noted.IsZero() || running.IsZero() || running.Sub(noted) < least-time.Second {
		t.Errorf("queued with the reason %s, running %s after it, want at least %s:\n%s", noted, running.Sub(noted), least,
			strings.Join(all, "\n"))
	}
}
