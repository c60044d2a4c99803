// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:00:00Z
// Spec: openspec/specs/bot/spec.md#requirement-events-of-the-ci-system
// Diagram: openspec/specs/bot/diagram.md#one-command

package dispatch

import (
	"context"
	"io"
	"log/slog"
	"net/http"
)

// maxEvent bounds the body of an event, in bytes: GitHub sends at most 25 MB,
// those of runs and checks have a hundredth of it.
const maxEvent = 2 << 20

// Source is a CI system that sends events.
type Source interface {
	// Authentic says whether an event is from there: by a signature, or a token.
	Authentic(h http.Header, body []byte) bool
	// About says which run, or else which commit, an event is about.
	About(h http.Header, body []byte) (run, commit string)
}

// Events takes the events of a CI system: runs that changed are looked at
// sooner. Nothing in an event is believed but which run it is about.
type Events struct {
	Sources []Source
	// Changed has a run looked at, or those of a commit; see bot.Worker.
	Changed func(ctx context.Context, run, commit string) error
	Log     *slog.Logger
}

// ServeHTTP implements http.Handler.
func (e Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil {
		http.Error(w, "the body is too large or broken", http.StatusRequestEntityTooLarge)
		return
	}
	run, commit, ok := e.about(r.Header, body)
	if !ok {
		e.Log.Warn("an event was refused: its signature or token is wrong", "from", r.RemoteAddr)
		http.Error(w, "not authentic", http.StatusUnauthorized)
		return
	}
	if run != "" || commit != "" {
		if err := e.Changed(r.Context(), run, commit); err != nil {
			e.Log.Error("an event was not taken", "error", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// about says which run, or else which commit, an event is about; false when it is of
// none of the sources.
func (e Events) about(h http.Header, body []byte) (run, commit string, ok bool) {
	for _, source := range e.Sources {
		if source.Authentic(h, body) {
			run, commit = source.About(h, body)
			return run, commit, true
		}
	}
	return "", "", false
}
