// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:55:00Z
// Spec: openspec/specs/bot/spec.md#requirement-events-of-the-ci-system
// Diagram: openspec/specs/bot/diagram.md#parts

package github

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"
)

// webhook is the secret of GitHub's signatures of events; empty: no event is taken.
type webhook []byte

// Authentic checks GitHub's signature over the body.
func (w webhook) Authentic(h http.Header, body []byte) bool {
	signature := h.Get("X-Hub-Signature-256")
	return len(w) > 0 && strings.HasPrefix(signature, "sha256=") && github.ValidateSignature(signature, body, w) == nil
}

// About says which run, or else which commit, an event is about.
func (webhook) About(h http.Header, body []byte) (run, commit string) {
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
	}
	if id <= 0 {
		return "", ""
	}
	return strconv.FormatInt(id, 10), ""
}
