// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:18:00Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"fmt"
	"net/http"
	"slices"
)

// issues are those of the repository that are no pull request.
type issues struct {
	repo *repository
	all  []Object
}

// firstIssue is the number before that of the first issue.
const firstIssue = 100

func (i *issues) add(login, title, body string) Object {
	number := firstIssue + len(i.all) + 1
	one := i.repo.oracle.sample("issue", Object{
		"id": i.repo.id(), "number": number, "title": title, "body": body, "user": i.repo.user(login), "state": "open",
		"state_reason": nil, "closed_at": nil, "created_at": i.repo.time(), "updated_at": i.repo.time(), "comments": 0,
		"html_url": fmt.Sprintf("https://github.example/%s/issues/%d", i.repo.config.Repository, number),
	})
	i.all = append(i.all, one)
	return one
}

// list lists issues as the parameters say that packer-hybrid sends: creator, state,
// and the oldest first or last.
func (i *issues) list(r request) (int, any, *refusal) {
	query := r.URL.Query()
	items := []any{}
	if i.repo.config.NoIssues {
		return http.StatusOK, paged{"", items}, nil
	}
	for _, one := range i.all {
		user, _ := one["user"].(Object)
		state := query.Get("state")
		if state == "" {
			state = "open"
		}
		if by := query.Get("creator"); by != "" && by != user["login"] || state != "all" && state != one["state"] {
			continue
		}
		items = append(items, one)
	}
	if query.Get("direction") != "asc" {
		slices.Reverse(items)
	}
	return http.StatusOK, paged{"", items}, nil
}

func (i *issues) create(r request) (int, any, *refusal) {
	title, _ := r.body["title"].(string)
	switch {
	case i.repo.config.NoIssues:
		return 0, nil, refuse(http.StatusGone, "Issues has been disabled in this repository.")
	case title == "" || units(title) > maxTitle:
		return 0, nil, refuse(http.StatusUnprocessableEntity, "Validation Failed: title is missing or too long")
	}
	text, no := commentBody(r.body)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusCreated, i.add(i.repo.config.Login, title, text), nil
}

func (i *issues) find(r request) (Object, *refusal) {
	number := r.number("issue_number")
	at := slices.IndexFunc(i.all, func(one Object) bool { return fmt.Sprint(one["number"]) == fmt.Sprint(number) })
	switch {
	case i.repo.config.NoIssues:
		return nil, refuse(http.StatusGone, "Issues has been disabled in this repository.")
	case at < 0:
		return nil, refuse(http.StatusNotFound, "Not Found")
	}
	return i.all[at], nil
}

func (i *issues) get(r request) (int, any, *refusal) {
	one, no := i.find(r)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, one, nil
}

// update edits an issue: a token that may write issues may edit everybody's.
func (i *issues) update(r request) (int, any, *refusal) {
	one, no := i.find(r)
	if no != nil {
		return 0, nil, no
	}
	if r.body["body"] != nil {
		text, no := commentBody(r.body)
		if no != nil {
			return 0, nil, no
		}
		one["body"] = text
	}
	if state := r.body["state"]; state != nil && state != one["state"] {
		one["state"], one["closed_at"], one["state_reason"] = state, nil, "reopened"
		if state == "closed" {
			one["closed_at"], one["state_reason"] = i.repo.time(), "completed"
		}
		if why := r.body["state_reason"]; why != nil {
			one["state_reason"] = why
		}
	}
	one["updated_at"] = i.repo.time()
	return http.StatusOK, one, nil
}
