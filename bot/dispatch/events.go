// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:00:00Z
// Spec: openspec/specs/bot/spec.md#requirement-events-of-the-ci-system
// Diagram: openspec/specs/bot/diagram.md#one-command

package dispatch

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"
)

// maxEvent bounds the body of an event, in bytes: GitHub sends at most 25 MB,
// those of runs and checks have a hundredth of it.
const maxEvent = 2 << 20

// Events takes the events of a CI system: runs that changed are looked at
// sooner. Nothing in an event is believed but which run it is about.
type Events struct {
	GitHub []byte // secret of GitHub's signatures; empty: its events are refused
	GitLab []byte // token that GitLab sends; empty: its events are refused
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
	if !e.authentic(r.Header, body) {
		e.Log.Warn("an event was refused: its signature or token is wrong", "from", r.RemoteAddr)
		http.Error(w, "not authentic", http.StatusUnauthorized)
		return
	}
	if run, commit := about(r.Header, body); run != "" || commit != "" {
		if err := e.Changed(r.Context(), run, commit); err != nil {
			e.Log.Error("an event was not taken", "error", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// authentic checks GitHub's signature over the body, or GitLab's token.
func (e Events) authentic(h http.Header, body []byte) bool {
	if signature := h.Get("X-Hub-Signature-256"); signature != "" {
		return len(e.GitHub) > 0 && strings.HasPrefix(signature, "sha256=") &&
			github.ValidateSignature(signature, body, e.GitHub) == nil
	}
	given, want := sha256.Sum256([]byte(h.Get("X-Gitlab-Token"))), sha256.Sum256(e.GitLab)
	return len(e.GitLab) > 0 && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

// about says which run, or else which commit, an event is about.
func about(h http.Header, body []byte) (run, commit string) {
	var event struct {
		Run struct {
			ID int64 `json:"id"`
		} `json:"workflow_run"`
		Job struct {
			Run int64 `json:"run_id"`
		} `json:"workflow_job"`
		Check struct {
			Commit string `json:"head_sha"`
		} `json:"check_run"`
		Kind     string `json:"object_kind"`
		Pipeline struct {
			ID int64 `json:"id"`
		} `json:"object_attributes"`
		Of int64 `json:"pipeline_id"`
	}
	if json.Unmarshal(body, &event) != nil {
		return "", ""
	}
	id := int64(0)
	switch h.Get("X-GitHub-Event") {
	case "workflow_run":
		id = event.Run.ID
	case "workflow_job":
		id = event.Job.Run
	case "check_run":
		return "", event.Check.Commit
	case "":
		switch event.Kind {
		case "pipeline":
			id = event.Pipeline.ID
		case "build":
			id = event.Of
		}
	}
	if id <= 0 {
		return "", ""
	}
	return strconv.FormatInt(id, 10), ""
}
