// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-state-as-on-gitlab
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is how a simulator is to be.
type Config struct {
	Project      string            // path with namespace; others are not found
	ID           int64             // of the project
	Token        string            // a project or personal access token, of Self
	Scopes       []string          // of Token; nil: api
	JobToken     string            // CI_JOB_TOKEN, which may read jobs and the project, and little more
	TriggerToken string            // of a pipeline trigger; empty: there is none
	Self         User              // whom Token belongs to
	Users        []User            // others
	Refs         map[string]string // branch or tag → full object ID; main is the default branch
	Protected    []string          // refs whose pipelines only a Maintainer changes
	Pipeline     string            // .gitlab-ci.yml with all that it includes; empty: there is none
	Archived     bool
	NoIssues     bool             // the project has its issues turned off
	Change       int64            // number of the one open merge request, from the branch "change"; 0: none
	Now          func() time.Time // nil: the system's clock
}

// project is the one that there is, and what all that belongs to it shares.
type project struct {
	config Config
	last   int64 // identifier that was given
}

func (p *project) id() int64 {
	p.last++
	return p.last
}

func (p *project) time() string {
	return p.config.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// authenticate finds whose call it is.
func (p *project) authenticate(r *http.Request, op operation) (User, *refusal) {
	token, job := r.Header.Get("Private-Token"), r.Header.Get("Job-Token")
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	switch {
	case op.open:
		return User{}, nil
	case token != "" && token == p.config.Token:
		return p.config.Self, nil
	case job != "" && job == p.config.JobToken && op.job:
		return User{Username: "job", Level: Reporter}, nil
	default:
		return User{}, refuse(http.StatusUnauthorized, "Unauthorized")
	}
}

func (p *project) users() []User { return append([]User{p.config.Self}, p.config.Users...) }

func (p *project) whoami(r request) (int, any, *refusal) { return http.StatusOK, r.by.shown(), nil }

func (p *project) listUsers(r request) (int, any, *refusal) {
	all := []Object{}
	for _, u := range p.users() {
		if strings.EqualFold(u.Username, r.text("username")) {
			all = append(all, u.shown())
		}
	}
	return http.StatusOK, all, nil
}

func (p *project) getMember(r request) (int, any, *refusal) {
	id := r.number("user_id")
	for _, u := range p.users() {
		if u.ID == id && u.Level > 0 {
			member := u.shown()
			member["access_level"], member["created_at"] = u.Level, p.time()
			member["expires_at"], member["membership_state"] = nil, "active"
			return http.StatusOK, member, nil
		}
	}
	return 0, nil, refuse(http.StatusNotFound, "Not found")
}

func (p *project) getProject(request) (int, any, *refusal) {
	name := p.config.Project[strings.LastIndexByte(p.config.Project, '/')+1:]
	return http.StatusOK, Object{
		"id": p.config.ID, "name": name, "path": name, "path_with_namespace": p.config.Project, "default_branch": "main",
		"visibility": "private", "archived": p.config.Archived, "web_url": "https://gitlab.example/" + p.config.Project,
	}, nil
}

func (p *project) getBranch(r request) (int, any, *refusal) {
	name := r.params["branch"]
	sha, there := p.config.Refs[name]
	if !there {
		return 0, nil, refuse(http.StatusNotFound, "Branch Not Found")
	}
	closed := slices.Contains(p.config.Protected, name)
	return http.StatusOK, Object{
		"name": name, "merged": false, "protected": closed, "default": name == "main", "developers_can_push": false,
		"developers_can_merge": false,
		"can_push":             !closed || r.by.Level >= Maintainer,
		"web_url":              "https://gitlab.example/" + p.config.Project + "/-/tree/" + name,
		"commit": Object{
			"id": sha, "short_id": sha[:8], "title": "a commit", "message": "a commit",
			"created_at": p.time(), "parent_ids": []string{},
		},
	}, nil
}

func (p *project) getToken(request) (int, any, *refusal) {
	scopes := p.config.Scopes
	if scopes == nil {
		scopes = []string{"api"}
	}
	return http.StatusOK, Object{
		"id": 11, "name": "bot", "revoked": false, "active": true, "created_at": p.time(), "last_used_at": p.time(),
		"expires_at": "2027-11-23",
		"user_id":    p.config.Self.ID, "scopes": scopes,
	}, nil
}

// lint judges the pipeline of a branch, as far as it is YAML.
func (p *project) lint(r request) (int, any, *refusal) {
	if _, there := p.config.Refs[r.text("content_ref")]; !there {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	errs := []string{}
	var pipeline map[string]any
	if p.config.Pipeline == "" {
		errs = append(errs, "Please provide content of .gitlab-ci.yml")
	} else if err := yaml.Unmarshal([]byte(p.config.Pipeline), &pipeline); err != nil {
		errs = append(errs, "Invalid configuration format")
	}
	return http.StatusOK, Object{
		"valid": len(errs) == 0, "errors": errs, "warnings": []string{},
		"merged_yaml": p.config.Pipeline, "includes": []Object{},
	}, nil
}
