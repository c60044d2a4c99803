// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// ovfItemPath is the REST call by which vCenter makes an OVF item of a virtual machine.
const ovfItemPath = "/rest/com/vmware/vcenter/ovf/library-item"

// itemFilePath is the REST call that lists the files of an item.
const itemFilePath = "/rest/com/vmware/content/library/item/file"

// maxRequest bounds a request's body; the real ones have a few hundred bytes.
const maxRequest = 1 << 20

// ovfImporter completes what the simulator answers about OVF items: an update is answered with the item's id,
// and an item that was imported has a descriptor among its files.
type ovfImporter struct {
	mux      *http.ServeMux
	versions *ContentVersions

	mu       sync.Mutex
	imported map[string]string // id of an item → name of its descriptor
}

// newOVFImporter puts an importer in front of the simulator's REST interface.
func newOVFImporter(mux *http.ServeMux) {
	o := &ovfImporter{mux: mux, versions: NewContentVersions(mux), imported: make(map[string]string)}
	mux.HandleFunc(ovfItemPath, o.create)
	mux.HandleFunc(itemFilePath, o.files)
}

// simulated is the simulator's handler. It registers its REST interface as one subtree, so that another path
// of it leads there.
func (o *ovfImporter) simulated() http.Handler {
	handler, _ := o.mux.Handler(&http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/rest/"}})
	return handler
}

// create answers POST: a new item, or the new content of one.
func (o *ovfImporter) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request struct {
		Target struct {
			LibraryItemID string `json:"library_item_id"`
		} `json:"target"`
		Spec struct {
			Name string `json:"name"`
		} `json:"create_spec"`
	}
	if r.Method != http.MethodPost || json.Unmarshal(body, &request) != nil {
		o.simulated().ServeHTTP(w, r)
		return
	}
	answer := &answerWatch{ResponseWriter: w}
	o.simulated().ServeHTTP(answer, r)
	if answer.code != 0 && answer.code != http.StatusOK {
		return
	}
	id := request.Target.LibraryItemID
	if id != "" && answer.body.Len() == 0 {
		_ = json.NewEncoder(w).Encode(map[string]any{ // fails only when the client is gone
			"value": map[string]any{"succeeded": true, "ovf_library_item_id": id},
		})
	}
	var made struct {
		Value struct {
			ID string `json:"ovf_library_item_id"`
		} `json:"value"`
	}
	if id == "" && json.Unmarshal(answer.body.Bytes(), &made) == nil {
		id = made.Value.ID
	}
	o.versions.Changed(id)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.imported[id] = request.Spec.Name + ".ovf"
}

// files answers GET: the files that the simulator knows, or the descriptor of an imported item.
func (o *ovfImporter) files(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	name, imported := o.imported[r.URL.Query().Get("library_item_id")]
	o.mu.Unlock()
	if !imported {
		o.simulated().ServeHTTP(w, r)
		return
	}
	answer := &answerWatch{ResponseWriter: w, held: true}
	o.simulated().ServeHTTP(answer, r)
	if answer.code != 0 && answer.code != http.StatusOK {
		w.WriteHeader(answer.code)
		_, _ = w.Write(answer.body.Bytes()) // the caller has gone
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{ // fails only when the client is gone
		"value": []map[string]any{{"name": name, "version": "1", "size": 1, "cached": true}},
	})
}

// answerWatch notes an answer, and holds it back when it is to be.
type answerWatch struct {
	http.ResponseWriter
	held bool
	code int
	body bytes.Buffer
}

func (a *answerWatch) WriteHeader(code int) {
	a.code = code
	if !a.held {
		a.ResponseWriter.WriteHeader(code)
	}
}

func (a *answerWatch) Write(p []byte) (int, error) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	a.body.Write(p)
	if a.held {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p) //nolint:wrapcheck // http.ResponseWriter, passed through
}
