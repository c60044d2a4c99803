// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:34:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// limited is Slack's answer to too many calls.
func limited(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusTooManyRequests)
}

func TestSlackLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hub.refuse = []func(http.ResponseWriter){limited, nil, limited}
	started := time.Now()
	id := r.ask(1, nil)
	r.until("the end", r.shown(id))
	if took := time.Since(started); took < time.Second {
		t.Errorf("Slack was asked again after %s", took)
	}
	if all := r.hub.all(); len(all) != 1 || !strings.Contains(all[0].States[len(all[0].States)-1], "Built") {
		t.Errorf("%d messages: %+v", len(all), all)
	}
}

// A message that was posted before a crash, and whose place is not known, is
// found and edited.
func TestPostedBeforeACrash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ci.fails = 1000 // it stays queued
	id := r.ask(1, nil)
	r.until("the message", func() bool { j := r.job(id); return j.Message.TS != "" && j.Note != "" })
	err := r.change(t.Context(), id, func(tx *store.Tx, j *Job) error {
		j.Message.TS, j.Message.Tried = "", begin
		return tell(tx, j)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.ci.mu.Lock()
	r.ci.fails = 0
	r.ci.mu.Unlock()
	r.until("the end", r.shown(id))
	if all := r.hub.all(); len(all) != 1 {
		t.Errorf("%d messages: %+v", len(all), all)
	}
}

func TestCauseInTheThread(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	tail := []string{strings.Repeat("x", 5000), "ssh: <!channel> `no` route", "\x1b[31mno route to host\x1b[0m"}
	r.ci.progress = []Progress{{
		Done:    true,
		Outcome: Outcome{Status: hybridcore.Failed, Why: "debian-12@vsphere: no route to host", Tail: tail},
	}}
	id := r.ask(1, nil)
	r.until("the end", r.shown(id))
	all := r.hub.all()
	if len(all) != 2 || all[1].Thread != all[0].TS || !strings.Contains(all[1].States[0], "no route to host") ||
		strings.Contains(all[1].States[0], "\\u001b") {
		t.Fatalf("%+v", all)
	}
	last := all[0].States[len(all[0].States)-1]
	if !strings.Contains(last, "Failed: build debian-12") || !strings.Contains(last, "ph-retry") ||
		strings.Contains(last, "ph-cancel") {
		t.Errorf("the last state is %s", last)
	}
}

// Where the bot may not post, the command itself is answered, as often as Slack
// allows and at the end.
func TestNotInTheChannel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	replies := 0
	hooks := http.NewServeMux()
	hooks.HandleFunc("/reply", func(w http.ResponseWriter, _ *http.Request) { replies++; _, _ = w.Write([]byte("ok")) })
	deny := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":false,"error":"not_in_channel"}`))
	}
	for range 40 {
		r.hub.refuse = append(r.hub.refuse, deny)
	}
	r.hub.hooks = hooks
	id := r.ask(1, func(j *Job) { j.Command.ReplyTo = r.hub.server.URL + "/reply" })
	r.until("the end", func() bool { j := r.job(id); return j.State.Final() && j.Message.Sent == j.Message.Want })
	if replies < 1 || replies > maxReplies || len(r.hub.all()) != 0 {
		t.Errorf("%d replies, %d messages", replies, len(r.hub.all()))
	}
}

// Whatever a job holds, its message stays within Slack's limits and is text.
func TestHostileMessage(t *testing.T) {
	t.Parallel()
	evil := "<!channel> <@U1> <http://x|y> `$(id)` \"'\n\u202e\u200b" + strings.Repeat("𝕏", 100_000)
	job := Job{
		State: Done, Line: evil, Note: evil, Commit: evil, Run: &Run{ID: evil, URL: "javascript:alert(1)"},
		Outcome: &Outcome{Status: hybridcore.Failed, Why: evil, Tail: []string{evil}},
	}
	job.Person.User = evil
	for range 500 {
		job.Outcome.Targets = append(job.Outcome.Targets,
			Target{Name: evil, Status: evil, Step: evil, Artifact: evil, Parity: evil})
	}
	s := newSlack(t)
	top, blocks := message(job)
	for _, all := range [][]any{anys(blocks), anys(cause(job))} {
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		s.limits(string(text), "")
		for _, bad := range []string{"javascript:", "\\u202e", "\u202e", "\u200b", `"mrkdwn"`} {
			if strings.Contains(string(text), bad) {
				t.Errorf("it holds %q", bad)
			}
		}
	}
	if len([]rune(top)) > maxText {
		t.Errorf("the text has %d characters", len([]rune(top)))
	}
	cells := 0
	for _, row := range table(job.Outcome.Targets).Rows {
		for _, cell := range row {
			text, err := json.Marshal(cell)
			if err != nil {
				t.Fatal(err)
			}
			cells += len([]rune(string(text)))
		}
	}
	if cells > 20_000 { // with the JSON around the text, of which Slack takes 10,000
		t.Errorf("the table has %d characters", cells)
	}
	_, _ = message(Job{}) // nothing at all is no panic
}

func anys[T any](list []T) []any {
	all := make([]any, 0, len(list))
	for _, one := range list {
		all = append(all, one)
	}
	return all
}
