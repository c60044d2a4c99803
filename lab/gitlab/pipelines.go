// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:57:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// AddPipeline is a pipeline that somebody else has begun; id 0 takes the next
// identifier.
func (s *Server) AddPipeline(id int64, ref, sha, source string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, _ := s.addPipeline(id, ref, sha, source, s.config.Self)["id"].(int64)
	return made
}

// SetPipeline gives a pipeline a state, as its jobs would.
func (s *Server) SetPipeline(id int64, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pipelines {
		if p["id"] == id {
			p["status"], p["updated_at"] = state, s.time()
		}
	}
}

// SetJob gives a job of a pipeline a state, and makes it where there is none of
// this name.
func (s *Server) SetJob(pipeline int64, name, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if of, _ := j["pipeline"].(Object); of["id"] == pipeline && j["name"] == name {
			j["status"] = state
			return
		}
	}
	for _, p := range s.pipelines {
		if p["id"] == pipeline {
			s.jobs = append(s.jobs, Object{
				"id": s.id(), "name": name, "stage": "build", "status": state, "ref": p["ref"], "tag": false,
				"allow_failure": false, "coverage": nil,
				"created_at": s.time(), "started_at": nil, "finished_at": nil, "erased_at": nil, "duration": nil,
				"queued_duration": nil, "tag_list": []string{},
				"user": p["user"], "web_url": fmt.Sprintf("https://gitlab.example/%s/-/jobs/%d", s.config.Project, s.last),
				"artifacts": []any{},
				"pipeline": Object{
					"id": p["id"], "project_id": s.config.ID, "ref": p["ref"], "sha": p["sha"],
					"status": p["status"],
				},
			})
		}
	}
}

func (s *Server) addPipeline(id int64, ref, sha, source string, by User) Object {
	if id == 0 {
		id = s.id()
	}
	p := Object{
		"id": id, "iid": int64(len(s.pipelines) + 1), "project_id": s.config.ID, "status": "created", "source": source,
		"ref": ref, "sha": sha, "name": nil,
		"before_sha": "0000000000000000000000000000000000000000", "tag": false, "yaml_errors": nil, "user": by.shown(),
		"created_at": s.time(),
		"updated_at": s.time(), "started_at": nil, "finished_at": nil, "committed_at": nil, "duration": nil,
		"queued_duration": nil, "coverage": nil,
		"web_url":   fmt.Sprintf("https://gitlab.example/%s/-/pipelines/%d", s.config.Project, id),
		"variables": map[string]string{},
	}
	s.pipelines = append(s.pipelines, p)
	return p
}

// shownPipeline leaves out what has an operation of its own.
func shownPipeline(p Object) Object {
	out := maps.Clone(p)
	delete(out, "variables")
	return out
}

// variableName is what GitLab takes as the name of a variable.
var variableName = regexp.MustCompile(`^[A-Za-z0-9_]{1,255}$`)

func (s *Server) createPipeline(r request) (int, any, *refusal) {
	variables := map[string]string{}
	all, _ := r.given["variables"].([]Object)
	for _, one := range all {
		key, _ := one["key"].(string)
		value, ok := one["value"].(string)
		for name := range one {
			if !slices.Contains([]string{"key", "value", "variable_type"}, name) {
				return 0, nil, invalid("variables[0][%s] is not a parameter of this operation", name)
			}
		}
		if kind, given := one["variable_type"]; !ok || given && kind != "env_var" && kind != "file" {
			return 0, nil, invalid("variables[0][value] is invalid")
		}
		variables[key] = value
	}
	return s.begin(r, variables, "api", r.by)
}

func (s *Server) trigger(r request) (int, any, *refusal) {
	if s.config.TriggerToken == "" || r.text("token") != s.config.TriggerToken {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	variables := map[string]string{}
	given, _ := r.given["variables"].(Object)
	for name, value := range given {
		variables[name] = fmt.Sprint(value)
	}
	return s.begin(r, variables, "trigger", s.config.Self)
}

// begin makes a pipeline for the tip of a branch or tag.
func (s *Server) begin(r request, variables map[string]string, source string, by User) (int, any, *refusal) {
	sha := s.config.Refs[r.text("ref")]
	if sha == "" {
		return 0, nil, &refusal{http.StatusBadRequest, Object{"message": Object{"base": []string{"Reference not found"}}}}
	}
	for name := range variables {
		if !variableName.MatchString(name) {
			return 0, nil, &refusal{
				http.StatusBadRequest,
				Object{"message": Object{"base": []string{"Variables key can contain only letters, digits and '_'."}}},
			}
		}
	}
	p := s.addPipeline(0, r.text("ref"), sha, source, by)
	p["variables"] = variables
	return http.StatusCreated, shownPipeline(p), nil
}

func (s *Server) listPipelines(r request) (int, any, *refusal) {
	all := []Object{}
	for _, p := range slices.Backward(s.pipelines) {
		fits := true
		for _, key := range []string{"ref", "sha", "status", "source"} {
			if value, given := r.given[key]; given && p[key] != value {
				fits = false
			}
		}
		if fits {
			all = append(all, shownPipeline(p))
		}
	}
	if r.text("sort") == "asc" {
		slices.Reverse(all)
	}
	return http.StatusOK, all, nil
}

// pipeline is the one in the path.
func (s *Server) pipeline(r request) (Object, *refusal) {
	id := r.number("pipeline_id")
	for _, p := range s.pipelines {
		if p["id"] == id {
			return p, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "Not found")
}

func (s *Server) getPipeline(r request) (int, any, *refusal) {
	p, no := s.pipeline(r)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, shownPipeline(p), nil
}

func (s *Server) getVariables(r request) (int, any, *refusal) {
	p, no := s.pipeline(r)
	if no != nil {
		return 0, nil, no
	}
	all := []Object{}
	variables, _ := p["variables"].(map[string]string)
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		all = append(all, Object{"key": key, "value": variables[key], "variable_type": "env_var", "raw": false})
	}
	return http.StatusOK, all, nil
}

func (s *Server) listJobs(r request) (int, any, *refusal) {
	p, no := s.pipeline(r)
	if no != nil {
		return 0, nil, no
	}
	all := []Object{}
	scope, _ := r.given["scope"].([]string)
	for _, j := range slices.Backward(s.jobs) {
		of, _ := j["pipeline"].(Object)
		if of["id"] == p["id"] && (len(scope) == 0 || slices.Contains(scope, fmt.Sprint(j["status"]))) {
			all = append(all, j)
		}
	}
	return http.StatusOK, all, nil
}

// cancelPipeline ends what goes on; GitLab answers 200 in any case.
func (s *Server) cancelPipeline(r request) (int, any, *refusal) {
	p, no := s.pipeline(r)
	if no != nil {
		return 0, nil, no
	}
	over := []string{"success", "failed", "canceled", "skipped"}
	if !slices.Contains(over, fmt.Sprint(p["status"])) {
		p["status"], p["finished_at"] = "canceled", s.time()
	}
	for _, j := range s.jobs {
		if of, _ := j["pipeline"].(Object); of["id"] == p["id"] && !slices.Contains(over, fmt.Sprint(j["status"])) {
			j["status"] = "canceled"
		}
	}
	return http.StatusOK, shownPipeline(p), nil
}
