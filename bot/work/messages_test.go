// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:34:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package work

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
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
	err := jobs.Change(t.Context(), r.with.Store, id, func(tx *store.Tx, j *jobs.Job) error {
		j.Message.TS, j.Message.Tried = "", begin
		return jobs.Tell(tx, j)
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
	r.ci.progress = []cirun.Progress{{
		Done:    true,
		Outcome: cirun.Outcome{Status: hybridcore.Failed, Why: "debian-12@vsphere: no route to host", Tail: tail},
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
	id := r.ask(1, func(j *jobs.Job) { j.Command.ReplyTo = r.hub.server.URL + "/reply" })
	r.until("the end", func() bool { j := r.job(id); return j.State.Final() && j.Message.Sent == j.Message.Want })
	if replies < 1 || replies > maxReplies || len(r.hub.all()) != 0 {
		t.Errorf("%d replies, %d messages", replies, len(r.hub.all()))
	}
}

// TestAnswerNotRedirected answers at an address that redirects, and at one that is
// not Slack's: nothing is posted elsewhere.
func TestAnswerNotRedirected(t *testing.T) {
	t.Parallel()
	var elsewhere, hooks atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", func(w http.ResponseWriter, r *http.Request) {
		hooks.Add(1)
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/chat.postMessage" {
			_, _ = w.Write([]byte(`{"ok":false,"error":"not_in_channel"}`))
			return
		}
		_, _ = w.Write([]byte(`{"ok":true}`))
	})
	sim := httptest.NewServer(mux)
	defer sim.Close()
	client := chat.New("xoxb-1", "", sim.URL+"/api/")
	now := time.Now()
	for _, address := range []string{sim.URL + "/hook", other.URL, other.URL + "/hook"} {
		to := door.Command{Channel: channel, User: mara, At: now, ReplyTo: address}
		_ = client.Ephemeral(t.Context(), to, "secret answer", now)
		r := newRig(t)
		r.messages.chat = client
		id := r.ask(1, func(j *jobs.Job) { j.Command.ReplyTo = address })
		r.until("running", func() bool { return r.job(id).State.Final() })
	}
	if elsewhere.Load() > 0 || hooks.Load() < 2 {
		t.Errorf("%d answers elsewhere, %d at Slack's own", elsewhere.Load(), hooks.Load())
	}
}
