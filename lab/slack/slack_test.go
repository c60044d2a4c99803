// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:30:08Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-strict-as-slack
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// bed is a simulator with a clock that can be put forward.
type bed struct {
	*slack.Server

	t     *testing.T
	ahead atomic.Int64
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t}
	var err error
	b.Server, err = slack.Start(t.Context(), slack.Config{
		Token: "xoxb-1", AppToken: "xapp-1", Secret: "s", Team: "T0001", Channels: []string{"C0001"},
		Users: []string{"U0001"}, Groups: map[string][]string{"S0001": {"U0001"}},
		Now: func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// call calls a method, and gives Slack's error, empty for none, and the answer.
func (b *bed) call(method string, pairs ...string) (string, map[string]any) {
	b.t.Helper()
	form := url.Values{"token": {"xoxb-1"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	_, text := b.post(b.API()+method, "application/x-www-form-urlencoded", form.Encode())
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		b.t.Fatalf("%s: %v: %s", method, err, text)
	}
	problem, _ := answer["error"].(string)
	return problem, answer
}

func (b *bed) post(address, kind, body string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	section := func(text string) string {
		return `{"type":"section","text":{"type":"plain_text","text":"` + text + `"}}`
	}
	button := `{"type":"actions","elements":[{"type":"button","action_id":"a","value":"` + strings.Repeat("v",
		2001) + `","text":{"type":"plain_text","text":"x"}}]}`
	for name, test := range map[string]struct {
		method string
		pairs  []string
		want   string
	}{
		"token":    {"chat.postMessage", []string{"token", "xoxb-2", "channel", "C0001", "text", "x"}, "invalid_auth"},
		"no token": {"chat.postMessage", []string{"token", "", "channel", "C0001", "text", "x"}, "not_authed"},
		"channel":  {"chat.postMessage", []string{"channel", "C0002", "text", "x"}, "channel_not_found"},
		"no text":  {"chat.postMessage", []string{"channel", "C0001"}, "no_text"},
		"51 blocks": {
			"chat.postMessage",
			[]string{"channel", "C0001", "text", "x", "blocks", "[" + strings.Repeat(section("x")+",", 50) + section("x") + "]"},
			"invalid_blocks",
		},
		"long section": {
			"chat.postMessage",
			[]string{"channel", "C0001", "text", "x", "blocks", "[" + section(strings.Repeat("x", 3001)) + "]"},
			"invalid_blocks",
		},
		"empty section": {
			"chat.postMessage",
			[]string{"channel", "C0001", "text", "x", "blocks", "[" + section("") + "]"},
			"invalid_blocks",
		},
		"button": {
			"chat.postMessage",
			[]string{"channel", "C0001", "text", "x", "blocks", "[" + button + "]"},
			"invalid_blocks",
		},
		"unknown block": {
			"chat.postMessage",
			[]string{"channel", "C0001", "text", "x", "blocks", `[{"type":"image2"}]`},
			"invalid_blocks",
		},
		"thread":     {"chat.postMessage", []string{"channel", "C0001", "text", "x", "thread_ts", "1.2"}, "thread_not_found"},
		"no message": {"chat.update", []string{"channel", "C0001", "text", "x", "ts", "1.2"}, "message_not_found"},
		"stranger": {
			"chat.postEphemeral",
			[]string{"channel", "C0001", "text", "x", "user", "U0009"},
			"user_not_in_channel",
		},
		"group":   {"usergroups.users.list", []string{"usergroup", "S0002"}, "no_such_subteam"},
		"trigger": {"views.open", []string{"trigger_id", "1"}, "invalid_trigger_id"},
		"method":  {"chat.delete", nil, "unknown_method"},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // they count the same violations
			before := len(b.Violations())
			if got, _ := b.call(test.method, test.pairs...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if len(b.Violations()) != before+1 {
				t.Error("it is not remembered")
			}
		})
	}
	if len(b.Messages()) > 0 {
		t.Errorf("messages: %+v", b.Messages())
	}
}

// TestLimits uses an answer's address six times, and a trigger too late.
func TestLimits(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	fields, err := url.ParseQuery(b.SlashBody(slack.From{Channel: "C0001", User: "U0001"}, ""))
	if err != nil {
		t.Fatal(err)
	}
	answer := func() int {
		status, _ := b.post(fields.Get("response_url"), "application/json", `{"text":"x"}`)
		return status
	}
	for n := range 5 {
		if status := answer(); status != http.StatusOK {
			t.Errorf("answer %d: %d", n+1, status)
		}
	}
	if status := answer(); status != http.StatusNotFound {
		t.Errorf("the sixth answer: %d", status)
	}
	b.ahead.Store(int64(4 * time.Second))
	if got, _ := b.call("views.open", "trigger_id", fields.Get("trigger_id"), "view", "{}"); got != "expired_trigger_id" {
		t.Errorf("a late trigger: %q", got)
	}
}

// TestPings keeps messages with their edits, and says what Slack makes of them.
func TestPings(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	_, posted := b.call("chat.postMessage", "channel", "C0001", "text", "safe &lt;!channel&gt;")
	ts, _ := posted["ts"].(string)
	for _, text := range []string{"<!channel> <@U0001>", "<https://evil.example|x>", "@here"} {
		if got, _ := b.call("chat.update", "channel", "C0001", "ts", ts, "text", text, "link_names", "true"); got != "" {
			t.Errorf("%s: %s", text, got)
		}
	}
	var pings []int
	for _, m := range b.Messages() {
		if m.TS != ts {
			t.Errorf("message %+v", m)
		}
		pings = append(pings, len(m.Pings))
	}
	if len(pings) != 4 || pings[0] != 0 || pings[1] != 2 || pings[2] != 1 || pings[3] != 1 {
		t.Errorf("pings: %v", pings)
	}
}
