// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:00Z
// Spec: openspec/specs/lab-github/spec.md#requirement-refusals-beyond-the-description
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// Limits that GitHub documents for check-runs and comments, in characters, and
// for dispatches. It counts UTF-16 units.
const (
	maxOutput  = 65_535
	maxComment = 65_536
	maxInputs  = 25
)

func units(text string) int { return len(utf16.Encode([]rune(text))) }

func (s *Server) id() int64 {
	s.last++
	return s.last
}

func (s *Server) time() string { return s.config.Now().UTC().Format(time.RFC3339) }

// createCheck makes a check-run.
func (s *Server) createCheck(r request) (int, any, *refusal) {
	sha, _ := r.body["head_sha"].(string)
	if !slices.Contains(s.config.Commits, sha) {
		return 0, nil, refuse(http.StatusUnprocessableEntity, "No commit found for SHA: %s", sha)
	}
	if no := badCheck(r.body, nil); no != nil {
		return 0, nil, no
	}
	check := s.oracle.sample("check-run", Object{
		"id": s.id(), "head_sha": sha, "name": r.body["name"], "status": "queued", "external_id": "",
		"pull_requests": []any{},
		"app":           s.oracle.sample("nullable-integration", Object{"slug": strings.TrimSuffix(s.config.Login, "[bot]")}),
		"output": Object{
			"title": nil, "summary": nil, "text": nil, "annotations_count": 0,
			"annotations_url": "https://github.example/a",
		},
	})
	s.setCheck(check, r.body)
	s.checks = append(s.checks, check)
	return http.StatusCreated, shown(check), nil
}

// setCheck changes what a body names.
func (s *Server) setCheck(check, body Object) {
	for _, key := range []string{
		"name", "status", "conclusion", "external_id", "details_url", "started_at",
		"completed_at",
	} {
		if value, given := body[key]; given {
			check[key] = value
		}
	}
	if body["conclusion"] != nil {
		check["status"] = "completed"
		if check["completed_at"] == nil {
			check["completed_at"] = s.time()
		}
	} else if body["status"] != nil {
		check["conclusion"], check["completed_at"] = nil, nil // it runs again
	}
	given, _ := body["output"].(Object)
	output, _ := check["output"].(Object)
	for _, key := range []string{"title", "summary", "text"} {
		if value, there := given[key]; there {
			output[key] = value
		}
	}
	kept, _ := check["annotations"].([]any)
	more, _ := given["annotations"].([]any)
	check["annotations"] = append(kept, more...)
	output["annotations_count"] = len(kept) + len(more)
}

// badCheck refuses what the description lets through.
func badCheck(body, before Object) *refusal {
	if body["status"] == "completed" && body["conclusion"] == nil && before["conclusion"] == nil {
		return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\n\"conclusion\" wasn't supplied.")
	}
	output, _ := body["output"].(Object)
	for _, key := range []string{"summary", "text"} {
		if value, _ := output[key].(string); units(value) > maxOutput {
			return refuse(http.StatusUnprocessableEntity,
				"Invalid request.\n\nOnly %d characters are allowed; %d were supplied.", maxOutput, units(value))
		}
	}
	all, _ := output["annotations"].([]any)
	for _, one := range all {
		a, _ := one.(Object)
		if a["start_column"] != nil && a["start_line"] != a["end_line"] {
			return refuse(http.StatusUnprocessableEntity,
				"Invalid request.\n\nstart_column is only allowed when start_line equals end_line.")
		}
		if start, _ := a["start_line"].(float64); start < 1 {
			return refuse(http.StatusUnprocessableEntity, "Invalid request.\n\nstart_line must be at least 1.")
		}
	}
	return nil
}

// shown leaves the annotations out, of which GitHub shows the count.
func shown(check Object) Object {
	out := copyOf(check)
	delete(out, "annotations")
	return out
}

func (s *Server) check(r request) Object {
	id := r.number("check_run_id")
	for _, check := range s.checks {
		if check["id"] == id {
			return check
		}
	}
	return nil
}

func (s *Server) getCheck(r request) (int, any, *refusal) {
	check := s.check(r)
	if check == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, shown(check), nil
}

func (s *Server) updateCheck(r request) (int, any, *refusal) {
	check := s.check(r)
	if check == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	if no := badCheck(r.body, check); no != nil {
		return 0, nil, no
	}
	s.setCheck(check, r.body)
	return http.StatusOK, shown(check), nil
}

// listChecks lists the check-runs of a commit, the newest first. Without
// filter=all it gives the latest of each name.
func (s *Server) listChecks(r request) (int, any, *refusal) {
	query, items, seen := r.URL.Query(), []any{}, map[any]bool{}
	for _, check := range slices.Backward(s.checks) {
		name := check["name"]
		hidden := query.Get("filter") != "all" && seen[name]
		seen[name] = true
		if hidden || check["head_sha"] != r.params["ref"] || query.Has("check_name") && query.Get("check_name") != name ||
			query.Has("status") && query.Get("status") != check["status"] {
			continue
		}
		items = append(items, shown(check))
	}
	return http.StatusOK, paged{"check_runs", items}, nil
}
