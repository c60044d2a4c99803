// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:57:00Z
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

// shown is how others see an account.
func (u User) shown() Object {
	return Object{
		"id": u.ID, "username": u.Username, "name": u.Username, "state": "active", "avatar_url": nil,
		"web_url": "https://gitlab.example/" + u.Username,
	}
}

func (s *Server) users() []User { return append([]User{s.config.Self}, s.config.Users...) }

func (s *Server) whoami(r request) (int, any, *refusal) { return http.StatusOK, r.by.shown(), nil }

func (s *Server) listUsers(r request) (int, any, *refusal) {
	all := []Object{}
	for _, u := range s.users() {
		if strings.EqualFold(u.Username, r.text("username")) {
			all = append(all, u.shown())
		}
	}
	return http.StatusOK, all, nil
}

func (s *Server) getMember(r request) (int, any, *refusal) {
	id := r.number("user_id")
	for _, u := range s.users() {
		if u.ID == id && u.Level > 0 {
			member := u.shown()
			member["access_level"], member["created_at"] = u.Level, s.time()
			member["expires_at"], member["membership_state"] = nil, "active"
			return http.StatusOK, member, nil
		}
	}
	return 0, nil, refuse(http.StatusNotFound, "Not found")
}

func (s *Server) getProject(request) (int, any, *refusal) {
	name := s.config.Project[strings.LastIndexByte(s.config.Project, '/')+1:]
	return http.StatusOK, Object{
		"id": s.config.ID, "name": name, "path": name, "path_with_namespace": s.config.Project, "default_branch": "main",
		"visibility": "private", "archived": s.config.Archived, "web_url": "https://gitlab.example/" + s.config.Project,
	}, nil
}

func (s *Server) getChange(r request) (int, any, *refusal) {
	if no := s.change(r); no != nil {
		return 0, nil, no
	}
	head := s.config.Refs["change"]
	return http.StatusOK, Object{
		"id": s.config.Change + 500, "iid": s.config.Change, "project_id": s.config.ID, "title": "A change",
		"description": "", "state": "opened", "draft": false,
		"source_branch": "change", "target_branch": "main", "source_project_id": s.config.ID,
		"target_project_id": s.config.ID, "sha": head,
		"author": s.config.Self.shown(), "created_at": s.time(), "updated_at": s.time(),
		"diff_refs": Object{"base_sha": s.config.Refs["main"], "head_sha": head, "start_sha": s.config.Refs["main"]},
		"web_url":   "https://gitlab.example/" + s.config.Project + "/-/merge_requests/1",
	}, nil
}

// change refuses every merge request but the one.
func (s *Server) change(r request) *refusal {
	if iid := r.number("iid"); iid == 0 || iid != s.config.Change {
		return refuse(http.StatusNotFound, "Not found")
	}
	return nil
}

// AddNote is a note of anybody on the merge request.
func (s *Server) AddNote(by User, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addNote(by, body, false)
}

// AddSystemNote is a note that GitLab writes in somebody's name.
func (s *Server) AddSystemNote(by User, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addNote(by, body, true)
}

func (s *Server) addNote(by User, body string, system bool) Object {
	note := Object{
		"id": s.id(), "type": nil, "body": body, "author": by.shown(), "created_at": s.time(), "updated_at": s.time(),
		"system":      system,
		"noteable_id": s.config.Change + 500, "noteable_type": "MergeRequest", "noteable_iid": s.config.Change,
		"project_id": s.config.ID,
		"resolvable": false, "confidential": false, "internal": false,
	}
	s.notes = append(s.notes, note)
	return note
}

// action is a line that GitLab obeys in a note, as its users' guide lists them.
var action = regexp.MustCompile(
	`(?mi)^[\t ]*/(approve|unapprove|merge|close|reopen|assign|unassign|label|unlabel|relabel|title|target_branch|rebase|draft|ready|` +
		`milestone|lock|unlock|award|react|copy_metadata|estimate|spend|todo|done|subscribe|unsubscribe|request_review|submit_review|reviewer|shrug|tableflip|cc|run_pipeline)\b`)

// obey remembers the quick actions of a text. GitLab reads them at the beginning
// of lines, and in code it does not; here they count everywhere, since that
// exception has moved between versions.
func (s *Server) obey(body string) {
	for _, found := range action.FindAllString(strings.ReplaceAll(body, "\r", ""), -1) {
		s.obeyed = append(s.obeyed, strings.TrimSpace(found))
	}
}

func (s *Server) listNotes(r request) (int, any, *refusal) {
	if no := s.change(r); no != nil {
		return 0, nil, no
	}
	all := slices.Clone(s.notes)
	if r.text("sort") != "asc" { // the newest first
		slices.Reverse(all)
	}
	return http.StatusOK, append([]Object{}, all...), nil
}

func (s *Server) createNote(r request) (int, any, *refusal) {
	if no := s.change(r); no != nil {
		return 0, nil, no
	}
	s.obey(r.text("body"))
	return http.StatusCreated, s.addNote(r.by, r.text("body"), false), nil
}

// note is the place of a note in the list.
func (s *Server) note(r request) (int, *refusal) {
	id := r.number("note_id")
	at := slices.IndexFunc(s.notes, func(n Object) bool { return n["id"] == id })
	if no := s.change(r); no != nil || at < 0 {
		return 0, refuse(http.StatusNotFound, "Not found")
	}
	return at, nil
}

// own refuses another author's note: a Maintainer may edit it, and nobody here is one.
func (s *Server) own(r request) (int, *refusal) {
	at, no := s.note(r)
	if no == nil {
		if author, _ := s.notes[at]["author"].(Object); author["id"] != r.by.ID || s.notes[at]["system"] == true {
			return 0, refuse(http.StatusForbidden, "Forbidden")
		}
	}
	return at, no
}

func (s *Server) getNote(r request) (int, any, *refusal) {
	at, no := s.note(r)
	if no != nil {
		return 0, nil, no
	}
	return http.StatusOK, maps.Clone(s.notes[at]), nil
}

func (s *Server) updateNote(r request) (int, any, *refusal) {
	at, no := s.own(r)
	if no != nil {
		return 0, nil, no
	}
	s.obey(r.text("body"))
	s.notes[at]["body"], s.notes[at]["updated_at"] = r.text("body"), s.time()
	return http.StatusOK, maps.Clone(s.notes[at]), nil
}

func (s *Server) deleteNote(r request) (int, any, *refusal) {
	at, no := s.own(r)
	if no != nil {
		return 0, nil, no
	}
	s.notes = slices.Delete(s.notes, at, at+1)
	return http.StatusNoContent, nil, nil
}
