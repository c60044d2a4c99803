// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// repository is the one that there is, and what all that belongs to it shares.
type repository struct {
	config Config
	oracle *oracle
	last   int64 // identifier that was given
}

func (s *repository) id() int64 {
	s.last++
	return s.last
}

func (s *repository) time() string { return s.config.Now().UTC().Format(time.RFC3339) }

// user is how GitHub shows an account.
func (s *repository) user(login string) Object {
	id := int64(7)
	if one, known := s.config.Users[login]; known {
		id = one
	}
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	return s.oracle.sample("simple-user", Object{"login": login, "id": id, "type": kind})
}

// allowed says whether a caller has shown who it is.
func (s *repository) allowed(r *http.Request) bool {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.HasPrefix(r.URL.Path, "/app/") && s.config.App != nil {
		return scheme == "Bearer" && s.config.App.signed(secret, s.config.Now())
	}
	return (scheme == "Bearer" || scheme == "token") && secret == s.config.Token
}

// workflows is where they are.
const workflows = ".github/workflows/"

func (s *repository) getRepository(r request) (int, any, *refusal) {
	shown := s.oracle.sample("full-repository", Object{
		"id": 5, "name": r.params["repo"], "full_name": s.config.Repository, "default_branch": "main", "private": true,
		"archived": s.config.Archived,
	})
	return http.StatusOK, shown, nil
}

// getContents shows a workflow.
func (s *repository) getContents(r request) (int, any, *refusal) {
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

func (s *repository) getWorkflow(r request) (int, any, *refusal) {
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
func (s *repository) refuses(r request) *refusal {
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

// getRef shows where a branch is: all are at the first commit.
func (s *repository) getRef(r request) (int, any, *refusal) {
	branch, found := strings.CutPrefix(r.params["ref"], "heads/")
	if !found || len(s.config.Commits) == 0 || s.config.Branch != "" && branch != s.config.Branch {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, s.oracle.sample("git-ref", Object{
		"ref":    "refs/heads/" + branch,
		"object": Object{"type": "commit", "sha": s.config.Commits[0], "url": "https://github.example/"},
	}), nil
}

// getPermission says what somebody may do in the repository.
func (s *repository) getPermission(r request) (int, any, *refusal) {
	role, known := s.config.Roles[r.params["username"]]
	if !known {
		return 0, nil, refuse(http.StatusNotFound, "%s is not a user", r.params["username"])
	}
	user := s.user(r.params["username"])
	user["role_name"] = role
	return http.StatusOK, Object{"permission": role, "role_name": role, "user": user}, nil
}

// createToken gives an app's installation its token.
func (s *repository) createToken(request) (int, any, *refusal) {
	expires := s.config.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	return http.StatusCreated, Object{"token": s.config.Token, "expires_at": expires}, nil
}
