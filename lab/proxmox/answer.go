// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// prefix is where the API begins.
const prefix = "/api2/json"

// maxParams bounds the parameters of a call, in bytes; uploads are streamed.
const maxParams = 1 << 20

// params are a call's parameters, from its body and its query.
type params map[string]string

// get returns a parameter, or "".
func (p params) get(name string) string { return p[name] }

// number returns a whole number, or 0 without the parameter.
func (p params) number(name string) (int, error) {
	text := p[name]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid(name, "type check ('integer') failed - got '"+text+"'")
	}
	return n, nil
}

// failure is an error that a call is answered with.
type failure struct {
	status int
	reason string
	fields map[string]string // parameter → what is wrong with it
}

// Error is the reason.
func (f *failure) Error() string { return f.reason }

// refuse is the usual failure, which Proxmox VE answers with status 500.
func refuse(format string, args ...any) error {
	return &failure{status: http.StatusInternalServerError, reason: fmt.Sprintf(format, args...)}
}

// invalid is a wrong parameter.
func invalid(name, problem string) error {
	return &failure{
		status: http.StatusBadRequest, reason: "Parameter verification failed.",
		fields: map[string]string{name: problem},
	}
}

// call carries one call out.
type call func(r *http.Request, p params) (any, error)

// readParams reads a query and a body that is a form or a JSON object.
func readParams(w http.ResponseWriter, r *http.Request) (params, error) {
	p := make(params)
	for name, values := range r.URL.Query() {
		p[name] = values[0]
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxParams))
	if err != nil {
		return nil, &failure{status: http.StatusRequestEntityTooLarge, reason: "for data too large"}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "application/json" {
		return p, readJSON(body, p)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &failure{status: http.StatusBadRequest, reason: "malformed form data"}
	}
	for name, values := range form {
		p[name] = values[0]
	}
	return p, nil
}

// readJSON reads the members of an object as Proxmox VE does: truth as 1 and 0.
func readJSON(body []byte, p params) error {
	if len(body) == 0 {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		return &failure{status: http.StatusBadRequest, reason: "malformed JSON data"}
	}
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case bool:
			p[name] = "0"
			if v {
				p[name] = "1"
			}
		case float64:
			p[name] = strconv.FormatFloat(v, 'f', -1, 64)
		case string:
			p[name] = v
		default:
			return invalid(name, "type check ('string') failed")
		}
	}
	return nil
}

// answer writes {"data": …}, or a failure with its own reason phrase.
func answer(w http.ResponseWriter, data any, err error) {
	status, reason := http.StatusOK, "OK"
	document := map[string]any{"data": data}
	if err != nil {
		failed := &failure{status: http.StatusInternalServerError, reason: err.Error()}
		errors.As(err, &failed)
		status, reason = failed.status, failed.reason
		document = map[string]any{"data": nil, "message": reason + "\n"}
		if failed.fields != nil {
			document["errors"] = failed.fields
		}
	}
	body, err := json.Marshal(document)
	if err != nil {
		status, reason, body = http.StatusInternalServerError, "encoding the answer: "+err.Error(), []byte(`{"data":null}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Server", "pve-api-daemon/3.0")
	if status != http.StatusOK {
		fault.WriteStatus(w, status, reason, body)
		return
	}
	_, _ = w.Write(body) // the caller has gone
}

// answerFault answers with a rule's status and reason.
func answerFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	reason := rule.Reason
	if reason == "" {
		reason = http.StatusText(rule.Status)
	}
	if rule.Status < http.StatusBadRequest {
		w.WriteHeader(rule.Status)
		return
	}
	answer(w, nil, &failure{status: rule.Status, reason: reason})
}

// sortedKeys returns the names of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
