// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
)

// ovfItemPath is the REST call by which vCenter makes an OVF item of a virtual machine.
const ovfItemPath = "/rest/com/vmware/vcenter/ovf/library-item"

// maxRequest bounds a request's body; the real ones have a few hundred bytes.
const maxRequest = 1 << 20

// ovfImporter completes the simulator's answer when an existing item is updated: it is empty there, and
// clients want the item's id.
type ovfImporter struct{ mux *http.ServeMux }

func (o ovfImporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// The simulator registers its REST interface as one subtree; another path of it leads to its handler.
	simulated, _ := o.mux.Handler(&http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/rest/"}})
	var request struct {
		Target struct {
			LibraryItemID string `json:"library_item_id"`
		} `json:"target"`
	}
	if r.Method != http.MethodPost || json.Unmarshal(body, &request) != nil || request.Target.LibraryItemID == "" {
		simulated.ServeHTTP(w, r)
		return
	}
	answer := &answerWatch{ResponseWriter: w}
	simulated.ServeHTTP(answer, r)
	if answer.wrote || (answer.code != 0 && answer.code != http.StatusOK) {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{ // fails only when the client is gone
		"value": map[string]any{"succeeded": true, "ovf_library_item_id": request.Target.LibraryItemID},
	})
}

// answerWatch notes whether an answer has a body.
type answerWatch struct {
	http.ResponseWriter
	code  int
	wrote bool
}

func (a *answerWatch) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}

func (a *answerWatch) Write(p []byte) (int, error) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	a.wrote = true
	return a.ResponseWriter.Write(p) //nolint:wrapcheck // http.ResponseWriter, passed through
}
