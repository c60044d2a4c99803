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
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Server is a running simulator. Paths in the rules of its faults are /api/METHOD and /commands/….
type Server struct {
	*fault.Service

	space    *workspace
	messages *messages
	views    *views
	sockets  *socketMode
}

// Start serves a simulator on loopback.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	space := &workspace{config: config, changed: make(chan struct{})}
	s := &Server{
		space: space, messages: &messages{space: space, replies: map[string]*reply{}},
		views:   &views{space: space, triggers: map[string]time.Time{}},
		sockets: &socketMode{space: space, tickets: map[string]time.Time{}, envelopes: map[string]*sent{}},
	}
	service, err := fault.Serve(ctx, "Slack's API", "", http.HandlerFunc(s.serve), answerFault)
	if err != nil {
		return nil, err
	}
	space.mu.Lock()
	defer space.mu.Unlock()
	s.Service, space.url = service, service.Address() // requests may have come by now
	return s, nil
}

// URL is the address of the server; the Web API is below /api/.
func (s *Server) URL() string { return s.Address() }

// API is the address of the Web API.
func (s *Server) API() string { return s.URL() + "/api/" }

// Close stops serving, and drops the web sockets.
func (s *Server) Close() error {
	s.space.mu.Lock()
	for _, one := range s.sockets.open {
		_ = one.conn.Close()
	}
	s.space.mu.Unlock()
	return s.Service.Close()
}

// serve answers one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/"):
		s.api(w, r)
	case strings.HasPrefix(r.URL.Path, "/commands/"):
		s.messages.replied(w, r)
	case r.URL.Path == "/link/":
		s.sockets.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// api answers a call of the Web API.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	c, problem := s.read(r)
	answer := map[string]any{}
	if problem == "" {
		s.space.mu.Lock()
		answer, problem = s.do(c)
		s.space.came()
		s.space.mu.Unlock()
	}
	if problem != "" {
		name, _, _ := strings.Cut(problem, ":")
		answer = map[string]any{"ok": false, "error": name}
		s.space.violate("%s: %s", c.method, problem)
	} else {
		answer["ok"] = true
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.space.scopes(c), ","))
	_ = json.NewEncoder(w).Encode(answer)
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
	want := s.space.config.Token
	if c.method == appsOpen {
		want = s.space.config.AppToken
	}
	switch {
	case token == "":
		return c, "not_authed"
	case token != want || want == "":
		return c, "invalid_auth"
	}
	if want := needs[c.method]; want != nil &&
		!slices.ContainsFunc(want, func(scope string) bool { return slices.Contains(s.space.scopes(c), scope) }) {
		return c, "missing_scope: " + strings.Join(want, " or ")
	}
	return c, ""
}

// do does what a call asks for. The caller holds the lock.
func (s *Server) do(c call) (map[string]any, string) {
	switch c.method {
	case "auth.test":
		return map[string]any{"team_id": s.space.config.Team, "user_id": "U0BOT", "bot_id": "B0BOT"}, ""
	case "chat.postMessage", "chat.postEphemeral", "chat.update":
		return s.messages.write(c)
	case "conversations.history":
		return s.messages.history(c)
	case "views.open":
		return s.views.open(c)
	case "usergroups.users.list":
		users, ok := s.space.config.Groups[c.fields["usergroup"]]
		if !ok {
			return nil, "no_such_subteam: " + c.fields["usergroup"]
		}
		return map[string]any{"users": append([]string{}, users...)}, ""
	case appsOpen:
		return map[string]any{"url": s.sockets.address()}, ""
	default:
		return nil, "unknown_method"
	}
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
