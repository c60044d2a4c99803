// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:57:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-gitlabs-published-reference
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is a type of a parameter.
type kind int

const (
	text kind = iota
	number
	flag
	object // names to text
	list   // of objects
	texts  // of a query: name[]=a&name[]=b
)

// field is what the documentation says of one parameter.
type field struct {
	kind     kind
	required bool
	most     int      // characters of a text; 0: the limit of all, see maxText
	of       []string // the values that there are; nil: any
}

// maxText bounds a text that has no limit of its own: GitLab's for notes.
const maxText = 1_000_000

// operation is one thing that can be called.
type operation struct {
	method, path string
	level        int  // of access that it needs
	job          bool // whether CI_JOB_TOKEN may
	open         bool // whether it needs no header at all
	fields       map[string]field
	do           func(*Server, request) (int, any, *refusal)
}

const changes = "/projects/:id/merge_requests/:iid"

// Parameters of every list, and of some operations.
var (
	paged     = map[string]field{"page": {kind: number}, "per_page": {kind: number}}
	order     = []string{"asc", "desc"}
	jobStates = []string{
		"created", "waiting_for_resource", "preparing", "pending", "running", "success", "failed", "canceling", "canceled",
		"skipped", "manual", "scheduled",
	}
)

// operations are what packer-hybrid calls, as the pages users, projects,
// merge_requests, notes, commits, branches, pipelines, pipeline_triggers, jobs,
// job_artifacts, members, personal_access_tokens and lint of
// docs.gitlab.com/api describe it.
var operations = []operation{
	{"GET", "/user", 0, false, false, nil, (*Server).whoami},
	{"GET", "/users", 0, false, false, with(paged, map[string]field{"username": {required: true}}), (*Server).listUsers},
	{"GET", "/projects/:id", Guest, true, false, nil, (*Server).getProject},
	{"GET", "/personal_access_tokens/self", 0, false, false, nil, (*Server).getToken},
	{"GET", "/projects/:id/ci/lint", Developer, false, false, map[string]field{
		"content_ref": {}, "dry_run": {kind: flag}, "dry_run_ref": {}, "include_jobs": {kind: flag},
	}, (*Server).lint},
	{"GET", "/projects/:id/members/all/:user_id", Guest, false, false, nil, (*Server).getMember},
	{"GET", changes, Guest, false, false, nil, (*Server).getChange},
	{"GET", changes + "/notes", Guest, false, false, with(paged, map[string]field{
		"sort": {of: order}, "order_by": {of: []string{"created_at", "updated_at"}},
	}), (*Server).listNotes},
	{
		"POST", changes + "/notes", Reporter, false, false,
		map[string]field{"body": {required: true}, "internal": {kind: flag}},
		(*Server).createNote,
	},
	{"GET", changes + "/notes/:note_id", Guest, false, false, nil, (*Server).getNote},
	{
		"PUT", changes + "/notes/:note_id", Reporter, false, false,
		map[string]field{"body": {required: true}},
		(*Server).updateNote,
	},
	{"DELETE", changes + "/notes/:note_id", Reporter, false, false, nil, (*Server).deleteNote},
	{"POST", "/projects/:id/statuses/:sha", Developer, false, false, map[string]field{
		"state": {required: true, of: []string{"pending", "running", "success", "failed", "canceled", "skipped"}},
		"name":  {most: 255}, "context": {most: 255}, "description": {most: 255}, "target_url": {most: 255},
		"ref": {most: 255}, "pipeline_id": {kind: number},
	}, (*Server).createStatus},
	{"GET", "/projects/:id/repository/commits/:sha/statuses", Reporter, false, false, with(paged, map[string]field{
		"all": {kind: flag}, "name": {}, "ref": {}, "stage": {}, "pipeline_id": {kind: number},
		"order_by": {of: []string{"id", "pipeline_id"}}, "sort": {of: order},
	}), (*Server).listStatuses},
	{"GET", "/projects/:id/pipelines", Reporter, false, false, with(paged, map[string]field{
		"ref": {}, "sha": {}, "status": {of: jobStates}, "source": {}, "username": {},
		"order_by": {of: []string{"id", "status", "ref", "updated_at", "user_id"}}, "sort": {of: order},
		"scope": {of: []string{"running", "pending", "finished", "branches", "tags"}},
	}), (*Server).listPipelines},
	{"POST", "/projects/:id/pipeline", Developer, false, false, map[string]field{
		"ref": {required: true}, "variables": {kind: list},
	}, (*Server).createPipeline},
	{"POST", "/projects/:id/trigger/pipeline", 0, false, true, map[string]field{
		"ref": {required: true}, "token": {required: true}, "variables": {kind: object},
	}, (*Server).trigger},
	{"GET", "/projects/:id/pipelines/:pipeline_id", Reporter, false, false, nil, (*Server).getPipeline},
	{"GET", "/projects/:id/pipelines/:pipeline_id/variables", Developer, false, false, nil, (*Server).getVariables},
	{"GET", "/projects/:id/pipelines/:pipeline_id/jobs", Reporter, true, false, with(paged, map[string]field{
		"scope": {kind: texts, of: jobStates}, "include_retried": {kind: flag},
	}), (*Server).listJobs},
	{"GET", "/projects/:id/jobs/:job_id/artifacts/:folder/:file", Reporter, true, false, nil, (*Server).getFile},
	{"GET", "/projects/:id/repository/branches/:branch", Reporter, false, false, nil, (*Server).getBranch},
	{"POST", "/projects/:id/pipelines/:pipeline_id/cancel", Developer, false, false, nil, (*Server).cancelPipeline},
}

// with joins parameters.
func with(all ...map[string]field) map[string]field {
	joined := map[string]field{}
	for _, one := range all {
		maps.Copy(joined, one)
	}
	return joined
}

// request is a call that was matched to an operation.
type request struct {
	params map[string]string // of the path
	given  Object            // of query and body: text, int64, bool, Object, []Object, []string
	by     User
}

func (r request) text(name string) string { value, _ := r.given[name].(string); return value }

func (r request) number(name string) int64 {
	if n, ok := r.given[name].(int64); ok {
		return n
	}
	n, _ := strconv.ParseInt(r.params[name], 10, 64) // 0 is nobody's identifier
	return n
}

// answer does what is asked, as far as it is asked well.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (int, any) {
	op, params := route(r)
	if op == nil {
		s.violate(r, "there is no such operation among those that packer-hybrid calls")
		return http.StatusNotFound, Object{"error": "404 Not Found"}
	}
	by, no := s.authenticate(r, *op)
	if no != nil {
		return no.status, no.body
	}
	if id := params["id"]; id != "" &&
		(id != s.config.Project && id != strconv.FormatInt(s.config.ID, 10) || by.Level == 0 && !op.open) {
		return http.StatusNotFound, Object{"message": "404 Project Not Found"}
	}
	given, err := read(r, op.fields)
	if err != nil {
		s.violate(r, err.Error())
		no := invalid("%s", err)
		return no.status, no.body
	}
	if by.Level < op.level {
		return http.StatusForbidden, Object{"message": "403 Forbidden"}
	}
	status, out, no := op.do(s, request{params, given, by})
	if no != nil {
		return no.status, no.body
	}
	if all, ok := out.([]Object); ok {
		out = page(w.Header(), all, request{given: given})
	}
	return status, out
}

func (s *Server) violate(r *http.Request, why string) {
	s.violations = append(s.violations, fmt.Sprintf("%s %s: %s", r.Method, r.URL.Path, why))
}

// route finds the operation of a call and what stands in its path.
func route(r *http.Request) (*operation, map[string]string) {
	got := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), prefix), "/")
	for i := range operations {
		op := &operations[i]
		want := strings.Split(op.path, "/")
		if op.method != r.Method || len(want) != len(got) {
			continue
		}
		params, fits := map[string]string{}, true
		for n, part := range want {
			value, err := url.PathUnescape(got[n])
			if name, ok := strings.CutPrefix(part, ":"); ok && value != "" && err == nil {
				params[name] = value
			} else if part != value {
				fits = false
			}
		}
		if fits {
			return op, params
		}
	}
	return nil, nil
}

// authenticate finds whose call it is.
func (s *Server) authenticate(r *http.Request, op operation) (User, *refusal) {
	token, job := r.Header.Get("Private-Token"), r.Header.Get("Job-Token")
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	switch {
	case op.open:
		return User{}, nil
	case token != "" && token == s.config.Token:
		return s.config.Self, nil
	case job != "" && job == s.config.JobToken && op.job:
		return User{Username: "job", Level: Reporter}, nil
	default:
		return User{}, refuse(http.StatusUnauthorized, "Unauthorized")
	}
}

// read checks what is given against what there is.
func read(r *http.Request, fields map[string]field) (Object, error) {
	given := Object{}
	for name, values := range r.URL.Query() {
		bare := strings.TrimSuffix(name, "[]")
		f, ok := fields[bare]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s is not a parameter of this operation", name)
		case f.kind == texts && bare != name:
			given[bare] = values
		default:
			given[bare] = values[0]
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("the body could not be read: %w", err)
	}
	if len(body) > 0 {
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			return nil, fmt.Errorf("a body of the type %q is none that packer-hybrid sends", kind)
		}
		var sent Object
		if err := json.Unmarshal(body, &sent); err != nil {
			return nil, fmt.Errorf("the body is no JSON object: %w", err)
		}
		for name, value := range sent {
			if _, ok := fields[name]; !ok {
				return nil, fmt.Errorf("%s is not a parameter of this operation", name)
			}
			given[name] = value
		}
	}
	for name, f := range fields {
		value, there := given[name]
		if !there {
			if f.required {
				return nil, fmt.Errorf("%s is missing", name)
			}
			continue
		}
		checked, ok := f.value(value)
		if !ok {
			return nil, fmt.Errorf("%s is invalid", name)
		}
		given[name] = checked
	}
	return given, nil
}

// value checks one value and gives it its type.
func (f field) value(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return f.fromText(v)
	case float64:
		return int64(v), f.kind == number && v == float64(int64(v))
	case bool:
		return v, f.kind == flag
	case map[string]any:
		for _, one := range v {
			if _, ok := one.(string); !ok {
				return nil, false
			}
		}
		return v, f.kind == object
	case []string:
		return v, !slices.ContainsFunc(v, func(one string) bool { return !slices.Contains(f.of, one) })
	case []any:
		all := make([]Object, len(v))
		for i, one := range v {
			o, ok := one.(Object)
			if !ok {
				return nil, false
			}
			all[i] = o
		}
		return all, f.kind == list
	default:
		return nil, false
	}
}

// fromText checks a text, also one of a query that stands for another type.
func (f field) fromText(v string) (any, bool) {
	most := f.most
	if most == 0 {
		most = maxText
	}
	switch f.kind {
	case text:
		return v, utf8.ValidString(v) && utf8.RuneCountInString(v) <= most && (!f.required || strings.TrimSpace(v) != "") &&
			(f.of == nil || slices.Contains(f.of, v))
	case number:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	case flag:
		return v == "true", v == "true" || v == "false"
	default:
		return nil, false
	}
}
