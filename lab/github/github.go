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

// Call is one request that came through the faults, and its answer's status.
type Call struct {
	Method, Path string
	Status       int
}

// Server is a running simulator.
type Server struct {
	*fault.Service

	mu         sync.Mutex // of all that follows
	repo       *repository
	checks     checks
	comments   comments
	issues     issues
	pulls      pulls
	runs       runs
	artifacts  artifacts
	operations map[string]operation
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
	repo := &repository{config: config, oracle: oracle, last: 1000}
	s := &Server{
		repo: repo, checks: checks{repo: repo}, comments: comments{repo: repo}, pulls: pulls{repo},
		issues: issues{repo: repo}, runs: runs{repo: repo, jobs: map[int64][]any{}}, artifacts: artifacts{repo: repo},
	}
	s.operations = s.table()
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

// operation does one thing and returns the status and body of the answer; a
// nil body is none.
type operation struct {
	needs string // permission that can be denied
	do    func(request) (int, any, *refusal)
}

// table has the operations that are simulated.
func (s *Server) table() map[string]operation {
	return map[string]operation{
		"POST /repos/{owner}/{repo}/check-runs":                                      {"checks", s.checks.create},
		"GET /repos/{owner}/{repo}/check-runs/{check_run_id}":                        {"", s.checks.get},
		"PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}":                      {"checks", s.checks.update},
		"GET /repos/{owner}/{repo}/commits/{ref}/check-runs":                         {"checks:read", s.checks.list},
		"GET /repos/{owner}/{repo}/issues":                                           {"issues:read", s.issues.list},
		"POST /repos/{owner}/{repo}/issues":                                          {"issues", s.issues.create},
		"GET /repos/{owner}/{repo}/issues/{issue_number}":                            {"issues:read", s.issues.get},
		"PATCH /repos/{owner}/{repo}/issues/{issue_number}":                          {"issues", s.issues.update},
		"GET /repos/{owner}/{repo}/issues/{issue_number}/comments":                   {"", s.comments.list},
		"POST /repos/{owner}/{repo}/issues/{issue_number}/comments":                  {"issues", s.comments.create},
		"GET /repos/{owner}/{repo}/issues/comments/{comment_id}":                     {"", s.comments.get},
		"PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}":                   {"issues", s.comments.update},
		"DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}":                  {"issues", s.comments.remove},
		"GET /repos/{owner}/{repo}/pulls/{pull_number}":                              {"", s.pulls.get},
		"GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews":                      {"", s.pulls.reviews},
		"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls":                       {"", s.pulls.listOf},
		"GET /repos/{owner}/{repo}/collaborators/{username}/permission":              {"", s.repo.getPermission},
		"POST /app/installations/{installation_id}/access_tokens":                    {"", s.repo.createToken},
		"POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches":      {"actions", s.runs.dispatch},
		"GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs":             {"", s.runs.list},
		"GET /repos/{owner}/{repo}/actions/runs/{run_id}":                            {"", s.runs.get},
		"POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel":                    {"actions", s.runs.cancel},
		"GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs":                       {"", s.runs.listJobs},
		"GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts":                  {"", s.artifacts.list},
		"GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": {"", s.artifacts.get},
		"GET /repos/{owner}/{repo}/git/ref/{ref}":                                    {"", s.repo.getRef},
		"GET /repos/{owner}/{repo}":                                                  {"", s.repo.getRepository},
		"GET /repos/{owner}/{repo}/contents/{path}":                                  {"contents:read", s.repo.getContents},
		"GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}":                  {"", s.repo.getWorkflow},
	}
}

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, blobs) {
		if r.Header.Get("Authorization") != "" {
			s.violations = append(s.violations, "the token was sent to where artifacts are")
		}
		s.artifacts.serve(w, r)
		return
	}
	status, body := s.answer(w, r)
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, status})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-RateLimit-Limit", "5000")
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(1, 5000-len(s.calls))))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(s.repo.config.Now().Add(time.Hour).Unix(), 10))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON for a test; the caller has gone
}

// answer does what is asked and checks both sides.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (int, []byte) {
	route, params := s.repo.oracle.route(r.Method, r.URL.Path)
	if route == nil {
		s.violations = append(s.violations,
			r.Method+" "+r.URL.Path+" is not an operation of the description, as far as it was kept")
		return refused(refuse(http.StatusNotFound, "Not Found"))
	}
	op := s.operations[route.Method+" "+route.Path]
	switch {
	case !s.repo.allowed(r):
		return refused(refuse(http.StatusUnauthorized, "Bad credentials"))
	case params["repo"] != "" && params["owner"]+"/"+params["repo"] != s.repo.config.Repository:
		return refused(refuse(http.StatusNotFound, "Not Found"))
	case op.needs != "" && slices.Contains(s.repo.config.Denied, op.needs):
		return refused(refuse(http.StatusForbidden, "Resource not accessible by integration"))
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return refused(refuse(http.StatusBadRequest, "Problems reading the body"))
	}
	checked, err := s.repo.oracle.request(r, text, route, params)
	if err != nil {
		s.violations = append(s.violations, fmt.Sprintf("%s %s: %v", r.Method, r.URL.Path, err))
		return refused(refuse(http.StatusUnprocessableEntity, "Invalid request.\n\n%v", err))
	}
	var body Object
	if len(text) > 0 {
		_ = json.Unmarshal(text, &body) // the description has checked it
	}
	status, out, no := op.do(request{r, params, body})
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
	if err := s.repo.oracle.answer(checked, status, encoded); err != nil {
		s.violations = append(s.violations, fmt.Sprintf("the answer to %s %s: %v", r.Method, r.URL.Path, err))
		return refused(refuse(http.StatusInternalServerError, "the simulator's answer: %v", err))
	}
	return status, encoded
}
