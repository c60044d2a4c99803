// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:15:40Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-messages-in-order
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

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

// reply is a response_url.
type reply struct {
	channel, user string
	since         time.Time
	uses          int
}

// messages are those of all channels.
type messages struct {
	space   *workspace
	all     []Message         // and edits, as they came
	replies map[string]*reply // by path
}

// maxMessageText bounds the text of a message, in characters.
const maxMessageText = 40_000

// write takes a message or an edit.
func (l *messages) write(c call) (map[string]any, string) {
	f := c.fields
	m := Message{
		Method: c.method, Channel: f["channel"], Thread: f["thread_ts"], Text: f["text"], Blocks: f["blocks"],
		Meta: f["metadata"], At: l.space.config.Now(),
	}
	if problem := l.space.away(m.Channel); problem != "" {
		return nil, problem
	}
	switch {
	case m.Text == "" && m.Blocks == "":
		return nil, "no_text"
	case m.Thread != "" && !l.posted(m.Channel, m.Thread):
		return nil, "thread_not_found: " + m.Thread
	case m.Meta != "" && !json.Valid([]byte(m.Meta)):
		return nil, "invalid_metadata_format"
	case utf8.RuneCountInString(m.Text) > maxMessageText:
		return nil, fmt.Sprintf("msg_too_long: %d characters", utf8.RuneCountInString(m.Text))
	}
	if c.method == "chat.postEphemeral" {
		if m.User = f["user"]; !slices.Contains(l.space.config.Users, m.User) {
			return nil, "user_not_in_channel: " + m.User
		}
	}
	m.Pings = pings(m.Text, f["parse"] == "full" || f["link_names"] == "1" || f["link_names"] == "true")
	if m.Blocks != "" {
		more, problem := blocks(m.Blocks, maxMessageBlocks)
		if problem != "" {
			return nil, "invalid_blocks: " + problem
		}
		m.Pings = append(m.Pings, more...)
	}
	if c.method == "chat.update" {
		m.TS = f["ts"]
		if !l.posted(m.Channel, m.TS) {
			return nil, "message_not_found: " + m.TS
		}
	} else {
		m.TS = l.space.next()
	}
	l.all = append(l.all, m)
	if c.method == "chat.postEphemeral" {
		return map[string]any{"message_ts": m.TS}, ""
	}
	return map[string]any{"channel": m.Channel, "ts": m.TS, "text": m.Text}, ""
}

// posted says whether there is a message in a channel.
func (l *messages) posted(channel, ts string) bool {
	return slices.ContainsFunc(l.all,
		func(m Message) bool { return m.Method == "chat.postMessage" && m.TS == ts && m.Channel == channel })
}

// history lists the messages of a channel, newest first, as they are now.
func (l *messages) history(c call) (map[string]any, string) {
	if problem := l.space.away(c.fields["channel"]); problem != "" {
		return nil, problem
	}
	found := []any{}
	for _, m := range slices.Backward(l.all) {
		if m.Method == "chat.postMessage" && m.Channel == c.fields["channel"] && m.Thread == "" &&
			m.TS >= c.fields["oldest"] {
			one := map[string]any{"type": "message", "ts": m.TS, "text": m.Text}
			if m.Meta != "" && c.fields["include_all_metadata"] != "" {
				one["metadata"] = json.RawMessage(m.Meta)
			}
			found = append(found, one)
		}
	}
	return map[string]any{"messages": found, "has_more": false}, ""
}

// replied takes an answer at a response_url.
func (l *messages) replied(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	var body struct {
		Text     string          `json:"text"`
		Blocks   json.RawMessage `json:"blocks"`
		Response string          `json:"response_type"`
	}
	if err != nil || r.Method != http.MethodPost || json.Unmarshal(text, &body) != nil || body.Text == "" &&
		body.Blocks == nil {
		l.space.violate("response_url: no message")
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	l.space.mu.Lock()
	defer l.space.mu.Unlock()
	defer l.space.came()
	to := l.replies[r.URL.Path]
	if to == nil || l.space.config.Now().Sub(to.since) > replyLife || to.uses >= replyUses {
		l.space.violations = append(l.space.violations, "response_url: used up or too old")
		http.Error(w, "used_url", http.StatusNotFound)
		return
	}
	to.uses++
	m := Message{
		Method: "response_url", Channel: to.channel, TS: l.space.next(), User: to.user, Text: body.Text,
		Blocks: string(body.Blocks), At: l.space.config.Now(),
	}
	if body.Response == "in_channel" {
		m.User = ""
	}
	m.Pings = pings(m.Text, false)
	l.all = append(l.all, m)
	_, _ = w.Write([]byte("ok"))
}
