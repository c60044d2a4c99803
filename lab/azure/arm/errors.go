// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Error is an error as Azure Resource Manager reports it.
type Error struct {
	Status  int     `json:"-"`
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Details []Error `json:"details,omitempty"`
}

// Error is the message with its code.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse makes an error.
func Refuse(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unsupported is the error about what Azure has and the lab does not.
func Unsupported(format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, "InvalidTemplateDeployment", "The lab does not simulate "+format+".", args...)
}

// AsError turns any error into one that can be sent.
func AsError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return Refuse(http.StatusInternalServerError, "InternalServerError", "%v", err)
}

// WriteError answers with an error.
func WriteError(w http.ResponseWriter, err error) {
	known := AsError(err)
	w.Header().Set("x-ms-failure-cause", "gateway")
	WriteJSON(w, known.Status, map[string]any{"error": known})
}

// WriteJSON answers with a JSON document.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the caller has gone
}

// Clip shortens a text for an error.
func Clip(v string) string {
	const most = 200
	if len(v) > most {
		return v[:most] + "..."
	}
	return v
}
