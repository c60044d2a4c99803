// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// armError is an error as Azure Resource Manager reports it.
type armError struct {
	Status  int        `json:"-"`
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Details []armError `json:"details,omitempty"`
}

// Error is the message with its code.
func (e *armError) Error() string { return e.Code + ": " + e.Message }

// refuse makes an error.
func refuse(status int, code, format string, args ...any) *armError {
	return &armError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// groupNotFound is the answer about a resource group that does not exist.
func groupNotFound(name string) *armError {
	return refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name)
}

// notFound is the answer about a resource that does not exist.
func notFound(t target) *armError {
	return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource '%s' under resource group '%s' was not found.",
		t.typeAndName(), t.group)
}

// asARM turns any error into one that can be sent.
func asARM(err error) *armError {
	if known, ok := errors.AsType[*armError](err); ok {
		return known
	}
	return refuse(http.StatusInternalServerError, "InternalServerError", "%v", err)
}

// writeError answers with an error.
func writeError(w http.ResponseWriter, err error) {
	known := asARM(err)
	w.Header().Set("x-ms-failure-cause", "gateway")
	writeJSON(w, known.Status, map[string]any{"error": known})
}

// writeJSON answers with a JSON document.
func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the caller has gone
}

// faultCodes are the codes of errors that rules ask for by status.
var faultCodes = map[int]string{
	http.StatusUnauthorized:        "InvalidAuthenticationToken",
	http.StatusForbidden:           "AuthorizationFailed",
	http.StatusNotFound:            "ResourceNotFound",
	http.StatusConflict:            "Conflict",
	http.StatusTooManyRequests:     "TooManyRequests",
	http.StatusInternalServerError: "InternalServerError",
	http.StatusBadGateway:          "BadGateway",
	http.StatusServiceUnavailable:  "ServerTimeout",
}

// writeFault answers as a rule asks.
func (s *Server) writeFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	code, known := faultCodes[rule.Status]
	if !known {
		code = "InjectedFault"
	}
	message := rule.Reason
	if message == "" {
		message = "The lab was told to answer so."
	}
	switch rule.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", s.challenge("invalid_token", message))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	writeError(w, refuse(rule.Status, code, "%s", message))
}
