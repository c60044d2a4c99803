// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:22:04Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-messages-in-order
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// maxMessageText bounds the text of a message, in characters.
const maxMessageText = 40_000

// markup are the forms of a text that Slack turns into a mention or a link.
var markup = regexp.MustCompile(`<(?:![^<>]*|[@#][^<>]*|[a-z]+:[^<>]*)>`)

// linked are the names that become mentions where the sender asks for that.
var linked = regexp.MustCompile(`@(?:channel|here|everyone)\b`)

// write takes a message or an edit.
func (s *Server) write(c call) (map[string]any, string) {
	f := c.fields
	m := Message{
		Method: c.method, Channel: f["channel"], Thread: f["thread_ts"], Text: f["text"], Blocks: f["blocks"],
		Meta: f["metadata"], At: s.config.Now(),
	}
	if problem := s.away(m.Channel); problem != "" {
		return nil, problem
	}
	switch {
	case m.Text == "" && m.Blocks == "":
		return nil, "no_text"
	case m.Thread != "" && !s.posted(m.Channel, m.Thread):
		return nil, "thread_not_found: " + m.Thread
	case m.Meta != "" && !json.Valid([]byte(m.Meta)):
		return nil, "invalid_metadata_format"
	case utf8.RuneCountInString(m.Text) > maxMessageText:
		return nil, fmt.Sprintf("msg_too_long: %d characters", utf8.RuneCountInString(m.Text))
	}
	if c.method == "chat.postEphemeral" {
		if m.User = f["user"]; !slices.Contains(s.config.Users, m.User) {
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
		if !s.posted(m.Channel, m.TS) {
			return nil, "message_not_found: " + m.TS
		}
	} else {
		m.TS = s.next()
	}
	s.messages = append(s.messages, m)
	if c.method == "chat.postEphemeral" {
		return map[string]any{"message_ts": m.TS}, ""
	}
	return map[string]any{"channel": m.Channel, "ts": m.TS, "text": m.Text}, ""
}

// posted says whether there is a message in a channel.
func (s *Server) posted(channel, ts string) bool {
	return slices.ContainsFunc(s.messages,
		func(m Message) bool { return m.Method == "chat.postMessage" && m.TS == ts && m.Channel == channel })
}

// history lists the messages of a channel, newest first, as they are now.
func (s *Server) history(c call) (map[string]any, string) {
	if problem := s.away(c.fields["channel"]); problem != "" {
		return nil, problem
	}
	found := []any{}
	for _, m := range slices.Backward(s.messages) {
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
func (s *Server) replied(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	var body struct {
		Text     string          `json:"text"`
		Blocks   json.RawMessage `json:"blocks"`
		Response string          `json:"response_type"`
	}
	if err != nil || r.Method != http.MethodPost || json.Unmarshal(text, &body) != nil || body.Text == "" &&
		body.Blocks == nil {
		s.violate("response_url: no message")
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.came()
	to := s.replies[r.URL.Path]
	if to == nil || s.config.Now().Sub(to.since) > replyLife || to.uses >= replyUses {
		s.violations = append(s.violations, "response_url: used up or too old")
		http.Error(w, "used_url", http.StatusNotFound)
		return
	}
	to.uses++
	m := Message{
		Method: "response_url", Channel: to.channel, TS: s.next(), User: to.user, Text: body.Text,
		Blocks: string(body.Blocks), At: s.config.Now(),
	}
	if body.Response == "in_channel" {
		m.User = ""
	}
	m.Pings = pings(m.Text, false)
	s.messages = append(s.messages, m)
	_, _ = w.Write([]byte("ok"))
}

// openView opens a form for a trigger that is fresh.
func (s *Server) openView(c call) (map[string]any, string) {
	trigger := c.fields["trigger_id"]
	since, known := s.triggers[trigger]
	switch {
	case !known:
		return nil, "invalid_trigger_id"
	case since.IsZero():
		return nil, "exchanged_trigger_id"
	case s.config.Now().Sub(since) > triggerLife:
		return nil, "expired_trigger_id"
	}
	var view struct {
		Type, CallbackID, PrivateMetadata string
		Title, Submit, Close              *object
		Blocks                            json.RawMessage
	}
	raw := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(c.fields["view"]), &raw) != nil {
		return nil, "invalid_arguments: the view is no JSON"
	}
	for key, into := range map[string]any{
		"type": &view.Type, "callback_id": &view.CallbackID, "private_metadata": &view.PrivateMetadata,
		"title": &view.Title, "submit": &view.Submit, "close": &view.Close, "blocks": &view.Blocks,
	} {
		if value, given := raw[key]; given && json.Unmarshal(value, into) != nil {
			return nil, "invalid_arguments: " + key
		}
	}
	problem := ""
	switch {
	case view.Type != "modal":
		problem = "type " + view.Type
	case view.Title.wrong(maxTitle) || view.Submit != nil && view.Submit.wrong(maxTitle) || view.Close != nil &&
		view.Close.wrong(maxTitle):
		problem = "title, submit or close"
	case len(view.CallbackID) > 255 || len(view.PrivateMetadata) > maxMetadata:
		problem = "callback_id or private_metadata"
	}
	if problem == "" {
		_, problem = blocks(string(view.Blocks), maxViewBlocks)
	}
	if problem != "" {
		return nil, "invalid_arguments: " + problem
	}
	s.triggers[trigger] = time.Time{} // used
	s.views = append(s.views, View{trigger, c.fields["view"]})
	return map[string]any{"view": map[string]any{"id": "V" + s.next()}}, ""
}
