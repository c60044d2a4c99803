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
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

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

// Config is how a simulator is to be.
type Config struct {
	Project      string            // path with namespace; others are not found
	ID           int64             // of the project
	Token        string            // a project or personal access token, of Self
	Scopes       []string          // of Token; nil: api
	JobToken     string            // CI_JOB_TOKEN, which may read jobs and the project, and little more
	TriggerToken string            // of a pipeline trigger; empty: there is none
	Self         User              // whom Token belongs to
	Users        []User            // others
	Refs         map[string]string // branch or tag → full object ID; main is the default branch
	Protected    []string          // refs whose pipelines only a Maintainer changes
	Pipeline     string            // .gitlab-ci.yml with all that it includes; empty: there is none
	Archived     bool
	Change       int64            // number of the one open merge request, from the branch "change"; 0: none
	Now          func() time.Time // nil: the system's clock
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

	mu         sync.Mutex
	last       int64 // identifier that was given
	notes      []Object
	statuses   []Object
	pipelines  []Object
	jobs       []Object
	files      map[int64]map[string][]byte // of jobs, by path
	obeyed     []string                    // quick actions
	calls      []Call
	violations []string
}

// Start serves a simulator on loopback.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{config: config, last: 1000}
	service, err := fault.Serve(ctx, "GitLab's API", prefix, http.HandlerFunc(s.serve), answerFault)
	if err != nil {
		return nil, err
	}
	s.Service = service
	return s, nil
}

// prefix of every path.
const prefix = "/api/v4"

// URL is the base address of the API, as CI_API_V4_URL has it.
func (s *Server) URL() string { return s.Address() + prefix }

// Notes are the notes of the merge request in the order of their creation.
func (s *Server) Notes() []Object { return s.list(&s.notes) }

// Statuses are all commit statuses in the order of their creation; "retried"
// says that a newer one of the same name is shown instead.
func (s *Server) Statuses() []Object { return s.list(&s.statuses) }

// Pipelines are all pipelines in the order of their creation, each with its
// "variables" by name.
func (s *Server) Pipelines() []Object { return s.list(&s.pipelines) }

func (s *Server) list(from *[]Object) []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Object
	for _, one := range *from {
		all = append(all, maps.Clone(one))
	}
	return all
}

// Calls are the requests that came through the faults.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Obeyed are the quick actions that notes held, which GitLab does in the name
// of the author; none is what a test wants.
func (s *Server) Obeyed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.obeyed)
}

// Violations say what a caller did against the documentation; none is what a
// test wants.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) id() int64 {
	s.last++
	return s.last
}

func (s *Server) time() string {
	return s.config.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
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

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, body := s.answer(w, r)
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, status})
	h := w.Header()
	h.Set("RateLimit-Limit", "2000")
	h.Set("RateLimit-Remaining", strconv.Itoa(max(1, 2000-len(s.calls))))
	h.Set("RateLimit-Reset", strconv.FormatInt(s.config.Now().Add(time.Minute).Unix(), 10))
	if body == nil {
		w.WriteHeader(status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body)) //nolint:gosec // JSON for a test; the caller has gone
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
