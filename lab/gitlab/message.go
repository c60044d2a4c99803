// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Limits of the server.
const (
	maxBody = 10 << 20 // of a request, in bytes
)

// Object is a JSON object as GitLab shows it.
type Object = map[string]any

// Access levels of members, as GitLab numbers them.
const (
	Guest      = 10
	Reporter   = 20
	Developer  = 30
	Maintainer = 40
)

// User is an account. A project access token has one of its own.
type User struct {
	ID       int64
	Username string
	Level    int // of access to the project; 0: no member
}

// shown is how others see an account.
func (u User) shown() Object {
	return Object{
		"id": u.ID, "username": u.Username, "name": u.Username, "state": "active", "avatar_url": nil,
		"web_url": "https://gitlab.example/" + u.Username,
	}
}

// request is a call that was matched to an operation.
type request struct {
	params map[string]string // of the path
	given  Object            // of query and body: text, int64, bool, Object, []Object, []string
	by     User
}

func (r request) text(name string) string { value, _ := r.given[name].(string); return value }

func (r request) number(name string) int64 {
	if n, ok := r.given[name].(int64); ok {
		return n
	}
	n, _ := strconv.ParseInt(r.params[name], 10, 64) // 0 is nobody's identifier
	return n
}

// refusal is an answer other than success.
type refusal struct {
	status int
	body   Object
}

// refuse is an error of GitLab's own.
func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, Object{"message": fmt.Sprintf("%d ", status) + fmt.Sprintf(format, args...)}}
}

// invalid is an error of the layer that reads parameters.
func invalid(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, Object{"error": fmt.Sprintf(format, args...)}}
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps, lists and plain values are shown
	}
	return text
}

// answerFault writes an error as GitLab does: limits as plain text, what is in
// front of it as a page.
func answerFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	reason, kind, text := rule.Reason, "application/json", []byte(nil)
	if reason == "" {
		reason = fmt.Sprintf("%d %s", rule.Status, http.StatusText(rule.Status))
	}
	switch {
	case rule.Status == http.StatusTooManyRequests:
		kind, text = "text/plain", []byte("Retry later\n")
	case rule.Status >= http.StatusInternalServerError && rule.Reason == "":
		kind, text = "text/html", []byte("<html><title>GitLab is not responding</title>"+reason+"</html>")
	default:
		text = encode(Object{"message": reason})
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(rule.Status)
	_, _ = w.Write(text) // the caller has gone
}
