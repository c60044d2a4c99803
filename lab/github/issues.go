// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// user is how GitHub shows an account.
func (s *Server) user(login string) Object {
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

func (s *Server) addComment(issue int, login, body string) Object {
	id := s.id()
	comment := s.oracle.sample("issue-comment", Object{
		"id": id, "body": body, "user": s.user(login), "created_at": s.time(), "updated_at": s.time(),
		"html_url":  fmt.Sprintf("https://github.example/%s/pull/%d#issuecomment-%d", s.config.Repository, issue, id),
		"issue_url": fmt.Sprintf("https://github.example/repos/%s/issues/%d", s.config.Repository, issue),
	})
	s.comments = append(s.comments, comment)
	return comment
}

// createComment comments on the pull request.
func (s *Server) createComment(r request) (int, any, *refusal) {
	if r.number("issue_number") != int64(s.config.Change) {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	body, no := commentBody(r.body)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusCreated, s.addComment(s.config.Change, s.config.Login, body), nil
}

func commentBody(body Object) (string, *refusal) {
	text, _ := body["body"].(string)
	switch {
	case text == "":
		return "", refuse(http.StatusUnprocessableEntity, "Validation Failed: body cannot be blank")
	case units(text) > maxComment:
		return "", refuse(http.StatusUnprocessableEntity, "Validation Failed: body is too long (maximum is %d characters)",
			maxComment)
	}
	return text, nil
}

func (s *Server) listComments(r request) (int, any, *refusal) {
	if r.number("issue_number") != int64(s.config.Change) {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	items := make([]any, 0, len(s.comments))
	for _, comment := range s.comments {
		items = append(items, comment)
	}
	return http.StatusOK, paged{"", items}, nil
}

// comment finds a comment; own says that only its author may go on.
func (s *Server) comment(r request, own bool) (int, *refusal) {
	id := r.number("comment_id")
	at := slices.IndexFunc(s.comments, func(c Object) bool { return c["id"] == id })
	if at < 0 {
		return 0, refuse(http.StatusNotFound, "Not Found")
	}
	user, _ := s.comments[at]["user"].(Object)
	if own && user["login"] != s.config.Login {
		return 0, refuse(http.StatusForbidden, "Resource not accessible by integration")
	}
	return at, nil
}

func (s *Server) getComment(r request) (int, any, *refusal) {
	at, no := s.comment(r, false)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, s.comments[at], nil
}

func (s *Server) updateComment(r request) (int, any, *refusal) {
	at, no := s.comment(r, true)
	if no != nil {
		return 0, nil, no
	}
	body, no := commentBody(r.body)
	if no != nil {
		return 0, nil, no
	}
	s.comments[at]["body"], s.comments[at]["updated_at"] = body, s.time()
	return http.StatusOK, s.comments[at], nil
}

func (s *Server) deleteComment(r request) (int, any, *refusal) {
	at, no := s.comment(r, true)
	if no != nil {
		return 0, nil, no
	}
	s.comments = slices.Delete(s.comments, at, at+1)
	return http.StatusNoContent, nil, nil
}

// getPull shows the pull request.
func (s *Server) getPull(r request) (int, any, *refusal) {
	if r.number("pull_number") != int64(s.config.Change) || len(s.config.Commits) == 0 {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, s.pull("pull-request"), nil
}

// pull is the pull request in one of its two forms.
func (s *Server) pull(schema string) Object {
	pull := s.oracle.sample(schema, Object{
		"number": s.config.Change, "state": "open", "user": s.user(cmp.Or(s.config.Author, "somebody")),
		"html_url": "https://github.example/pull",
	})
	head := s.config.Commits[0]
	for name, sha := range map[string]string{"head": head, "base": cmp.Or(s.config.Base, head)} { // of one repository
		side, ok := pull[name].(Object)
		if !ok {
			continue
		}
		side["sha"] = sha
		if repo, ok := side["repo"].(Object); ok {
			repo["full_name"] = s.config.Repository
		}
	}
	return pull
}

// getPermission says what somebody may do in the repository.
func (s *Server) getPermission(r request) (int, any, *refusal) {
	role, known := s.config.Roles[r.params["username"]]
	if !known {
		return 0, nil, refuse(http.StatusNotFound, "%s is not a user", r.params["username"])
	}
	user := s.user(r.params["username"])
	user["role_name"] = role
	return http.StatusOK, Object{"permission": role, "role_name": role, "user": user}, nil
}

// createToken gives an app's installation its token.
func (s *Server) createToken(request) (int, any, *refusal) {
	expires := s.config.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	return http.StatusCreated, Object{"token": s.config.Token, "expires_at": expires}, nil
}

// dispatch starts a workflow, whose run is queued.
func (s *Server) dispatch(r request) (int, any, *refusal) {
	inputs, _ := r.body["inputs"].(Object)
	if len(inputs) > maxInputs {
		return 0, nil, refuse(http.StatusUnprocessableEntity,
			"you may only define up to %d `inputs` for a `workflow_dispatch` event", maxInputs)
	}
	if no := s.refuses(r); no != nil {
		return 0, nil, no
	}
	s.inputs = append(s.inputs, copyOf(r.body))
	run := s.oracle.sample("workflow-run", Object{
		"id": s.id(), "event": "workflow_dispatch", "status": "queued", "conclusion": nil, "head_branch": r.body["ref"],
		"run_number": len(s.inputs), "path": workflows + r.params["workflow_id"], "created_at": s.time(),
		"display_title": fmt.Sprintf(cmp.Or(s.config.RunName, "images %s"), inputs["request_id"]),
	})
	run["html_url"] = fmt.Sprintf("https://github.example/runs/%d", s.last)
	if len(s.config.Commits) > 0 {
		run["head_sha"] = s.config.Commits[0]
	}
	s.runs = append(s.runs, run)
	if r.body["return_run_details"] != true {
		return http.StatusNoContent, nil, nil
	}
	url := "https://github.example/runs/" + strconv.FormatInt(s.last, 10)
	return http.StatusOK, Object{"workflow_run_id": run["id"], "run_url": url, "html_url": url}, nil
}

func (s *Server) listRuns(r request) (int, any, *refusal) {
	items := []any{}
	for _, run := range slices.Backward(s.runs) {
		if run["path"] == workflows+r.params["workflow_id"] {
			items = append(items, run)
		}
	}
	return http.StatusOK, paged{"workflow_runs", items}, nil
}

func (s *Server) run(r request) Object {
	id := r.number("run_id")
	for _, run := range s.runs {
		if run["id"] == id {
			return run
		}
	}
	return nil
}

func (s *Server) getRun(r request) (int, any, *refusal) {
	run := s.run(r)
	if run == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, run, nil
}

func (s *Server) cancelRun(r request) (int, any, *refusal) {
	run := s.run(r)
	switch {
	case run == nil:
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	case run["status"] == "completed":
		return 0, nil, refuse(http.StatusConflict, "Cannot cancel a workflow run that is completed.")
	}
	run["status"], run["conclusion"] = "completed", "cancelled"
	return http.StatusAccepted, Object{}, nil
}
