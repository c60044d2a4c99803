// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:22:00Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// itemPath is below which the REST calls on items and on the sessions that change their files are.
const itemPath = "/rest/com/vmware/content/library/item/"

// ContentVersions counts the changes of the files of library items, as vCenter does: the version of an item's
// content grows with each, and that of its description does not.
type ContentVersions struct {
	mux *http.ServeMux

	mu      sync.Mutex
	changes map[string]int // by identifier of the item
}

// NewContentVersions puts the counting in front of the simulator's REST interface.
func NewContentVersions(mux *http.ServeMux) *ContentVersions {
	c := &ContentVersions{mux: mux, changes: map[string]int{}}
	mux.Handle(itemPath, c)
	mux.Handle(strings.TrimSuffix(itemPath, "/"), c) // else it is redirected
	return c
}

// Changed counts a change.
func (c *ContentVersions) Changed(item string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes[item]++
}

// ServeHTTP answers as the simulator does, with the version of the content.
func (c *ContentVersions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	simulated, _ := c.mux.Handler(&http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/rest/"}})
	rest := strings.TrimPrefix(r.URL.Path, itemPath)
	session, changes := strings.CutPrefix(rest, "update-session/id:")
	id, one := strings.CutPrefix(rest, "id:")
	switch {
	case changes && r.Method == http.MethodPost && r.URL.Query().Get("~action") == "complete":
		asked := httptest.NewRecorder()
		question := r.Clone(r.Context())
		question.Method, question.Body, question.URL.RawQuery = http.MethodGet, http.NoBody, ""
		question.URL.Path = itemPath + "update-session/id:" + session
		simulated.ServeHTTP(asked, question)
		var known struct {
			Value struct {
				Item string `json:"library_item_id"`
			} `json:"value"`
		}
		if json.Unmarshal(asked.Body.Bytes(), &known) == nil {
			c.Changed(known.Value.Item)
		}
	case one && r.Method == http.MethodGet:
		answer := &answerWatch{ResponseWriter: w, held: true}
		simulated.ServeHTTP(answer, r)
		body := c.versioned(id, answer.body.Bytes())
		w.WriteHeader(max(answer.code, http.StatusOK))
		_, _ = w.Write(body) //nolint:gosec // JSON of our own, on loopback
		return
	}
	simulated.ServeHTTP(w, r)
}

// versioned is an answer about an item with the version of its content, which is 1 at first.
func (c *ContentVersions) versioned(item string, body []byte) []byte {
	c.mu.Lock()
	version := strconv.Itoa(1 + c.changes[item])
	c.mu.Unlock()
	var answer struct {
		Value map[string]any `json:"value"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&answer) != nil || answer.Value == nil {
		return body
	}
	answer.Value["content_version"] = version
	changed, err := json.Marshal(answer)
	if err != nil {
		return body
	}
	return changed
}
