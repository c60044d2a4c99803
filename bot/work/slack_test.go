// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:38:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package work

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
)

// posted is a message with all that it showed.
type posted struct {
	Channel, TS, Thread string
	States              []string // JSON of blocks
	Texts               []string
	metadata            string
}

// ordered says whether these words came up in this order.
func (p posted) ordered(words ...string) bool {
	at := 0
	for _, word := range words {
		for at < len(p.States) && !strings.Contains(p.States[at], word) {
			at++
		}
	}
	return at < len(p.States)
}

// slackFake is the part of Slack's Web API that shows jobs, with its limits.
type slackFake struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	messages []posted
	refuse   []func(http.ResponseWriter) // the next calls
	calls    []string
	hooks    http.Handler // answers by response_url
}

func newSlack(t *testing.T) *slackFake {
	t.Helper()
	s := &slackFake{t: t}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

func (s *slackFake) URL() string { return s.server.URL + "/" }

func (s *slackFake) all() []posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]posted(nil), s.messages...)
}

// showed says whether any message has shown a text.
func (s *slackFake) showed(text string) bool {
	for _, m := range s.all() {
		if strings.Contains(strings.Join(m.States, "\n"), text) {
			return true
		}
	}
	return false
}

func (s *slackFake) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method := strings.TrimPrefix(r.URL.Path, "/")
	if s.hooks != nil && method == "reply" {
		s.hooks.ServeHTTP(w, r)
		return
	}
	s.calls = append(s.calls, method)
	if len(s.refuse) > 0 {
		refuse := s.refuse[0]
		s.refuse = s.refuse[1:]
		if refuse != nil {
			refuse(w)
			return
		}
	}
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	answer := map[string]any{"ok": true}
	blocks, text := r.Form.Get("blocks"), r.Form.Get("text")
	if method != "conversations.history" {
		s.limits(blocks, text)
	}
	switch method {
	case "chat.postMessage":
		p := posted{
			r.Form.Get("channel"), fmt.Sprintf("1.%06d", len(s.messages)+1), r.Form.Get("thread_ts"),
			[]string{blocks},
			[]string{text},
			r.Form.Get("metadata"),
		}
		s.messages = append(s.messages, p)
		answer["channel"], answer["ts"] = p.Channel, p.TS
	case "chat.update":
		answer = map[string]any{"ok": false, "error": "message_not_found"}
		for i, p := range s.messages {
			if p.TS == r.Form.Get("ts") && p.Channel == r.Form.Get("channel") {
				s.messages[i].States, s.messages[i].Texts = append(p.States, blocks), append(p.Texts, text)
				answer = map[string]any{"ok": true, "channel": p.Channel, "ts": p.TS}
			}
		}
	case "conversations.history":
		found := []any{}
		for _, p := range s.messages {
			found = append(found, map[string]any{"type": "message", "ts": p.TS, "metadata": json.RawMessage(p.metadata)})
		}
		answer["messages"] = found
	default:
		s.t.Errorf("%s was called", method)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

// limits fails what Slack would refuse, and what would ping or link.
func (s *slackFake) limits(blocks, top string) {
	var all []any
	if err := json.Unmarshal([]byte(blocks), &all); err != nil || len(all) == 0 || len(all) > 50 {
		s.t.Errorf("blocks %.200s: %v", blocks, err)
	}
	if strings.ContainsAny(top, "<>") || utf8.RuneCountInString(top) > 4*chat.MaxText {
		s.t.Errorf("the text is %.200q", top)
	}
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, one := range n {
				walk(one)
			}
		case map[string]any:
			if n["type"] == "mrkdwn" {
				s.t.Errorf("markup: %v", n)
			}
			if value, ok := n["text"].(string); ok && (value == "" || utf8.RuneCountInString(value) > chat.MaxText) {
				s.t.Errorf("a text has %d characters", utf8.RuneCountInString(value))
			}
			if rows, ok := n["rows"].([]any); ok && len(rows) > 100 {
				s.t.Errorf("a table has %d rows", len(rows))
			}
			for _, one := range n {
				walk(one)
			}
		}
	}
	walk(all)
}
