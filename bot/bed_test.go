// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:24:03Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

const (
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	secret  = "signing-secret-1"
)

const project = `project {
  name                = "x"
  default_environment = "lab"
}
environment "lab" {}
environment "prod" {
  prod      = true
  platforms = ["vsphere"]
}
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  rate     = 20
  role "developer" {
    users  = ["U0001"]
    groups = ["S0001"]
    allow {
      verbs        = ["build", "plan", "status", "runs", "retry", "cancel"]
      environments = ["lab"]
    }
  }
  role "operator" {
    users = ["U0002", "U0003"]
    allow {
      verbs        = ["*"]
      environments = ["*"]
    }
  }
  approval {
    verbs        = ["build"]
    environments = ["prod"]
    roles        = ["operator"]
  }
}
`

// ci is a CI system that remembers what it was asked for.
type ci struct {
	mu       sync.Mutex
	head     string
	orders   []cirun.Order
	answer   func(n int) error // to dispatch number n; nil: takes them
	lost     bool              // whether an error comes after the run was made
	cancels  []cirun.Run
	hidden   int // finds that see nothing
	headFail error
	status   func() (cirun.Progress, error) // nil: it runs
}

func (c *ci) Head(context.Context, string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.head, c.headFail
}

func (c *ci) Find(_ context.Context, o cirun.Order) (cirun.Run, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hidden > 0 {
		c.hidden--
		return cirun.Run{}, false, nil
	}
	for _, known := range c.orders {
		if known.Request == o.Request {
			return run(o), true, nil
		}
	}
	return cirun.Run{}, false, nil
}

func (c *ci) Dispatch(_ context.Context, o cirun.Order) (cirun.Run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.answer != nil {
		err = c.answer(len(c.orders))
	}
	if err == nil || c.lost {
		c.orders = append(c.orders, o)
	}
	return run(o), err
}

func (c *ci) Status(context.Context, cirun.Order, cirun.Run) (cirun.Progress, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != nil {
		return c.status()
	}
	return cirun.Progress{}, nil
}

func (c *ci) Cancel(_ context.Context, r cirun.Run) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancels = append(c.cancels, r)
	return nil
}

func (c *ci) taken() []cirun.Order {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]cirun.Order{}, c.orders...)
}

func (c *ci) set(change func(*ci)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func run(o cirun.Order) cirun.Run {
	return cirun.Run{ID: "run-" + o.Request, URL: "https://ci.example/" + o.Request}
}

// journal is a log that can be read while it is written.
type journal struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed with the next line
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
	return j.text.Write(p)
}

// wait waits until the log's lines with a message are as they should be.
func (j *journal) wait(t *testing.T, message string, holds func([]map[string]any) bool) []map[string]any {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		j.mu.Lock()
		if j.changed == nil {
			j.changed = make(chan struct{})
		}
		changed := j.changed
		j.mu.Unlock()
		lines := j.lines(t, message)
		if holds(lines) {
			return lines
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("the log does not say what it should; it has %v", lines)
		}
	}
}

// lines are the log's lines with a message.
func (j *journal) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(j.text.String()) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("a line of the log is no JSON: %v: %s", err, line)
		}
		if one["msg"] == message {
			found = append(found, one)
		}
	}
	return found
}

// bed is a bot with a Slack and a CI system.
type bed struct {
	state func(context.Context, hybridcore.Request) (hybridcore.Answer, error) // see bot.Bot
	t     *testing.T
	slack *slack.Server
	ci    *ci
	log   *journal
	door  string
	admin string
	api   string // of something before Slack; empty: Slack's
	store *store.Store
	dir   string
	keys  policy.Keys

	mu      sync.Mutex
	project string
	stop    func()
	later   time.Duration // that the bot's clock is ahead
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, ci: &ci{head: commitA}, log: &journal{}, project: project, dir: t.TempDir()}
	var err error
	if b.keys, err = policy.ParseKeys(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))); err != nil {
		t.Fatal(err)
	}
	b.slack, err = slack.Start(t.Context(), slack.Config{
		Token: "xoxb-1", AppToken: "xapp-1", Secret: secret, Team: "T0001", Channels: []string{"C0001", "C0002"},
		Users: []string{"U0001", "U0002", "U0003", "U0004", "U0009"}, Groups: map[string][]string{"S0001": {"U0004"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.slack.Close() })
	return b
}

func (b *bed) site() (bot.Site, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := config.LoadFS(fstest.MapFS{config.FileName: {Data: []byte(b.project)}})
	image := func(name string) hybridcore.Image {
		return hybridcore.Image{
			Name: name, Title: "A " + name,
			Platforms: []hybridcore.Platform{"proxmox", "vsphere", "azure"},
		}
	}
	return bot.Site{
		Bot: p.Bot, Environments: p.Environments, DefaultEnv: p.DefaultEnv,
		Images: []hybridcore.Image{image("debian-12"), image("ubuntu-24.04")},
	}, err
}

// start starts a bot; it is stopped at the end of the test, or by stop.
func (b *bed) start(socket bool) {
	b.t.Helper()
	var err error
	b.store, err = store.Open(b.t.Context(), store.Options{Dir: b.dir})
	if err != nil {
		b.t.Fatal(err)
	}
	listen := func() net.Listener {
		l, err := new(net.ListenConfig).Listen(b.t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			b.t.Fatal(err)
		}
		return l
	}
	ahead := b.later
	service := bot.Service{
		Secret: secret, Admin: listen(), Socket: socket, Grace: 10 * time.Second,
		Bot: &bot.Bot{
			Store: b.store, Chat: chat.New("xoxb-1", "xapp-1", cmp.Or(b.api, b.slack.API())), Site: b.site,
			Log: slog.New(slog.NewJSONHandler(b.log, nil)), Metrics: bot.NewMetrics(b.store),
			Now: func() time.Time { return time.Now().Add(ahead) },
		},
	}
	service.Bot.Tickets = policy.Tickets{
		Keys:     b.keys,
		Audience: policy.Audience{System: "test", Repository: "o/r", File: "images.yml"},
	}
	service.Bot.State = b.state
	service.Bot.StartWorker(b.ci, b.ci, "main", 3*time.Second)
	if !socket {
		service.Door = listen()
		b.door = "http://" + service.Door.Addr().String() + bot.DoorPath
	}
	b.admin = "http://" + service.Admin.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	done := make(chan error, 1)
	go func() { done <- bot.Serve(ctx, service) }()
	var once sync.Once
	b.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				b.t.Error(err)
			}
			if err := b.store.Close(); err != nil {
				b.t.Error(err)
			}
		})
	}
	b.t.Cleanup(b.stop)
}

func from(user string) slack.From { return slack.From{Channel: "C0001", User: user} }

// say sends a slash command, which must be acknowledged.
func (b *bed) say(user, text string) {
	b.t.Helper()
	b.ask(from(user), text)
}

// ask sends a slash command through the door that the bot was started with.
func (b *bed) ask(f slack.From, text string) {
	b.t.Helper()
	if b.door == "" {
		if err := b.slack.Deliver(b.t.Context(), b.slack.SlashEnvelope(f, text)); err != nil {
			b.t.Fatalf("%q: %v", text, err)
		}
		return
	}
	status, body, err := b.slack.Slash(b.t.Context(), b.door, f, text)
	if err != nil || status != 200 || body != "" {
		b.t.Fatalf("%q was answered %d %q, %v", text, status, body, err)
	}
}

// throughBoth runs a test of commands with a bot for each door.
func throughBoth(t *testing.T, test func(*testing.T, *bed)) {
	t.Helper()
	t.Parallel()
	for name, socket := range map[string]bool{"HTTP": false, "Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.start(socket)
			test(t, b)
		})
	}
}

// press presses a button, which must be acknowledged.
func (b *bed) press(user, action, value string) {
	b.t.Helper()
	status, body, err := b.slack.Press(b.t.Context(), b.door, from(user), action, value)
	if err != nil || status != 200 || body != "" {
		b.t.Fatalf("the button %s was answered %d %q, %v", action, status, body, err)
	}
}

// seen waits for a message, of which each part must be in its text or blocks.
func (b *bed) seen(parts ...string) slack.Message {
	b.t.Helper()
	var found slack.Message
	b.wait(strings.Join(parts, " + "), func(all []slack.Message, _ []slack.View) bool {
		for _, m := range all {
			if containsAll(m.Shown(), parts) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func (b *bed) wait(what string, holds func([]slack.Message, []slack.View) bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	if err := b.slack.Wait(ctx, holds); err != nil {
		var all []string
		for _, m := range b.slack.Messages() {
			all = append(all, fmt.Sprintf("%s %s %q %s", m.Method, m.TS, m.Text, m.Blocks))
		}
		b.t.Fatalf("%s: %v; messages:\n%s\nviolations: %q\nlog:\n%s", what, err, strings.Join(all, "\n"),
			b.slack.Violations(), b.log.text.String())
	}
}

// clean says that Slack had nothing to refuse, and that nobody was pinged.
func (b *bed) clean() {
	b.t.Helper()
	if v := b.slack.Violations(); len(v) > 0 {
		b.t.Errorf("Slack refused: %q", v)
	}
	for _, m := range b.slack.Messages() {
		if len(m.Pings) > 0 {
			b.t.Errorf("a message pings or links %q: %s", m.Pings, m.Shown())
		}
	}
}
