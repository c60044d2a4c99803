// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:19:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// issues are those of the project.
type issues struct {
	project *project
	notes   *notes // which remember quick actions
	all     []Object
}

// operations are those about issues.
func (i *issues) operations() []operation {
	return []operation{
		{"GET", "/projects/:id/issues", Guest, false, false, with(paged, map[string]field{
			"author_id": {kind: number}, "state": {of: []string{"all", "opened", "closed"}}, "sort": {of: order},
			"order_by": {of: []string{"created_at", "updated_at"}},
			"scope":    {of: []string{"created_by_me", "assigned_to_me", "all"}},
		}), i.list},
		{
			"POST", "/projects/:id/issues", Guest, false, false,
			map[string]field{"title": {required: true, most: 255}, "description": {}},
			i.create,
		},
		{"GET", "/projects/:id/issues/:issue_iid", Guest, false, false, nil, i.get},
		{"PUT", "/projects/:id/issues/:issue_iid", Reporter, false, false, map[string]field{
			"title": {most: 255}, "description": {}, "state_event": {of: []string{"close", "reopen"}},
		}, i.update},
	}
}

func (i *issues) add(by User, title, description string) Object {
	iid := int64(len(i.all) + 1)
	one := Object{
		"id": i.project.id(), "iid": iid, "project_id": i.project.config.ID, "title": title, "description": description,
		"state": "opened", "author": by.shown(), "created_at": i.project.time(), "updated_at": i.project.time(),
		"closed_at": nil, "labels": []string{}, "assignees": []any{}, "confidential": false, "issue_type": "issue",
		"web_url": fmt.Sprintf("https://gitlab.example/%s/-/issues/%d", i.project.config.Project, iid),
	}
	i.all = append(i.all, one)
	return one
}

// list lists issues; a project that has them turned off has none.
func (i *issues) list(r request) (int, any, *refusal) {
	all := []Object{}
	for _, one := range i.all {
		author, _ := one["author"].(Object)
		if by := r.number("author_id"); by != 0 && author["id"] != by || i.project.config.NoIssues {
			continue
		}
		if state := r.text("state"); state == "" || state == "all" || state == one["state"] {
			all = append(all, maps.Clone(one))
		}
	}
	if r.text("sort") != "asc" { // the newest first
		slices.Reverse(all)
	}
	return http.StatusOK, all, nil
}

func (i *issues) create(r request) (int, any, *refusal) {
	if i.project.config.NoIssues {
		return 0, nil, refuse(http.StatusForbidden, "Forbidden")
	}
	i.notes.obey(r.text("description"))
	return http.StatusCreated, i.add(r.by, r.text("title"), r.text("description")), nil
}

// find finds an issue by its number in the project.
func (i *issues) find(r request) (Object, *refusal) {
	iid := r.number("issue_iid")
	at := slices.IndexFunc(i.all, func(one Object) bool { return one["iid"] == iid })
	if at < 0 || i.project.config.NoIssues {
		return nil, refuse(http.StatusNotFound, "Not found")
	}
	return i.all[at], nil
}

func (i *issues) get(r request) (int, any, *refusal) {
	one, no := i.find(r)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, maps.Clone(one), nil
}

// update edits an issue. Its author and whoever is a Planner or more may.
func (i *issues) update(r request) (int, any, *refusal) {
	one, no := i.find(r)
	if no != nil {
		return 0, nil, no
	}
	if r.given["description"] != nil {
		i.notes.obey(r.text("description"))
		one["description"] = r.text("description")
	}
	switch r.text("state_event") {
	case "close":
		one["state"], one["closed_at"] = "closed", i.project.time()
	case "reopen":
		one["state"], one["closed_at"] = "opened", nil
	}
	one["updated_at"] = i.project.time()
	return http.StatusOK, maps.Clone(one), nil
}
