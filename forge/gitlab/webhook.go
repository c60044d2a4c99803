// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:04:00Z
// Spec: openspec/specs/bot/spec.md#requirement-events-of-the-ci-system
// Diagram: openspec/specs/bot/diagram.md#parts

package gitlab

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
)

// webhook is the token that GitLab sends with events; empty: no event is taken.
type webhook []byte

// Authentic compares the token.
func (w webhook) Authentic(h http.Header, _ []byte) bool {
	given, want := sha256.Sum256([]byte(h.Get("X-Gitlab-Token"))), sha256.Sum256(w)
	return len(w) > 0 && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

// About says which pipeline an event is about.
func (webhook) About(_ http.Header, body []byte) (run, commit string) {
	var event struct {
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
	switch event.Kind {
	case "pipeline":
		id = event.Pipeline.ID
	case "build":
		id = event.Of
	}
	if id <= 0 {
		return "", ""
	}
	return strconv.FormatInt(id, 10), ""
}
