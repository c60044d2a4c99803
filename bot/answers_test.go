// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:52Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
)

// TestAnswersOnlySlack says which addresses for answers are used.
func TestAnswersOnlySlack(t *testing.T) {
	t.Parallel()
	const sim = "http://127.0.0.1:4000"
	real, lab, proxy := NewChat("xoxb-1", "", ""), NewChat("xoxb-1", "", sim+"/api/"), NewChat("xoxb-1", "",
		"https://slack.example.com/api/")
	for address, want := range map[string]bool{
		"https://hooks.slack.com/commands/T1/2/x": true, "https://hooks.slack.com/actions/T1/2/x": true,
		"https://files.slack.com/x":         true,
		"http://hooks.slack.com/commands/x": false, "https://hooks.slack.com.evil.example/x": false,
		"https://evil-slack.com/x":       false,
		"https://slack.com.evil.example": false, "https://evil.example/hooks.slack.com": false,
		"https://evil.example#.slack.com": false,
		"https://evil.example?.slack.com": false, "https://hooks.slack.com@evil.example/x": false,
		"https://user@hooks.slack.com/x": false,
		"https://hooks.slack.com:8443/x": false, "https:hooks.slack.com": false, "//hooks.slack.com/x": false,
		"ftp://hooks.slack.com/x": false,
		"https://127.0.0.1/x":     false, "https://[::1]/x": false, "http://169.254.169.254/latest/meta-data": false,
		"file:///etc/passwd": false,
		"":                   false, "https://": false, "https://evil.example\\.slack.com/": false,
		"https://evil.example%2f.slack.com/": false, sim + "/x": false,
		"https://slack.example.com/x": false, " https://hooks.slack.com/x": false,
	} {
		for name, chat := range map[string]*Chat{"Slack": real, "a proxy": proxy} {
			if got := chat.hook(address); got != want {
				t.Errorf("%s: %q is used: %t", name, address, got)
			}
		}
		if got := (&Worker{}).answerable(address); got != want {
			t.Errorf("a worker uses %q: %t", address, got)
		}
		if got := lab.hook(address); got != (want || address == sim+"/x") {
			t.Errorf("with a simulator on loopback %q is used: %t", address, got)
		}
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
	chat := NewChat("xoxb-1", "", sim.URL+"/api/")
	now := time.Now()
	for _, address := range []string{sim.URL + "/hook", other.URL, other.URL + "/hook"} {
		to := door.Command{Channel: channel, User: mara, At: now, ReplyTo: address}
		_ = chat.Ephemeral(t.Context(), to, "secret answer", now)
		r := newRig(t)
		r.Slack, r.Answers = chat.API, chat.hook
		id := r.ask(1, func(j *Job) { j.Command.ReplyTo = address })
		r.until("running", func() bool { return r.job(id).State.Final() })
	}
	if elsewhere.Load() > 0 || hooks.Load() < 2 {
		t.Errorf("%d answers elsewhere, %d at Slack's own", elsewhere.Load(), hooks.Load())
	}
}
