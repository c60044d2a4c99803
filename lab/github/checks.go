// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"net/http"
	"slices"
	"strings"
)

// checks are the check-runs.
type checks struct {
	repo *repository
	all  []Object
}

// create makes a check-run.
func (c *checks) create(r request) (int, any, *refusal) {
	sha, _ := r.body["head_sha"].(string)
	if !slices.Contains(c.repo.config.Commits, sha) {
		return 0, nil, refuse(http.StatusUnprocessableEntity, "No commit found for SHA: %s", sha)
	}
	if no := badCheck(r.body, nil); no != nil {
		return 0, nil, no
	}
	check := c.repo.oracle.sample("check-run", Object{
		"id": c.repo.id(), "head_sha": sha, "name": r.body["name"], "status": "queued", "external_id": "",
		"pull_requests": []any{},
		"app": c.repo.oracle.sample("nullable-integration", Object{"slug": strings.TrimSuffix(c.repo.config.Login,
			"[bot]")}),
		"output": Object{
			"title": nil, "summary": nil, "text": nil, "annotations_count": 0,
			"annotations_url": "https://github.example/a",
		},
	})
	c.set(check, r.body)
	c.all = append(c.all, check)
	return http.StatusCreated, shown(check), nil
}

// set changes what a body names.
func (c *checks) set(check, body Object) {
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
			check["completed_at"] = c.repo.time()
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

func (c *checks) find(r request) Object {
	id := r.number("check_run_id")
	for _, check := range c.all {
		if check["id"] == id {
			return check
		}
	}
	return nil
}

func (c *checks) get(r request) (int, any, *refusal) {
	check := c.find(r)
	if check == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, shown(check), nil
}

func (c *checks) update(r request) (int, any, *refusal) {
	check := c.find(r)
	if check == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	if no := badCheck(r.body, check); no != nil {
		return 0, nil, no
	}
	c.set(check, r.body)
	return http.StatusOK, shown(check), nil
}

// list lists the check-runs of a commit, the newest first. Without
// filter=all it gives the latest of each name.
func (c *checks) list(r request) (int, any, *refusal) {
	query, items, seen := r.URL.Query(), []any{}, map[any]bool{}
	for _, check := range slices.Backward(c.all) {
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
