// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:46:00Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

// Package github simulates the part of GitHub's REST API that packer-hybrid
// calls. It holds requests and answers against GitHub's own OpenAPI description.
package github

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Limits of the server.
const (
	maxBody = 10 << 20 // of a request, in bytes
)

// Object is a JSON object as GitHub shows it.
type Object = map[string]any

// Config is how a simulator is to be.
type Config struct {
	Repository string   // OWNER/NAME; others are not found
	Token      string   // of the caller
	Login      string   // whom the token belongs to, e.g. github-actions[bot]
	Commits    []string // that exist, full object IDs
	Change     int      // number of the one open pull request, whose head is the first commit; 0: none
	Base       string   // commit that the pull request is to be merged into; empty: its head
	Branch     string   // the one there is, at the first commit; empty: any
	App        *App     // may get tokens for its installation; nil: whoever has Token may
	RunName    string   // the workflow's run-name, with %s for the input request_id; empty: "images %s"
	Denied     []string // what the token must not write: checks, issues, actions; or read: contents:read, checks:read
	Archived   bool
	Workflows  map[string]Workflow // by file name; nil: any can be dispatched, and none is shown
	Roles      map[string]string   // login → permission: admin, write, read, none
	Users      map[string]int64    // login → ID; others have 7
	Author     string              // of the pull request; empty: somebody
	Reviews    []Review            // of the pull request, oldest first
	Now        func() time.Time    // nil: the system's clock
}

// Call is one request that came through the faults, and its answer's status.
type Call struct {
	Method, Path string
	Status       int
}

// Server is a running simulator.
type Server struct {
	*fault.Service

	config Config
	oracle *oracle

	mu         sync.Mutex
	last       int64 // identifier that was given
	checks     []Object
	comments   []Object
	runs       []Object
	inputs     []Object // of dispatches
	jobs       map[int64][]any
	artifacts  []artifact
	calls      []Call
	violations []string
}

// Start serves a simulator on loopback.
func Start(ctx context.Context, config Config) (*Server, error) {
	oracle, err := newOracle()
	if err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{config: config, oracle: oracle, last: 1000}
	service, err := fault.Serve(ctx, "GitHub's API", "", http.HandlerFunc(s.serve), answerFault)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Service = service // requests may have come by now
	return s, nil
}

// URL is the base address of the API, with a slash at its end.
func (s *Server) URL() string { return s.Address() + "/" }

// Checks are the check-runs in the order of their creation, each with what was
// annotated in "annotations".
func (s *Server) Checks() []Object { return s.list(&s.checks) }

// Comments are the comments of all issues in the order of their creation.
func (s *Server) Comments() []Object { return s.list(&s.comments) }

// Dispatches are the bodies of all workflow dispatches.
func (s *Server) Dispatches() []Object { return s.list(&s.inputs) }

func (s *Server) list(from *[]Object) []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Object
	for _, one := range *from {
		all = append(all, copyOf(one))
	}
	return all
}

// Calls are the requests that came through the faults.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Violations say what a caller or the server itself did against the
// description; none is what a test wants.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// AddComment is a comment by anybody.
func (s *Server) AddComment(issue int, login, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addComment(issue, login, body)
	return s.last
}

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

// operation does one thing and returns the status and body of the answer; a
// nil body is none.
type operation struct {
	needs string // permission that can be denied
	do    func(*Server, request) (int, any, *refusal)
}

var operations = map[string]operation{
	"POST /repos/{owner}/{repo}/check-runs":                                      {"checks", (*Server).createCheck},
	"GET /repos/{owner}/{repo}/check-runs/{check_run_id}":                        {"", (*Server).getCheck},
	"PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}":                      {"checks", (*Server).updateCheck},
	"GET /repos/{owner}/{repo}/commits/{ref}/check-runs":                         {"checks:read", (*Server).listChecks},
	"GET /repos/{owner}/{repo}/issues/{issue_number}/comments":                   {"", (*Server).listComments},
	"POST /repos/{owner}/{repo}/issues/{issue_number}/comments":                  {"issues", (*Server).createComment},
	"GET /repos/{owner}/{repo}/issues/comments/{comment_id}":                     {"", (*Server).getComment},
	"PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}":                   {"issues", (*Server).updateComment},
	"DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}":                  {"issues", (*Server).deleteComment},
	"GET /repos/{owner}/{repo}/pulls/{pull_number}":                              {"", (*Server).getPull},
	"GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews":                      {"", (*Server).listReviews},
	"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls":                       {"", (*Server).listPullsOf},
	"GET /repos/{owner}/{repo}/collaborators/{username}/permission":              {"", (*Server).getPermission},
	"POST /app/installations/{installation_id}/access_tokens":                    {"", (*Server).createToken},
	"POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches":      {"actions", (*Server).dispatch},
	"GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs":             {"", (*Server).listRuns},
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}":                            {"", (*Server).getRun},
	"POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel":                    {"actions", (*Server).cancelRun},
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs":                       {"", (*Server).listJobs},
	"GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts":                  {"", (*Server).listArtifacts},
	"GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": {"", (*Server).getArtifact},
	"GET /repos/{owner}/{repo}/git/ref/{ref}":                                    {"", (*Server).getRef},
	"GET /repos/{owner}/{repo}":                                                  {"", (*Server).getRepository},
	"GET /repos/{owner}/{repo}/contents/{path}":                                  {"contents:read", (*Server).getContents},
	"GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}":                  {"", (*Server).getWorkflow},
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, blobs) {
		s.blob(w, r)
		return
	}
	status, body := s.answer(w, r)
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, status})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-RateLimit-Limit", "5000")
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(1, 5000-len(s.calls))))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(s.config.Now().Add(time.Hour).Unix(), 10))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON for a test; the caller has gone
}

// answer does what is asked and checks both sides.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (int, []byte) {
	route, params := s.oracle.route(r.Method, r.URL.Path)
	if route == nil {
		s.violations = append(s.violations,
			r.Method+" "+r.URL.Path+" is not an operation of the description, as far as it was kept")
		return refused(refuse(http.StatusNotFound, "Not Found"))
	}
	op := operations[route.Method+" "+route.Path]
	switch {
	case !s.allowed(r):
		return refused(refuse(http.StatusUnauthorized, "Bad credentials"))
	case params["repo"] != "" && params["owner"]+"/"+params["repo"] != s.config.Repository:
		return refused(refuse(http.StatusNotFound, "Not Found"))
	case op.needs != "" && slices.Contains(s.config.Denied, op.needs):
		return refused(refuse(http.StatusForbidden, "Resource not accessible by integration"))
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return refused(refuse(http.StatusBadRequest, "Problems reading the body"))
	}
	checked, err := s.oracle.request(r, text, route, params)
	if err != nil {
		s.violations = append(s.violations, fmt.Sprintf("%s %s: %v", r.Method, r.URL.Path, err))
		return refused(refuse(http.StatusUnprocessableEntity, "Invalid request.\n\n%v", err))
	}
	var body Object
	if len(text) > 0 {
		_ = json.Unmarshal(text, &body) // the description has checked it
	}
	status, out, no := op.do(s, request{r, params, body})
	if no != nil {
		return refused(no)
	}
	if page, ok := out.(paged); ok {
		out = page.cut(w, r, s.URL())
	}
	if to, ok := out.(redirect); ok {
		w.Header().Set("Location", strings.TrimSuffix(s.URL(), "/")+string(to))
		out = nil
	}
	if out == nil {
		return status, nil
	}
	encoded := encode(out)
	if err := s.oracle.answer(checked, status, encoded); err != nil {
		s.violations = append(s.violations, fmt.Sprintf("the answer to %s %s: %v", r.Method, r.URL.Path, err))
		return refused(refuse(http.StatusInternalServerError, "the simulator's answer: %v", err))
	}
	return status, encoded
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
