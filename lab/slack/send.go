// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:04Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-commands-as-slack-sends-them
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// given makes a trigger and a response_url.
func (s *Server) given(f From) (trigger, replyTo string) {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	trigger = s.space.next() + ".trigger"
	s.views.triggers[trigger] = s.space.config.Now()
	path := "/commands/" + s.space.team(f) + "/" + s.space.next() + "/x"
	s.messages.replies[path] = &reply{channel: f.Channel, user: f.User, since: s.space.config.Now()}
	return trigger, s.URL() + path
}

// slash are the fields of a slash command.
func (s *Server) slash(f From, text string) map[string]string {
	trigger, replyTo := s.given(f)
	return map[string]string{
		"token": "verification", "team_id": s.space.team(f), "team_domain": "example", "channel_id": f.Channel,
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
		"type": "block_actions", "team": map[string]any{"id": s.space.team(f)}, "user": map[string]any{"id": f.User},
		"channel": map[string]any{"id": f.Channel}, "trigger_id": trigger, "response_url": replyTo, "api_app_id": appID,
		"container": map[string]any{"type": "message", "channel_id": f.Channel},
		"actions": []any{map[string]any{
			"type": "button", "action_id": actionID, "block_id": "ph", "value": value,
			"action_ts": trigger,
		}},
	}
}

// payload is the body of an interaction.
func payload(p map[string]any) string {
	return url.Values{"payload": {string(encode(p))}}.Encode()
}

// Slash sends a slash command to the bot's door, and returns the answer's
// status and body. Slack shows its user an error for any other status than 200.
func (s *Server) Slash(ctx context.Context, door string, f From, text string) (int, string, error) {
	return s.Send(ctx, door, s.SlashBody(f, text), s.space.config.Now())
}

// Press sends a pressed button.
func (s *Server) Press(ctx context.Context, door string, f From, actionID, value string) (int, string, error) {
	return s.Send(ctx, door, payload(s.press(f, actionID, value)), s.space.config.Now())
}

// Submit sends the form that was opened last.
func (s *Server) Submit(ctx context.Context, door string, f From, in Filled) (int, string, error) {
	p, err := s.views.submit(f, in)
	if err != nil {
		return 0, "", err
	}
	return s.Send(ctx, door, payload(p), s.space.config.Now())
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
	r.Header = Sign(s.space.config.Secret, body, at)
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

// SlashEnvelope is a slash command for Deliver.
func (s *Server) SlashEnvelope(f From, text string) Envelope {
	payload := map[string]any{}
	for key, value := range s.slash(f, text) {
		payload[key] = value
	}
	return Envelope{ID: rand.Text(), Kind: "slash_commands", Payload: payload}
}

// PressEnvelope is a pressed button for Deliver.
func (s *Server) PressEnvelope(f From, actionID, value string) Envelope {
	return Envelope{ID: rand.Text(), Kind: "interactive", Payload: s.press(f, actionID, value)}
}
