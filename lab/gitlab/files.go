// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:47:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"encoding/json"
	"net/http"
	"slices"

	"go.yaml.in/yaml/v3"
)

// AddFile keeps a JSON file among the artifacts of a pipeline's job, such as
// artifacts/record.json.
func (s *Server) AddFile(pipeline int64, job, path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		of, _ := j["pipeline"].(Object)
		if id, _ := j["id"].(int64); of["id"] == pipeline && j["name"] == job {
			if s.files == nil {
				s.files = map[int64]map[string][]byte{}
			}
			if s.files[id] == nil {
				s.files[id] = map[string][]byte{}
			}
			s.files[id][path] = data
		}
	}
}

// SetRef moves a branch or tag.
func (s *Server) SetRef(name, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Refs[name] = commit
}

func (s *Server) getFile(r request) (int, any, *refusal) {
	data, there := s.files[r.number("job_id")][r.params["folder"]+"/"+r.params["file"]]
	if !there {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, json.RawMessage(data), nil
}

func (s *Server) getBranch(r request) (int, any, *refusal) {
	name := r.params["branch"]
	sha, there := s.config.Refs[name]
	if !there {
		return 0, nil, refuse(http.StatusNotFound, "Branch Not Found")
	}
	closed := slices.Contains(s.config.Protected, name)
	return http.StatusOK, Object{
		"name": name, "merged": false, "protected": closed, "default": name == "main", "developers_can_push": false,
		"developers_can_merge": false,
		"can_push":             !closed || r.by.Level >= Maintainer,
		"web_url":              "https://gitlab.example/" + s.config.Project + "/-/tree/" + name,
		"commit": Object{
			"id": sha, "short_id": sha[:8], "title": "a commit", "message": "a commit",
			"created_at": s.time(), "parent_ids": []string{},
		},
	}, nil
}

func (s *Server) getToken(request) (int, any, *refusal) {
	scopes := s.config.Scopes
	if scopes == nil {
		scopes = []string{"api"}
	}
	return http.StatusOK, Object{
		"id": 11, "name": "bot", "revoked": false, "active": true, "created_at": s.time(), "last_used_at": s.time(),
		"expires_at": "2027-11-23",
		"user_id":    s.config.Self.ID, "scopes": scopes,
	}, nil
}

// lint judges the pipeline of a branch, as far as it is YAML.
func (s *Server) lint(r request) (int, any, *refusal) {
	if _, there := s.config.Refs[r.text("content_ref")]; !there {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	errs := []string{}
	var pipeline map[string]any
	if s.config.Pipeline == "" {
		errs = append(errs, "Please provide content of .gitlab-ci.yml")
	} else if err := yaml.Unmarshal([]byte(s.config.Pipeline), &pipeline); err != nil {
		errs = append(errs, "Invalid configuration format")
	}
	return http.StatusOK, Object{
		"valid": len(errs) == 0, "errors": errs, "warnings": []string{},
		"merged_yaml": s.config.Pipeline, "includes": []Object{},
	}, nil
}
