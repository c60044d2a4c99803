// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// statuses are those of commits.
type statuses struct {
	project   *project
	pipelines *pipelines
	all       []Object
}

// moves are the states that a commit status may have before another, "" for one
// that is new; "running" is reached through "pending".
var moves = map[string][]string{
	"pending":  {""},
	"running":  {"", "pending"},
	"success":  {"", "pending", "running"},
	"failed":   {"", "pending", "running"},
	"canceled": {"", "pending", "running"},
	"skipped":  {"", "pending"},
}

// events are GitLab's words for the moves, in its errors.
var events = map[string]string{
	"pending": "enqueue", "running": "run", "success": "success", "failed": "drop",
	"canceled": "cancel", "skipped": "skip",
}

// create sets the state of a commit status, and makes it where the
// pipeline has none of this name and author that goes on.
func (c *statuses) create(r request) (int, any, *refusal) {
	sha, name, state := r.params["sha"], r.text("name"), r.text("state")
	if name == "" {
		name = r.text("context")
	}
	if name == "" {
		name = "default"
	}
	if no := c.bad(r); no != nil {
		return 0, nil, no
	}
	pipeline, no := c.pipelineOf(r, sha)
	if no != nil {
		return 0, nil, no
	}
	if ref, _ := pipeline["ref"].(string); r.by.Level < Maintainer && slices.Contains(c.project.config.Protected, ref) {
		return 0, nil, refuse(http.StatusForbidden, "Forbidden")
	}
	at := c.going(name, pipeline, r.by)
	before := ""
	if at >= 0 {
		before = fmt.Sprint(c.all[at]["status"])
	}
	if !slices.Contains(moves[state], before) {
		return 0, nil, &refusal{http.StatusBadRequest, Object{"message": fmt.Sprintf(
			"Cannot transition status via :%[1]s from :%[2]s (Reason(s): Status cannot transition via %[1]q)", events[state],
			before)}}
	}
	if at < 0 {
		for _, o := range c.all { // the newest of a name is what is shown
			if o["name"] == name && o["pipeline_id"] == pipeline["id"] {
				o["retried"] = true
			}
		}
		c.all = append(c.all, Object{
			"id": c.project.id(), "sha": sha, "ref": pipeline["ref"], "name": name, "pipeline_id": pipeline["id"],
			"created_at": c.project.time(), "started_at": nil,
			"finished_at": nil, "target_url": nil, "description": nil, "allow_failure": false, "coverage": nil,
			"author": r.by.shown(), "retried": false,
		})
		at = len(c.all) - 1
	}
	status := c.all[at]
	for _, key := range []string{"target_url", "description"} {
		if value, given := r.given[key]; given {
			status[key] = value
		}
	}
	status["status"] = state
	if state == "running" {
		status["started_at"] = c.project.time()
	} else if state != "pending" {
		status["finished_at"] = c.project.time()
	}
	return http.StatusCreated, shownStatus(status), nil
}

// bad refuses what the types of the parameters let through.
func (c *statuses) bad(r request) *refusal {
	if !c.commit(r.params["sha"]) {
		return refuse(http.StatusNotFound, "Commit Not Found")
	}
	if to := r.text("target_url"); to != "" {
		if u, err := url.Parse(to); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return &refusal{
				http.StatusBadRequest,
				Object{"message": Object{"target_url": []string{"is blocked: Only allowed schemes are http, https"}}},
			}
		}
	}
	return nil
}

// going is the place of the status of this name and author that goes on; -1 is none.
func (c *statuses) going(name string, pipeline Object, by User) int {
	return slices.IndexFunc(c.all, func(o Object) bool {
		author, _ := o["author"].(Object)
		return o["name"] == name && o["pipeline_id"] == pipeline["id"] && author["id"] == by.ID &&
			(o["status"] == "pending" || o["status"] == "running")
	})
}

// shownStatus leaves out what only a test sees.
func shownStatus(status Object) Object {
	out := maps.Clone(status)
	delete(out, "retried")
	return out
}

// commit says whether there is one of this identifier.
func (c *statuses) commit(sha string) bool {
	for _, known := range c.project.config.Refs {
		if known == sha {
			return true
		}
	}
	return slices.ContainsFunc(c.pipelines.all, func(p Object) bool { return p["sha"] == sha })
}

// pipelineOf finds the pipeline that a status goes to: the one that is named, or
// the newest of the commit and ref. Where there is none, GitLab makes one.
func (c *statuses) pipelineOf(r request, sha string) (Object, *refusal) {
	id, ref := r.number("pipeline_id"), r.text("ref")
	for _, p := range slices.Backward(c.pipelines.all) {
		if p["sha"] == sha && (id == 0 || p["id"] == id) && (ref == "" || p["ref"] == ref) {
			return p, nil
		}
	}
	if id != 0 {
		return nil, refuse(http.StatusNotFound, "Pipeline for pipeline_id, sha and ref Not Found")
	}
	if ref == "" {
		for name, known := range c.project.config.Refs {
			if known == sha {
				ref = name
			}
		}
	}
	return c.pipelines.add(0, ref, sha, "external", r.by), nil
}

func (c *statuses) list(r request) (int, any, *refusal) {
	if !c.commit(r.params["sha"]) {
		return 0, nil, refuse(http.StatusNotFound, "Commit Not Found")
	}
	all := []Object{}
	for _, o := range c.all {
		hidden := r.given["all"] != true && o["retried"] == true
		for _, key := range []string{"name", "ref", "pipeline_id"} {
			if value, given := r.given[key]; given && o[key] != value {
				hidden = true
			}
		}
		if o["sha"] == r.params["sha"] && !hidden {
			all = append(all, shownStatus(o))
		}
	}
	if r.text("sort") == "desc" {
		slices.Reverse(all)
	}
	return http.StatusOK, all, nil
}
