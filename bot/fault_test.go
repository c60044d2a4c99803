// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package bot_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// TestPanicWhileFollowing checks that the bot outlives a panic in following a run,
// tells it with its stack, and looks again.
func TestPanicWhileFollowing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	n := 0
	b.ci.set(func(c *ci) {
		c.status = func() (cirun.Progress, error) {
			if n++; n < 3 {
				panic("an answer that nobody thought of")
			}
			return cirun.Progress{Done: true, Outcome: cirun.Outcome{Status: hybridcore.Built}}, nil
		}
	})
	b.start(false)
	b.say("U0001", "build debian-12 --env lab")
	b.seen("Built")
	lines := b.log.lines(t, "trying again")
	//nolint:errcheck,forcetypeassert // a string, or the test fails
	if len(lines) != 2 || lines[0]["queue"] != jobs.QueueFollow ||
		!strings.Contains(lines[0]["stack"].(string), "fault_test.go") {
		t.Errorf("the log says %v", lines)
	}
	b.clean()
}

// TestSlackAnswersNull checks that a message whose answer was none is sent again,
// and that the bot goes on meanwhile.
func TestSlackAnswersNull(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	upstream, err := url.Parse(b.slack.API())
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: upstream.Scheme, Host: upstream.Host})
	answers := []string{"null", "[null]", "{}", `{"ok":null}`, `{"ok":true,"message":{"blocks":[null]}}`}
	var n atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i := int(n.Load()); strings.HasSuffix(r.URL.Path, "/chat.postMessage") && i < len(answers) &&
			n.CompareAndSwap(int32(i), int32(i+1)) {
			_, _ = io.WriteString(w, answers[i])
			return
		}
		through.ServeHTTP(w, r)
	}))
	defer front.Close()
	b.api = front.URL + upstream.Path
	b.start(false)
	b.say("U0001", "build debian-12 --env lab")
	b.seen("Running")
	//nolint:errcheck,forcetypeassert // a string, or the test fails
	if lines := b.log.lines(t, "trying again"); len(lines) < len(answers) ||
		!strings.Contains(lines[0]["error"].(string), "the answer is null") {
		t.Errorf("the log says %v", lines)
	}
	b.clean()
}

// FuzzSlackAnswers has Slack answer anything to whatever the bot asks it for.
func FuzzSlackAnswers(f *testing.F) {
	for _, body := range []string{
		"null", "[null]", "{}", "", "ok", `{"ok":true}`, `{"ok":true,"messages":null}`, `{"ok":true,"messages":[null]}`,
		`{"ok":true,"message":null,"ts":null}`,
		`{"ok":true,"messages":[{"metadata":null,"blocks":null,"attachments":[null],"files":[null]}]}`,
		`{"ok":true,"messages":[{"blocks":[null]}]}`,
		`{"ok":true,"users":[null]}`, `{"ok":true,"url":null,"team_id":null}`,
		`{"ok":false,"error":"not_in_channel","response_metadata":null}`,
		`{"ok":true,"view":{"blocks":[{"type":"section","accessory":null,"fields":[null]}]}}`, `{"ok":true,"view":null}`,
		`{"ok":false,"errors":[null]}`,
		`{"ok":true,"messages":[{"blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[null]}]}]}]}`,
		`{"ok":true,"messages":[{"blocks":[{"type":"input","element":null},{"type":"actions","elements":[null]},{"type":"context","elements":[null]}]}]}`,
		"<html>", `{"ok":tr`, strings.Repeat("[", 100_000), `{"ok":true,"x":` + strings.Repeat("{\"a\":", 20_000),
	} {
		f.Add(uint16(0), []byte(body))
		f.Add(uint16(100), []byte(body))
		f.Add(uint16(229), []byte(body))
	}
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK + int(status)%400)
			_, _ = w.Write(body)
		}))
		defer server.Close()
		client, ctx := chat.New("xoxb-of-a-test", "xapp-1", server.URL+"/api/"), t.Context()
		to := door.Command{
			Channel: "C0001", User: "U0001", ReplyTo: server.URL + "/commands/secret-of-a-hook",
			At: time.Now(),
		}
		var said []string
		add := func(err error) {
			if err != nil {
				said = append(said, err.Error())
			}
		}
		add(client.Ephemeral(ctx, to, "x", time.Now()))
		to.ReplyTo = ""
		add(client.Ephemeral(ctx, to, "x", time.Now()))
		_, err := client.Members(ctx, "T0001", "S0001")
		add(err)
		add(client.Open(ctx, "trigger", slack.ModalViewRequest{}))
		said = append(said, bot.Check(ctx, client, config.Bot{Teams: []string{"T0001"}, Channels: []string{"C0001"}})...)
		_, _, _ = client.API.PostMessageContext(ctx, "C0001", slack.MsgOptionText("x", false))
		_, _, _, _ = client.API.UpdateMessageContext(ctx, "C0001", "1.1", slack.MsgOptionText("x", false))
		if found, err := client.API.GetConversationHistoryContext(ctx,
			&slack.GetConversationHistoryParameters{ChannelID: "C0001"}); err == nil {
			for _, m := range found.Messages {
				_ = m.Metadata.EventPayload["request"]
			}
		}
		if text := strings.Join(said, "\n"); strings.Contains(text, "secret-of-a-hook") &&
			!strings.Contains(string(body), "secret") || strings.Contains(text, "xoxb-of-a-test") {
			t.Errorf("a secret is shown: %q", text)
		}
	})
}
