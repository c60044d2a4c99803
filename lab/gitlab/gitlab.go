// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:57:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

// Package gitlab simulates the part of GitLab's REST API that packer-hybrid
// calls: projects, merge requests, notes, commit statuses, pipelines, members. It
// takes what docs.gitlab.com/api says and refuses everything else.
package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
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
	project    *project
	notes      notes
	issues     issues
	pipelines  *pipelines
	statuses   statuses
	operations []operation
	calls      []Call
	violations []string
}

// Start serves a simulator on loopback.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	one := &project{config: config, last: 1000}
	all := &pipelines{project: one, files: map[int64]map[string][]byte{}}
	s := &Server{
		project: one, notes: notes{project: one}, pipelines: all, statuses: statuses{project: one, pipelines: all},
	}
	s.issues = issues{project: one, notes: &s.notes}
	s.operations = s.table()
	service, err := fault.Serve(ctx, "GitLab's API", prefix, http.HandlerFunc(s.serve), answerFault)
	if err != nil {
		return nil, err
	}
	s.Service = service
	return s, nil
}

// URL is the base address of the API, as CI_API_V4_URL has it.
func (s *Server) URL() string { return s.Address() + prefix }

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := s.answer(w, r)
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, status})
	h := w.Header()
	h.Set("RateLimit-Limit", "2000")
	h.Set("RateLimit-Remaining", strconv.Itoa(max(1, 2000-len(s.calls))))
	h.Set("RateLimit-Reset", strconv.FormatInt(s.project.config.Now().Add(time.Minute).Unix(), 10))
	if body == nil {
		w.WriteHeader(status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body)) //nolint:gosec // JSON for a test; the caller has gone
}

// answer does what is asked, as far as it is asked well.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (int, any) {
	op, params := route(r, s.operations)
	if op == nil {
		s.violate(r, "there is no such operation among those that packer-hybrid calls")
		return http.StatusNotFound, Object{"error": "404 Not Found"}
	}
	by, no := s.project.authenticate(r, *op)
	if no != nil {
		return no.status, no.body
	}
	if id := params["id"]; id != "" &&
		(id != s.project.config.Project && id != strconv.FormatInt(s.project.config.ID, 10) || by.Level == 0 && !op.open) {
		return http.StatusNotFound, Object{"message": "404 Project Not Found"}
	}
	given, err := read(r, op.fields)
	if err != nil {
		s.violate(r, err.Error())
		no := invalid("%s", err)
		return no.status, no.body
	}
	if by.Level < op.level {
		return http.StatusForbidden, Object{"message": "403 Forbidden"}
	}
	status, out, no := op.do(request{params, given, by})
	if no != nil {
		return no.status, no.body
	}
	if all, ok := out.([]Object); ok {
		out = page(w.Header(), all, request{given: given})
	}
	return status, out
}

func (s *Server) violate(r *http.Request, why string) {
	s.violations = append(s.violations, fmt.Sprintf("%s %s: %s", r.Method, r.URL.Path, why))
}
