// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"fmt"
	"maps"
	"slices"
)

// Checks are the check-runs in the order of their creation, each with what was
// annotated in "annotations".
func (s *Server) Checks() []Object { return s.copies(&s.checks.all) }

// Comments are the comments of all issues in the order of their creation.
func (s *Server) Comments() []Object { return s.copies(&s.comments.all) }

// Issues are those that are no pull request, in the order of their creation.
func (s *Server) Issues() []Object { return s.copies(&s.issues.all) }

// AddIssue is an issue by anybody; it returns its number.
func (s *Server) AddIssue(login, title, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues.add(login, title, body)
	return firstIssue + int64(len(s.issues.all))
}

// SetIssue opens or closes an issue, as a person would.
func (s *Server) SetIssue(number int64, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues.all[number-firstIssue-1]["state"] = state
}

// Dispatches are the bodies of all workflow dispatches.
func (s *Server) Dispatches() []Object { return s.copies(&s.runs.inputs) }

func (s *Server) copies(from *[]Object) []Object {
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
	s.comments.add(issue, login, body)
	return s.repo.last
}

// Runs are all workflow runs in the order of their dispatches.
func (s *Server) Runs() []Object { return s.copies(&s.runs.all) }

// SetRun gives a run a status, and a conclusion when it has ended.
func (s *Server) SetRun(id int64, status, conclusion string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.runs.all {
		if run["id"] == id {
			run["status"], run["conclusion"], run["updated_at"] = status, nullable(conclusion), s.repo.time()
		}
	}
}

// SetJobs gives a run its jobs: each with at least a name and a status.
func (s *Server) SetJobs(id int64, jobs ...Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs.jobs[id] = nil
	for _, job := range jobs {
		set := Object{
			"id": s.repo.id(), "run_id": id,
			"html_url": fmt.Sprintf("https://github.example/runs/%d/job/%d", id, s.repo.last), "conclusion": nil,
			"completed_at": nil,
		}
		maps.Copy(set, job)
		s.runs.jobs[id] = append(s.runs.jobs[id], s.repo.oracle.sample("job", set))
	}
}

// AddArtifact keeps a zip file of a run.
func (s *Server) AddArtifact(run int64, name string, zip []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.repo.id()
	s.artifacts.all = append(s.artifacts.all, artifact{run: run, zip: zip, shown: s.repo.oracle.sample("artifact", Object{
		"id": id, "name": name, "size_in_bytes": len(zip), "expired": false, "created_at": s.repo.time(),
	})})
}

// SetHead moves the branches to another commit.
func (s *Server) SetHead(commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repo.config.Commits = append([]string{commit},
		slices.DeleteFunc(s.repo.config.Commits, func(c string) bool { return c == commit })...)
}

// Deny takes permissions from the token, as Config.Denied does.
func (s *Server) Deny(permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repo.config.Denied = permissions
}

// SetReviews replaces the reviews.
func (s *Server) SetReviews(all ...Review) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repo.config.Reviews = all
}
