// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:40:19Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Workflow is a file of .github/workflows on the branches.
type Workflow struct {
	Text string
	Off  bool // switched off by hand
}

// workflows is where they are.
const workflows = ".github/workflows/"

func (s *Server) getRepository(r request) (int, any, *refusal) {
	shown := s.oracle.sample("full-repository", Object{
		"id": 5, "name": r.params["repo"], "full_name": s.config.Repository, "default_branch": "main", "private": true,
		"archived": s.config.Archived,
	})
	return http.StatusOK, shown, nil
}

// getContents shows a workflow.
func (s *Server) getContents(r request) (int, any, *refusal) {
	name, found := strings.CutPrefix(r.params["path"], workflows)
	one, there := s.config.Workflows[name]
	if ref := r.URL.Query().Get("ref"); !found || !there || ref != "" && s.config.Branch != "" && ref != s.config.Branch {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, s.oracle.sample("content-file", Object{
		"type": "file", "encoding": "base64", "size": len(one.Text), "name": name, "path": r.params["path"],
		"content": base64.StdEncoding.EncodeToString([]byte(one.Text)),
	}), nil
}

func (s *Server) getWorkflow(r request) (int, any, *refusal) {
	name := r.params["workflow_id"]
	one, there := s.config.Workflows[name]
	if !there {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	state := "active"
	if one.Off {
		state = "disabled_manually"
	}
	return http.StatusOK, s.oracle.sample("workflow",
		Object{"id": 7, "name": "images", "path": workflows + name, "state": state}), nil
}

// refuses says why a workflow cannot be dispatched; nil when it can. Without
// workflows in the configuration there is any.
func (s *Server) refuses(r request) *refusal {
	ref, _ := r.body["ref"].(string)
	one, there := s.config.Workflows[r.params["workflow_id"]]
	switch {
	case s.config.Workflows != nil && !there:
		return refuse(http.StatusNotFound, "Not Found")
	// no name of a branch has two dots
	case strings.Contains(ref, "..") || s.config.Branch != "" && ref != s.config.Branch:
		return refuse(http.StatusUnprocessableEntity, "No ref found for: %s", ref)
	case one.Off:
		return refuse(http.StatusUnprocessableEntity, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
	case there && !strings.Contains(one.Text, "workflow_dispatch"):
		return refuse(http.StatusUnprocessableEntity, "Workflow does not have 'workflow_dispatch' trigger")
	}
	return nil
}
