// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:04Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-commands-as-slack-sends-them
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// From is who gives a command, and where.
type From struct {
	Channel string
	User    string
	Team    string // empty: the server's
}

func (s *Server) team(f From) string {
	if f.Team != "" {
		return f.Team
	}
	return s.config.Team
}

// given makes a trigger and a response_url.
func (s *Server) given(f From) (trigger, replyTo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	trigger = s.next() + ".trigger"
	s.triggers[trigger] = s.config.Now()
	path := "/commands/" + s.team(f) + "/" + s.next() + "/x"
	s.replies[path] = &reply{channel: f.Channel, user: f.User, since: s.config.Now()}
	return trigger, s.URL() + path
}

// slash are the fields of a slash command.
func (s *Server) slash(f From, text string) map[string]string {
	trigger, replyTo := s.given(f)
	return map[string]string{
		"token": "verification", "team_id": s.team(f), "team_domain": "example", "channel_id": f.Channel,
		"channel_name": "builds",
		"user_id":      f.User, "user_name": "someone", "command": "/packer-hybrid", "text": text, "response_url": replyTo,
		"trigger_id": trigger, "api_app_id": appID, "is_enterprise_install": "false",
	}
}

// SlashBody is the body of a slash command.
func (s *Server) SlashBody(f From, text string) string {
	form := url.Values{}
	for key, value := range s.slash(f, text) {
		form.Set(key, value)
	}
	return form.Encode()
}

// press is the payload of a pressed button.
func (s *Server) press(f From, actionID, value string) map[string]any {
	trigger, replyTo := s.given(f)
	return map[string]any{
		"type": "block_actions", "team": map[string]any{"id": s.team(f)}, "user": map[string]any{"id": f.User},
		"channel": map[string]any{"id": f.Channel}, "trigger_id": trigger, "response_url": replyTo, "api_app_id": appID,
		"container": map[string]any{"type": "message", "channel_id": f.Channel},
		"actions": []any{map[string]any{
			"type": "button", "action_id": actionID, "block_id": "ph", "value": value,
			"action_ts": trigger,
		}},
	}
}

// Filled is what somebody chose in the form.
type Filled struct {
	Image, Env string
	Platforms  []string
}

// submit is the payload of the form that was opened last, filled in.
func (s *Server) submit(f From, in Filled) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.views) == 0 {
		return nil, errors.New("no form was opened")
	}
	var view map[string]any
	if err := json.Unmarshal([]byte(s.views[len(s.views)-1].JSON), &view); err != nil {
		return nil, fmt.Errorf("reading the form: %w", err)
	}
	option := func(value string) map[string]any { return map[string]any{"value": value} }
	var chosen []any
	for _, p := range in.Platforms {
		chosen = append(chosen, option(p))
	}
	view["state"] = map[string]any{"values": map[string]any{
		"image":     map[string]any{"image": map[string]any{"type": "static_select", "selected_option": option(in.Image)}},
		"env":       map[string]any{"env": map[string]any{"type": "static_select", "selected_option": option(in.Env)}},
		"platforms": map[string]any{"platforms": map[string]any{"type": "checkboxes", "selected_options": chosen}},
	}}
	return map[string]any{
		"type": "view_submission", "team": map[string]any{"id": s.team(f)}, "user": map[string]any{"id": f.User},
		"trigger_id": s.next(), "view": view, "api_app_id": appID,
	}, nil
}

// payload is the body of an interaction.
func payload(p map[string]any) string {
	return url.Values{"payload": {string(encode(p))}}.Encode()
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic("slack: a plain value does not encode: " + err.Error())
	}
	return text
}

// Slash sends a slash command to the bot's door, and returns the answer's
// status and body. Slack shows its user an error for any other status than 200.
func (s *Server) Slash(ctx context.Context, door string, f From, text string) (int, string, error) {
	return s.Send(ctx, door, s.SlashBody(f, text), s.config.Now())
}

// Press sends a pressed button.
func (s *Server) Press(ctx context.Context, door string, f From, actionID, value string) (int, string, error) {
	return s.Send(ctx, door, payload(s.press(f, actionID, value)), s.config.Now())
}

// Submit sends the form that was opened last.
func (s *Server) Submit(ctx context.Context, door string, f From, in Filled) (int, string, error) {
	p, err := s.submit(f, in)
	if err != nil {
		return 0, "", err
	}
	return s.Send(ctx, door, payload(p), s.config.Now())
}

// Sign is Slack's signature of a body at a time.
func Sign(secret, body string, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "v0:"+stamp+":"+body)
	return http.Header{
		"X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(mac.Sum(nil))},
		"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {"Slackbot 1.0 (+https://api.slack.com/robots)"},
	}
}

// Send sends a signed body; more are headers such as X-Slack-Retry-Num: 1.
func (s *Server) Send(ctx context.Context, door, body string, at time.Time, more ...string) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, door, strings.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("making a request for the bot: %w", err)
	}
	r.Header = Sign(s.config.Secret, body, at)
	for _, header := range more {
		key, value, _ := strings.Cut(header, ": ")
		r.Header.Set(key, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", fmt.Errorf("sending a request to the bot: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return 0, "", fmt.Errorf("reading the bot's answer: %w", err)
	}
	return resp.StatusCode, string(text), nil
}
