// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// pipelines are those of the project, with their jobs.
type pipelines struct {
	project *project
	all     []Object
	jobs    []Object
	files   map[int64]map[string][]byte // of jobs, by path
}

func (l *pipelines) add(id int64, ref, sha, source string, by User) Object {
	if id == 0 {
		id = l.project.id()
	}
	p := Object{
		"id": id, "iid": int64(len(l.all) + 1), "project_id": l.project.config.ID, "status": "created", "source": source,
		"ref": ref, "sha": sha, "name": nil,
		"before_sha": "0000000000000000000000000000000000000000", "tag": false, "yaml_errors": nil, "user": by.shown(),
		"created_at": l.project.time(),
		"updated_at": l.project.time(), "started_at": nil, "finished_at": nil, "committed_at": nil, "duration": nil,
		"queued_duration": nil, "coverage": nil,
		"web_url":   fmt.Sprintf("https://gitlab.example/%s/-/pipelines/%d", l.project.config.Project, id),
		"variables": map[string]string{},
	}
	l.all = append(l.all, p)
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

func (l *pipelines) create(r request) (int, any, *refusal) {
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
	return l.begin(r, variables, "api", r.by)
}

func (l *pipelines) trigger(r request) (int, any, *refusal) {
	if l.project.config.TriggerToken == "" || r.text("token") != l.project.config.TriggerToken {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	variables := map[string]string{}
	given, _ := r.given["variables"].(Object)
	for name, value := range given {
		variables[name] = fmt.Sprint(value)
	}
	return l.begin(r, variables, "trigger", l.project.config.Self)
}

// begin makes a pipeline for the tip of a branch or tag.
func (l *pipelines) begin(r request, variables map[string]string, source string, by User) (int, any, *refusal) {
	sha := l.project.config.Refs[r.text("ref")]
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
	p := l.add(0, r.text("ref"), sha, source, by)
	p["variables"] = variables
	return http.StatusCreated, shownPipeline(p), nil
}

func (l *pipelines) list(r request) (int, any, *refusal) {
	all := []Object{}
	for _, p := range slices.Backward(l.all) {
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

// find is the one in the path.
func (l *pipelines) find(r request) (Object, *refusal) {
	id := r.number("pipeline_id")
	for _, p := range l.all {
		if p["id"] == id {
			return p, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "Not found")
}

func (l *pipelines) get(r request) (int, any, *refusal) {
	p, no := l.find(r)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, shownPipeline(p), nil
}

func (l *pipelines) getVariables(r request) (int, any, *refusal) {
	p, no := l.find(r)
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

func (l *pipelines) listJobs(r request) (int, any, *refusal) {
	p, no := l.find(r)
	if no != nil {
		return 0, nil, no
	}
	all := []Object{}
	scope, _ := r.given["scope"].([]string)
	for _, j := range slices.Backward(l.jobs) {
		of, _ := j["pipeline"].(Object)
		if of["id"] == p["id"] && (len(scope) == 0 || slices.Contains(scope, fmt.Sprint(j["status"]))) {
			all = append(all, j)
		}
	}
	return http.StatusOK, all, nil
}

// cancel ends what goes on; GitLab answers 200 in any case.
func (l *pipelines) cancel(r request) (int, any, *refusal) {
	p, no := l.find(r)
	if no != nil {
		return 0, nil, no
	}
	over := []string{"success", "failed", "canceled", "skipped"}
	if !slices.Contains(over, fmt.Sprint(p["status"])) {
		p["status"], p["finished_at"] = "canceled", l.project.time()
	}
	for _, j := range l.jobs {
		if of, _ := j["pipeline"].(Object); of["id"] == p["id"] && !slices.Contains(over, fmt.Sprint(j["status"])) {
			j["status"] = "canceled"
		}
	}
	return http.StatusOK, shownPipeline(p), nil
}

func (l *pipelines) getFile(r request) (int, any, *refusal) {
	data, there := l.files[r.number("job_id")][r.params["folder"]+"/"+r.params["file"]]
	if !there {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, json.RawMessage(data), nil
}
