// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Limits of the server.
const (
	maxBody = 10 << 20 // of a request, in bytes
)

// Object is a JSON object as GitHub shows it.
type Object = map[string]any

// refusal is an answer other than success.
type refusal struct {
	status  int
	message string
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, message: fmt.Sprintf(format, args...)}
}

// request is a call that was matched to an operation.
type request struct {
	*http.Request
	params map[string]string
	body   Object
}

// number is a parameter of the path that the description says is a number.
func (r request) number(name string) int64 {
	n, _ := strconv.ParseInt(r.params[name], 10, 64) // 0 is nobody's identifier
	return n
}

// redirect is the answer that names another address on this server.
type redirect string

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func refused(no *refusal) (int, []byte) {
	return no.status, encode(Object{
		"message": no.message, "documentation_url": "https://docs.github.com/rest",
		"status": strconv.Itoa(no.status),
	})
}

// answerFault writes an error as GitHub does.
func answerFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	body := encode(Object{"message": rule.Reason, "documentation_url": "https://docs.github.com/rest"})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch {
	case rule.Status >= http.StatusInternalServerError:
		w.Header().Set("Content-Type", "text/html")
		body = []byte("<html><head><title>Unicorn! &middot; GitHub</title></head><body>We had issues producing the " +
			"response to your request.</body></html>")
	case rule.Reason == "" && (rule.Status == http.StatusForbidden || rule.Status == http.StatusTooManyRequests):
		body = encode(Object{
			"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api" +
				"#about-secondary-rate-limits",
		})
	}
	fault.WriteStatus(w, rule.Status, "", body)
}

// encode writes JSON; values here always have one.
func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic("github: a plain value does not encode: " + err.Error())
	}
	return text
}

// copyOf copies an object as deep as it is.
func copyOf(from Object) Object {
	var to Object
	if err := json.Unmarshal(encode(from), &to); err != nil {
		panic("github: a plain value does not decode: " + err.Error())
	}
	return to
}

// paged is a list of which an answer has one page.
type paged struct {
	key   string // of the list in an object; empty: the answer is the list
	items []any
}

// cut returns the page that was asked for and links to the next.
func (p paged) cut(w http.ResponseWriter, r *http.Request, base string) any {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page")) // checked before
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	if size == 0 {
		size = 30
	}
	size, page = min(size, 100), max(page, 1)
	from := min((page-1)*size, len(p.items))
	to := min(from+size, len(p.items))
	if to < len(p.items) {
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(page+1))
		w.Header().Set("Link", "<"+strings.TrimSuffix(base, "/")+r.URL.Path+"?"+query.Encode()+`>; rel="next"`)
	}
	items := append([]any{}, p.items[from:to]...)
	if p.key == "" {
		return items
	}
	return Object{"total_count": len(p.items), p.key: items}
}

// Limits that GitHub documents for check-runs and comments, in characters, and
// for dispatches. It counts UTF-16 units.
const (
	maxOutput  = 65_535
	maxComment = 65_536
	maxTitle   = 256
	maxInputs  = 25
)

func units(text string) int { return len(utf16.Encode([]rune(text))) }
