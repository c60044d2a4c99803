// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:15:40Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-strict-as-slack
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Limits of Slack.
const (
	triggerLife = 3 * time.Second
	replyLife   = 30 * time.Minute
	replyUses   = 5
	ackWait     = 3 * time.Second

	maxBody = 1 << 20

	appsOpen = "apps.connections.open" // the one method for app tokens
)

// Config is how a simulator is to be.
type Config struct {
	Token    string              // of the bot
	Scopes   []string            // of Token; nil: all that there are, see needs
	AppToken string              // for Socket Mode
	Secret   string              // that requests are signed with
	Team     string              // T…
	Channels []string            // C… that the bot is in
	Strange  []string            // C… that it is not in
	Users    []string            // U…
	Groups   map[string][]string // S… → users
	Now      func() time.Time    // nil: the system's clock
}

// workspace is what all parts of the simulator share.
type workspace struct {
	config Config
	url    string // of the simulator; empty until it serves

	mu         sync.Mutex    // of all that the parts hold, too
	changed    chan struct{} // closed when something came
	serial     int
	violations []string
}

// call is one call of the Web API.
type call struct {
	method string
	fields map[string]string // of a form, or of JSON, where what is no text is kept as JSON
}

// came has waiters look again. The caller holds the lock.
func (w *workspace) came() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *workspace) violate(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// next is an identifier that was not given before.
func (w *workspace) next() string {
	w.serial++
	return fmt.Sprintf("%d.%06d", w.config.Now().Unix(), w.serial)
}

// needs are the scopes that methods want: one of them.
var needs = map[string][]string{
	"chat.postMessage": {"chat:write"}, "chat.postEphemeral": {"chat:write"}, "chat.update": {"chat:write"},
	"conversations.history": {"channels:history", "groups:history"}, "usergroups.users.list": {"usergroups:read"},
}

// scopes are those of a call's token.
func (w *workspace) scopes(c call) []string {
	switch {
	case c.method == appsOpen:
		return []string{"connections:write"}
	case w.config.Scopes != nil:
		return w.config.Scopes
	default:
		return []string{"commands", "chat:write", "usergroups:read", "channels:history", "groups:history"}
	}
}

// away says why the bot cannot use a channel; empty when it can.
func (w *workspace) away(channel string) string {
	switch {
	case slices.Contains(w.config.Channels, channel):
		return ""
	case slices.Contains(w.config.Strange, channel):
		return "not_in_channel: " + channel
	default:
		return "channel_not_found: " + channel
	}
}

// From is who gives a command, and where.
type From struct {
	Channel string
	User    string
	Team    string // empty: the server's
}

func (w *workspace) team(f From) string {
	if f.Team != "" {
		return f.Team
	}
	return w.config.Team
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic("slack: a plain value does not encode: " + err.Error())
	}
	return text
}
