// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"fmt"
	"maps"
	"slices"
)

// Notes are the notes of the merge request in the order of their creation.
func (s *Server) Notes() []Object { return s.copies(&s.notes.all) }

// Issues are those of the project in the order of their creation.
func (s *Server) Issues() []Object { return s.copies(&s.issues.all) }

// AddIssue is an issue of anybody; it returns its number in the project.
func (s *Server) AddIssue(by User, title, description string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues.add(by, title, description)
	return int64(len(s.issues.all))
}

// SetIssue opens or closes an issue, as a person would.
func (s *Server) SetIssue(iid int64, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues.all[iid-1]["state"] = state
}

// Statuses are all commit statuses in the order of their creation; "retried"
// says that a newer one of the same name is shown instead.
func (s *Server) Statuses() []Object { return s.copies(&s.statuses.all) }

// Pipelines are all pipelines in the order of their creation, each with its
// "variables" by name.
func (s *Server) Pipelines() []Object { return s.copies(&s.pipelines.all) }

func (s *Server) copies(from *[]Object) []Object {
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
	return slices.Clone(s.notes.obeyed)
}

// Violations say what a caller did against the documentation; none is what a
// test wants.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// AddNote is a note of anybody on the merge request.
func (s *Server) AddNote(by User, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes.add(by, body, false)
}

// AddSystemNote is a note that GitLab writes in somebody's name.
func (s *Server) AddSystemNote(by User, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes.add(by, body, true)
}

// AddPipeline is a pipeline that somebody else has begun; id 0 takes the next
// identifier.
func (s *Server) AddPipeline(id int64, ref, sha, source string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, _ := s.pipelines.add(id, ref, sha, source, s.project.config.Self)["id"].(int64)
	return made
}

// SetPipeline gives a pipeline a state, as its jobs would.
func (s *Server) SetPipeline(id int64, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pipelines.all {
		if p["id"] == id {
			p["status"], p["updated_at"] = state, s.project.time()
		}
	}
}

// SetJob gives a job of a pipeline a state, and makes it where there is none of
// this name.
func (s *Server) SetJob(pipeline int64, name, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.pipelines.jobs {
		if of, _ := j["pipeline"].(Object); of["id"] == pipeline && j["name"] == name {
			j["status"] = state
			return
		}
	}
	for _, p := range s.pipelines.all {
		if p["id"] == pipeline {
			s.pipelines.jobs = append(s.pipelines.jobs, Object{
				"id": s.project.id(), "name": name, "stage": "build", "status": state, "ref": p["ref"], "tag": false,
				"allow_failure": false, "coverage": nil,
				"created_at": s.project.time(), "started_at": nil, "finished_at": nil, "erased_at": nil, "duration": nil,
				"queued_duration": nil, "tag_list": []string{},
				"user": p["user"], "web_url": fmt.Sprintf("https://gitlab.example/%s/-/jobs/%d", s.project.config.Project,
					s.project.last),
				"artifacts": []any{},
				"pipeline": Object{
					"id": p["id"], "project_id": s.project.config.ID, "ref": p["ref"], "sha": p["sha"],
					"status": p["status"],
				},
			})
		}
	}
}

// AddFile keeps a JSON file among the artifacts of a pipeline's job, such as
// artifacts/record.json.
func (s *Server) AddFile(pipeline int64, job, path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.pipelines.jobs {
		of, _ := j["pipeline"].(Object)
		if id, _ := j["id"].(int64); of["id"] == pipeline && j["name"] == job {
			if s.pipelines.files[id] == nil {
				s.pipelines.files[id] = map[string][]byte{}
			}
			s.pipelines.files[id][path] = data
		}
	}
}

// SetRef moves a branch or tag.
func (s *Server) SetRef(name, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.project.config.Refs[name] = commit
}
