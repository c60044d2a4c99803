// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:45Z
// Spec: openspec/specs/bot/spec.md#requirement-authentic-requests-only
// Diagram: openspec/specs/bot/diagram.md#a-decision

package bot_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// last is the newest audit line, once there is one more than there were.
func (b *bed) last(t *testing.T, before int) map[string]any {
	t.Helper()
	lines := b.log.wait(t, "decision", func(lines []map[string]any) bool { return len(lines) > before })
	return lines[len(lines)-1]
}

// TestNotSlack sends requests that Slack has not sent. Each is refused before
// anything is stored, with an audit line.
func TestNotSlack(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	now := time.Now()
	stamp := func(text string) string { return "X-Slack-Request-Timestamp: " + text }
	for name, test := range map[string]struct {
		body   string
		at     time.Time
		more   []string
		status int
		rule   string
	}{
		"wrong signature": {"", now, []string{"X-Slack-Signature: v0=" + strings.Repeat("0", 64)}, 401, "signature"},
		"short signature": {"", now, []string{"X-Slack-Signature: v0=" + strings.Repeat("0", 62)}, 401, "signature"},
		"no signature":    {"", now, []string{"X-Slack-Signature: "}, 401, "signature"},
		"old":             {"", now.Add(-301 * time.Second), nil, 401, "signature"},
		"in the future":   {"", now.Add(302 * time.Second), nil, 401, "signature"},
		"negative":        {"", time.Unix(-5, 0), nil, 401, "signature"},
		"another time":    {"", now, []string{stamp("1700000000")}, 401, "signature"},
		"no number":       {"", now, []string{stamp("soon")}, 401, "signature"},
		"a huge number":   {"", now, []string{stamp("9223372036854775808")}, 401, "signature"},
		"no form":         {"%zz", now, nil, 400, "payload"},
		"nothing in it":   {"a=b", now, nil, 400, "payload"},
		"no user":         {"command=/packer-hybrid&team_id=T0001&channel_id=C0001&user_id=", now, nil, 400, "payload"},
		"a name as a user": {
			"command=/packer-hybrid&team_id=T0001&channel_id=C0001&user_id=admin", now, nil, 400,
			"payload",
		},
		"payload: null":   {"payload=null", now, nil, 200, ""},
		"payload: a list": {"payload=[]", now, nil, 400, "payload"},
		"payload: deep":   {"payload=" + strings.Repeat("[", 50_000), now, nil, 400, "payload"},
		"too large":       {"text=" + strings.Repeat("x", 256<<10), now, nil, 413, "size"},
		"only opens a page": {
			`payload={"type":"block_actions","actions":[{"type":"button","action_id":"open-log"},null]}`,
			now, nil, 200, "",
		},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // they count the same log's lines
			body := test.body
			if body == "" {
				body = b.slack.SlashBody(from("U0001"), "build debian-12")
			}
			before := len(b.log.lines(t, "decision"))
			status, _, err := b.slack.Send(t.Context(), b.door, body, test.at, test.more...)
			if err != nil || status != test.status {
				t.Fatalf("answered %d, %v", status, err)
			}
			if test.rule == "" {
				return
			}
			if line := b.last(t, before); line["allow"] != false || line["rule"] != test.rule || line["why"] == "" {
				t.Errorf("audit: %v", line)
			}
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.door, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d", resp.StatusCode)
	}
	if n, err := b.store.Waiting(t.Context(), "intake"); err != nil || n > 0 || len(b.ci.taken()) > 0 {
		t.Errorf("%d commands were stored, %v, orders %v", n, err, b.ci.taken())
	}
}

// TestReplay sends one request several times: as a replay, as Slack's retry
// with a new time, and after a restart. It is carried out once.
func TestReplay(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	body := b.slack.SlashBody(from("U0001"), "build debian-12")
	send := func(at time.Time, more ...string) {
		t.Helper()
		if status, _, err := b.slack.Send(t.Context(), b.door, body, at, more...); err != nil || status != 200 {
			t.Fatalf("answered %d, %v", status, err)
		}
	}
	now := time.Now()
	send(now)
	b.seen("Running")
	send(now)
	send(now.Add(time.Second), "X-Slack-Retry-Num: 1", "X-Slack-Retry-Reason: http_timeout")
	b.stop()
	b.start(false)
	send(now, "X-Slack-Retry-Num: 2")
	b.log.wait(t, "decision", func(lines []map[string]any) bool {
		once := 0
		for _, line := range lines {
			if line["rule"] == "once" && line["allow"] == false && line["user"] == "U0001" {
				once++
			}
		}
		return once == 3
	})
	if n := len(b.ci.taken()); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// TestDenied are commands that the policy denies: nothing runs, the user alone
// hears why, and there is an audit line with the rule.
func TestDenied(t *testing.T) { throughBoth(t, testDenied) }

func testDenied(t *testing.T, b *bed) {
	t.Helper()
	for _, test := range []struct {
		name   string
		from   slack.From
		text   string
		rule   string
		silent bool
	}{
		{
			"unknown team",
			slack.From{Channel: "C0001", User: "U0001", Team: "T0009"},
			"build debian-12",
			"bot teams (packer-hybrid.hcl:10)", true,
		},
		{
			"unknown channel",
			slack.From{Channel: "C0002", User: "U0001"},
			"build debian-12",
			"bot channels (packer-hybrid.hcl:10)", false,
		},
		{"no role", from("U0009"), "build debian-12", "bot, default (packer-hybrid.hcl:10)", false},
		{"no role, wrong usage", from("U0009"), "biuld", "bot, default (packer-hybrid.hcl:10)", false},
		{"no role, the form", from("U0009"), "", "bot, default (packer-hybrid.hcl:10)", false},
		{"environment outside", from("U0001"), "build debian-12 --env prod", "bot, default (packer-hybrid.hcl:10)", false},
		{"verb outside", from("U0001"), "reap", "bot, default (packer-hybrid.hcl:10)", false},
	} {
		t.Run(test.name, func(t *testing.T) { //nolint:paralleltest // they count the same log's lines
			before, heard := len(b.log.lines(t, "decision")), len(b.slack.Messages())
			b.ask(test.from, test.text)
			line := b.last(t, before)
			if line["allow"] != false || line["rule"] != test.rule || line["user"] != test.from.User || line["why"] == "" {
				t.Errorf("audit: %v", line)
			}
			if test.silent {
				return
			}
			b.wait("why", func(all []slack.Message, _ []slack.View) bool {
				return slices.ContainsFunc(all[heard:], func(m slack.Message) bool {
					return m.User == test.from.User && strings.HasPrefix(m.Text, "Denied: ")
				})
			})
		})
	}
	if orders := b.ci.taken(); len(orders) > 0 || len(b.slack.Views()) > 0 {
		t.Errorf("runs were asked for: %+v; forms opened: %v", orders, b.slack.Views())
	}
	b.clean()
}

// TestGroups takes members of a group as Slack says, and nobody as long as it
// says nothing.
func TestGroups(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if err := b.slack.Faults().Load("POST /api/usergroups.users.list nth=1-2 status=500"); err != nil {
		t.Fatal(err)
	}
	b.start(false)
	b.say("U0004", "build debian-12")
	b.seen("build debian-12", "Running")
	if len(b.log.lines(t, "trying again")) == 0 {
		t.Error("Slack's failure was not met")
	}
	b.clean()
}

// TestRate denies what is too much, and says so once.
func TestRate(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	for range 25 {
		b.say("U0001", "status debian-12")
	}
	denied := func(lines []map[string]any) int {
		n := 0
		for _, line := range lines {
			if line["rule"] == "bot rate (packer-hybrid.hcl:10)" {
				n++
			}
		}
		return n
	}
	lines := b.log.wait(t, "decision", func(lines []map[string]any) bool { return decided(lines) == 25 })
	if denied(lines) != 5 {
		t.Errorf("%d of 25 commands were denied, want 5", denied(lines))
	}
	b.seen("more than 20 commands in a minute")
	ephemerals := 0
	for _, m := range b.slack.Messages() {
		if strings.Contains(m.Text, "more than 20 commands") {
			ephemerals++
		}
	}
	if ephemerals != 1 {
		t.Errorf("the user was told %d times", ephemerals)
	}
}

// TestHostile sends text that would do harm in a shell, in a message or in a
// log. Nothing runs, nobody is pinged, and Slack refuses nothing.
func TestHostile(t *testing.T) { throughBoth(t, testHostile) }

func testHostile(t *testing.T, b *bed) {
	t.Helper()
	texts := []string{
		`build "; rm -rf /`, "build $(touch pwned)", "build `id`", "build debian-12\n/packer-hybrid reap", "build a&&id",
		"build ../../etc",
		"build <!channel>", "<!here> build", "build --env <@U0002|admin>", "build <http://evil.example|text>",
		"build --image <!subteam^S0001>",
		"build debian-12\u200b", "build\u202e debian-12", "build \x1b[31mred", "build " + strings.Repeat("A", 100_000),
		strings.Repeat("<!channel> ", 9000),
		"build @channel @here @everyone", "cancel <!channel>", "approve <!channel> " + commitA, "retry <!everyone>",
		"help <!channel>",
		"build --targets \x00", "build %00 %s %d %!s(PANIC)", "build *bold* _it_ ~no~ :smile:", "build \xff\xfe",
		"/packer-hybrid build", "build -- -var=x",
	}
	for i, text := range texts {
		b.say([]string{"U0001", "U0002"}[i%2], text)
	}
	b.wait("an answer to each", func(all []slack.Message, _ []slack.View) bool { return len(all) >= len(texts) })
	for _, m := range b.slack.Messages() {
		if m.User == "" {
			t.Errorf("everybody sees %s", m.Shown())
		}
		if strings.ContainsAny(m.Text, "\x00\x1b\u200b\u202e") || len(m.Text) > 4000 {
			t.Errorf("not made harmless: %q", m.Text)
		}
	}
	if orders := b.ci.taken(); len(orders) > 0 {
		t.Errorf("runs were asked for: %+v", orders)
	}
	b.clean()
}

// TestRateAfterARestart counts what a user sent before the bot was restarted.
func TestRateAfterARestart(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, commands := range []int{15, 10} {
		before := len(b.log.lines(t, "decision"))
		b.start(false)
		for range commands {
			b.say("U0001", "status debian-12")
		}
		b.log.wait(t, "decision", func(lines []map[string]any) bool { return decided(lines[before:]) == commands })
		b.stop()
	}
	denied := 0
	for _, line := range b.log.lines(t, "decision") {
		if line["rule"] == "bot rate (packer-hybrid.hcl:10)" {
			denied++
		}
	}
	if denied != 5 {
		t.Errorf("%d of 25 commands were denied, want 5", denied)
	}
}
