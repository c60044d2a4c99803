// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// notes are those of the merge request.
type notes struct {
	project *project
	all     []Object
	obeyed  []string // quick actions
}

func (n *notes) getChange(r request) (int, any, *refusal) {
	if no := n.change(r); no != nil {
		return 0, nil, no
	}
	head := n.project.config.Refs["change"]
	return http.StatusOK, Object{
		"id": n.project.config.Change + 500, "iid": n.project.config.Change, "project_id": n.project.config.ID,
		"title":       "A change",
		"description": "", "state": "opened", "draft": false,
		"source_branch": "change", "target_branch": "main", "source_project_id": n.project.config.ID,
		"target_project_id": n.project.config.ID, "sha": head,
		"author": n.project.config.Self.shown(), "created_at": n.project.time(), "updated_at": n.project.time(),
		"diff_refs": Object{
			"base_sha": n.project.config.Refs["main"], "head_sha": head,
			"start_sha": n.project.config.Refs["main"],
		},
		"web_url": "https://gitlab.example/" + n.project.config.Project + "/-/merge_requests/1",
	}, nil
}

// change refuses every merge request but the one.
func (n *notes) change(r request) *refusal {
	if iid := r.number("iid"); iid == 0 || iid != n.project.config.Change {
		return refuse(http.StatusNotFound, "Not found")
	}
	return nil
}

func (n *notes) add(by User, body string, system bool) Object {
	note := Object{
		"id": n.project.id(), "type": nil, "body": body, "author": by.shown(), "created_at": n.project.time(),
		"updated_at":  n.project.time(),
		"system":      system,
		"noteable_id": n.project.config.Change + 500, "noteable_type": "MergeRequest",
		"noteable_iid": n.project.config.Change,
		"project_id":   n.project.config.ID,
		"resolvable":   false, "confidential": false, "internal": false,
	}
	n.all = append(n.all, note)
	return note
}

// action is a line that GitLab obeys in a note, as its users' guide lists them.
var action = regexp.MustCompile(
	`(?mi)^[\t ]*/(approve|unapprove|merge|close|reopen|assign|unassign|label|unlabel|relabel|title|target_branch|rebase|draft|ready|` +
		`milestone|lock|unlock|award|react|copy_metadata|estimate|spend|todo|done|subscribe|unsubscribe|request_review|submit_review|reviewer|shrug|tableflip|cc|run_pipeline)\b`)

// obey remembers the quick actions of a text. GitLab reads them at the beginning
// of lines, and in code it does not; here they count everywhere, since that
// exception has moved between versions.
func (n *notes) obey(body string) {
	for _, found := range action.FindAllString(strings.ReplaceAll(body, "\r", ""), -1) {
		n.obeyed = append(n.obeyed, strings.TrimSpace(found))
	}
}

func (n *notes) list(r request) (int, any, *refusal) {
	if no := n.change(r); no != nil {
		return 0, nil, no
	}
	all := slices.Clone(n.all)
	if r.text("sort") != "asc" { // the newest first
		slices.Reverse(all)
	}
	return http.StatusOK, append([]Object{}, all...), nil
}

func (n *notes) create(r request) (int, any, *refusal) {
	if no := n.change(r); no != nil {
		return 0, nil, no
	}
	n.obey(r.text("body"))
	return http.StatusCreated, n.add(r.by, r.text("body"), false), nil
}

// find is the place of a note in the list.
func (n *notes) find(r request) (int, *refusal) {
	id := r.number("note_id")
	at := slices.IndexFunc(n.all, func(one Object) bool { return one["id"] == id })
	if no := n.change(r); no != nil || at < 0 {
		return 0, refuse(http.StatusNotFound, "Not found")
	}
	return at, nil
}

// own refuses another author's note: a Maintainer may edit it, and nobody here is one.
func (n *notes) own(r request) (int, *refusal) {
	at, no := n.find(r)
	if no == nil {
		if author, _ := n.all[at]["author"].(Object); author["id"] != r.by.ID || n.all[at]["system"] == true {
			return 0, refuse(http.StatusForbidden, "Forbidden")
		}
	}
	return at, no
}

func (n *notes) get(r request) (int, any, *refusal) {
	at, no := n.find(r)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, maps.Clone(n.all[at]), nil
}

func (n *notes) update(r request) (int, any, *refusal) {
	at, no := n.own(r)
	if no != nil {
		return 0, nil, no
	}
	n.obey(r.text("body"))
	n.all[at]["body"], n.all[at]["updated_at"] = r.text("body"), n.project.time()
	return http.StatusOK, maps.Clone(n.all[at]), nil
}

func (n *notes) remove(r request) (int, any, *refusal) {
	at, no := n.own(r)
	if no != nil {
		return 0, nil, no
	}
	n.all = slices.Delete(n.all, at, at+1)
	return http.StatusNoContent, nil, nil
}
