// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:04Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-strict-as-slack
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

// Package slack simulates the part of Slack that the bot talks to: the Web API,
// answers by response_url, Socket Mode, and the sending of signed commands.
package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
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

// Message is a message or an edit of one, as it came.
type Message struct {
	Method  string // chat.postMessage, chat.update, chat.postEphemeral or response_url
	Channel string
	TS      string // that the message has
	Thread  string // message that it answers in a thread; empty: none
	User    string // who alone sees it; empty: everybody
	Text    string
	Blocks  string   // JSON
	Meta    string   // JSON of its metadata
	Pings   []string // mentions and links that Slack would make of it
	At      time.Time
}

// Shown is all text of a message.
func (m Message) Shown() string { return m.Text + "\n" + m.Blocks }

// Server is a running simulator. Paths in the rules of its faults are /api/METHOD and /commands/….
type Server struct {
	*fault.Service

	config Config

	mu         sync.Mutex
	changed    chan struct{} // closed when something came
	serial     int
	messages   []Message
	views      []View
	triggers   map[string]time.Time // when they were given; zero: used
	replies    map[string]*reply
	violations []string
	tickets    map[string]time.Time // of addresses for Socket Mode; zero: used
	sockets    []*socket
	envelopes  map[string]*sent
}

// reply is a response_url.
type reply struct {
	channel, user string
	since         time.Time
	uses          int
}

// View is a form that was opened.
type View struct {
	Trigger string
	JSON    string
}

// Start serves a simulator on loopback.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{
		config: config, changed: make(chan struct{}),
		triggers: map[string]time.Time{}, replies: map[string]*reply{}, tickets: map[string]time.Time{},
		envelopes: map[string]*sent{},
	}
	service, err := fault.Serve(ctx, "Slack's API", "", http.HandlerFunc(s.serve), answerFault)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Service = service // requests may have come by now
	return s, nil
}

// URL is the address of the server; the Web API is below /api/.
func (s *Server) URL() string { return s.Address() }

// API is the address of the Web API.
func (s *Server) API() string { return s.URL() + "/api/" }

// Close stops serving, and drops the web sockets.
func (s *Server) Close() error {
	s.mu.Lock()
	for _, one := range s.sockets {
		_ = one.conn.Close()
	}
	s.mu.Unlock()
	return s.Service.Close()
}

// Messages are all messages and edits in the order in which they came.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Views are the forms that were opened.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.views)
}

// Violations say what a caller did that Slack refuses.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// Wait waits until the condition holds for the messages and views that came.
func (s *Server) Wait(ctx context.Context, holds func([]Message, []View) bool) error {
	for {
		s.mu.Lock()
		changed, ok := s.changed, holds(s.messages, s.views)
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for a message of the bot: %w", ctx.Err())
		}
	}
}

// came has waiters look again. The caller holds the lock.
func (s *Server) came() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// call is one call of the Web API.
type call struct {
	method string
	fields map[string]string // of a form, or of JSON, where what is no text is kept as JSON
}

// serve answers one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/"):
		s.api(w, r)
	case strings.HasPrefix(r.URL.Path, "/commands/"):
		s.replied(w, r)
	case r.URL.Path == "/link/":
		s.link(w, r)
	default:
		http.NotFound(w, r)
	}
}

// api answers a call of the Web API.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	c, problem := s.read(r)
	answer := map[string]any{}
	if problem == "" {
		s.mu.Lock()
		answer, problem = s.do(c)
		s.came()
		s.mu.Unlock()
	}
	if problem != "" {
		name, _, _ := strings.Cut(problem, ":")
		answer = map[string]any{"ok": false, "error": name}
		s.violate("%s: %s", c.method, problem)
	} else {
		answer["ok"] = true
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.scopes(c), ","))
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// read reads a call, and checks its token.
func (s *Server) read(r *http.Request) (call, string) {
	c := call{method: strings.TrimPrefix(r.URL.Path, "/api/"), fields: map[string]string{}}
	if r.Method != http.MethodPost {
		return c, "method_not_allowed: " + r.Method
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return c, "request_timeout"
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var fields map[string]json.RawMessage
		if len(body) > 0 && json.Unmarshal(body, &fields) != nil {
			return c, "invalid_json"
		}
		for key, raw := range fields {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			c.fields[key] = text
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return c, "invalid_form_data"
		}
		for key := range form {
			c.fields[key] = form.Get(key)
		}
		if token == "" {
			token = form.Get("token")
		}
	}
	want := s.config.Token
	if c.method == appsOpen {
		want = s.config.AppToken
	}
	switch {
	case token == "":
		return c, "not_authed"
	case token != want || want == "":
		return c, "invalid_auth"
	}
	if want := needs[c.method]; want != nil &&
		!slices.ContainsFunc(want, func(scope string) bool { return slices.Contains(s.scopes(c), scope) }) {
		return c, "missing_scope: " + strings.Join(want, " or ")
	}
	return c, ""
}

// do does what a call asks for. The caller holds the lock.
func (s *Server) do(c call) (map[string]any, string) {
	switch c.method {
	case "auth.test":
		return map[string]any{"team_id": s.config.Team, "user_id": "U0BOT", "bot_id": "B0BOT"}, ""
	case "chat.postMessage", "chat.postEphemeral", "chat.update":
		return s.write(c)
	case "conversations.history":
		return s.history(c)
	case "views.open":
		return s.openView(c)
	case "usergroups.users.list":
		users, ok := s.config.Groups[c.fields["usergroup"]]
		if !ok {
			return nil, "no_such_subteam: " + c.fields["usergroup"]
		}
		return map[string]any{"users": append([]string{}, users...)}, ""
	case appsOpen:
		ticket := s.next()
		s.tickets[ticket] = s.config.Now()
		return map[string]any{"url": "ws" + strings.TrimPrefix(s.URL(), "http") + "/link/?ticket=" + ticket + "&app_id=" +
			appID}, ""
	default:
		return nil, "unknown_method"
	}
}

// next is an identifier that was not given before.
func (s *Server) next() string {
	s.serial++
	return fmt.Sprintf("%d.%06d", s.config.Now().Unix(), s.serial)
}

// answerFault writes an error as Slack does.
func answerFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	body := []byte(`{"ok":false,"error":"` + "internal_error" + `"}`)
	if rule.Status == http.StatusTooManyRequests {
		body = []byte(`{"ok":false,"error":"ratelimited"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fault.WriteStatus(w, rule.Status, "", body)
}
