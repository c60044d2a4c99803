// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"fmt"
	"net/http"
	"slices"
)

// comments are those of all issues.
type comments struct {
	repo *repository
	all  []Object
}

func (c *comments) add(issue int, login, body string) Object {
	id := c.repo.id()
	comment := c.repo.oracle.sample("issue-comment", Object{
		"id": id, "body": body, "user": c.repo.user(login), "created_at": c.repo.time(), "updated_at": c.repo.time(),
		"html_url":  fmt.Sprintf("https://github.example/%s/pull/%d#issuecomment-%d", c.repo.config.Repository, issue, id),
		"issue_url": fmt.Sprintf("https://github.example/repos/%s/issues/%d", c.repo.config.Repository, issue),
	})
	c.all = append(c.all, comment)
	return comment
}

// create comments on the pull request.
func (c *comments) create(r request) (int, any, *refusal) {
	if r.number("issue_number") != int64(c.repo.config.Change) {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	body, no := commentBody(r.body)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusCreated, c.add(c.repo.config.Change, c.repo.config.Login, body), nil
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

func (c *comments) list(r request) (int, any, *refusal) {
	if r.number("issue_number") != int64(c.repo.config.Change) {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	items := make([]any, 0, len(c.all))
	for _, comment := range c.all {
		items = append(items, comment)
	}
	return http.StatusOK, paged{"", items}, nil
}

// find finds a comment; own says that only its author may go on.
func (c *comments) find(r request, own bool) (int, *refusal) {
	id := r.number("comment_id")
	at := slices.IndexFunc(c.all, func(one Object) bool { return one["id"] == id })
	if at < 0 {
		return 0, refuse(http.StatusNotFound, "Not Found")
	}
	user, _ := c.all[at]["user"].(Object)
	if own && user["login"] != c.repo.config.Login {
		return 0, refuse(http.StatusForbidden, "Resource not accessible by integration")
	}
	return at, nil
}

func (c *comments) get(r request) (int, any, *refusal) {
	at, no := c.find(r, false)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, c.all[at], nil
}

func (c *comments) update(r request) (int, any, *refusal) {
	at, no := c.find(r, true)
	if no != nil {
		return 0, nil, no
	}
	body, no := commentBody(r.body)
	if no != nil {
		return 0, nil, no
	}
	c.all[at]["body"], c.all[at]["updated_at"] = body, c.repo.time()
	return http.StatusOK, c.all[at], nil
}

func (c *comments) remove(r request) (int, any, *refusal) {
	at, no := c.find(r, true)
	if no != nil {
		return 0, nil, no
	}
	c.all = slices.Delete(c.all, at, at+1)
	return http.StatusNoContent, nil, nil
}
