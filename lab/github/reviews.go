// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:31:16Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import "net/http"

// Review is one of the pull request.
type Review struct {
	Login  string
	State  string // APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED
	Commit string // that it is about; empty: GitHub knows none any more
}

// reviewed is when all reviews are from: before whatever is asked.
const reviewed = "2011-04-14T16:00:49Z"

// SetReviews replaces the reviews.
func (s *Server) SetReviews(all ...Review) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Reviews = all
}

func (s *Server) listReviews(r request) (int, any, *refusal) {
	if r.number("pull_number") != int64(s.config.Change) {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	items := []any{}
	for i, one := range s.config.Reviews {
		items = append(items, s.oracle.sample("pull-request-review", Object{
			"id": i + 1, "user": s.user(one.Login), "state": one.State, "commit_id": nullable(one.Commit),
			"submitted_at": reviewed,
		}))
	}
	return http.StatusOK, paged{"", items}, nil
}

// listPullsOf shows the pull request to who asks for its head.
func (s *Server) listPullsOf(r request) (int, any, *refusal) {
	items := []any{}
	if s.config.Change != 0 && len(s.config.Commits) > 0 && r.params["commit_sha"] == s.config.Commits[0] {
		items = append(items, s.pull("pull-request-simple"))
	}
	return http.StatusOK, paged{"", items}, nil
}
