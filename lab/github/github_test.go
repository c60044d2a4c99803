// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:00Z
// Spec: openspec/specs/lab-github/spec.md#requirement-refusals-beyond-the-description
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

const token = "ghs_of_the_lab"

var commit = strings.Repeat("a1", 20)

func start(t *testing.T, change func(*github.Config)) *github.Server {
	t.Helper()
	config := github.Config{
		Repository: "o/r", Token: token, Login: "github-actions[bot]", Commits: []string{commit}, Change: 7,
		Roles: map[string]string{"writer": "write"},
	}
	if change != nil {
		change(&config)
	}
	s, err := github.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// call returns the status, the body and the header Link of an answer.
func call(t *testing.T, s *github.Server, line string, body any) (status int, text, link string) {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		encoded = nil
	}
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(s.URL(), "/")+path,
		strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	out, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(out), answer.Header.Get("Link")
}

func annotations(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = github.Object{"path": "a.hcl", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}
	}
	return all
}

func TestEveryOperationAnswersAsDescribed(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	check := github.Object{
		"name": "n", "head_sha": commit,
		"output": github.Object{"title": "t", "summary": "s", "annotations": annotations(50)},
	}
	for _, step := range []struct {
		line string
		body any
		want int
	}{
		{"POST /repos/o/r/check-runs", check, 201},
		{"PATCH /repos/o/r/check-runs/1001", github.Object{"status": "completed", "conclusion": "success"}, 200},
		{"GET /repos/o/r/check-runs/1001", nil, 200},
		{"GET /repos/o/r/commits/" + commit + "/check-runs?filter=all&check_name=n", nil, 200},
		{"POST /repos/o/r/issues/7/comments", github.Object{"body": "hello"}, 201},
		{"GET /repos/o/r/issues/comments/1002", nil, 200},
		{"PATCH /repos/o/r/issues/comments/1002", github.Object{"body": "bye"}, 200},
		{"GET /repos/o/r/issues/7/comments?per_page=100", nil, 200},
		{"DELETE /repos/o/r/issues/comments/1002", nil, 204},
		{"POST /repos/o/r/issues", github.Object{"title": "t", "body": "b"}, 201},
		{"GET /repos/o/r/issues/101", nil, 200},
		{
			"PATCH /repos/o/r/issues/101",
			github.Object{"body": "c", "state": "closed", "state_reason": "completed"},
			200,
		},
		{"PATCH /repos/o/r/issues/101", github.Object{"state": "open", "state_reason": "reopened"}, 200},
		{"GET /repos/o/r/issues?creator=x&state=all&sort=created&direction=asc&per_page=100", nil, 200},
		{"GET /repos/o/r/pulls/7", nil, 200},
		{"GET /repos/o/r/collaborators/writer/permission", nil, 200},
		{"POST /app/installations/1/access_tokens", nil, 201},
		{
			"POST /repos/o/r/actions/workflows/build.yml/dispatches",
			github.Object{"ref": "main", "inputs": github.Object{"command": "build"}},
			204,
		},
		{
			"POST /repos/o/r/actions/workflows/build.yml/dispatches",
			github.Object{"ref": "main", "return_run_details": true},
			200,
		},
		{"GET /repos/o/r/actions/workflows/build.yml/runs?event=workflow_dispatch", nil, 200},
		{"GET /repos/o/r/actions/runs/1004", nil, 200},
		{"POST /repos/o/r/actions/runs/1004/cancel", nil, 202},
	} {
		if got, body, _ := call(t, s, step.line, step.body); got != step.want {
			t.Errorf("%s: %d %s, want %d", step.line, got, body, step.want)
		}
	}
	for _, v := range s.Violations() {
		t.Error(v)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	check := func(change github.Object) github.Object {
		body := github.Object{"name": "n", "head_sha": commit}
		maps.Copy(body, change)
		return body
	}
	output := func(key string, value any) github.Object {
		return check(github.Object{"output": github.Object{"title": "t", "summary": "s", key: value}})
	}
	columns := []any{github.Object{
		"path": "a", "start_line": 1, "end_line": 2, "start_column": 1,
		"annotation_level": "notice", "message": "m",
	}}
	inputs := github.Object{}
	for i := range 26 {
		inputs[fmt.Sprint("i", i)] = "x"
	}
	s := start(t, nil)
	other := s.AddComment(7, "mallory", "mine")
	for name, c := range map[string]struct {
		line   string
		body   any
		status int
	}{
		"no name":            {"POST /repos/o/r/check-runs", github.Object{"head_sha": commit}, 422},
		"a bad conclusion":   {"POST /repos/o/r/check-runs", check(github.Object{"conclusion": "fine"}), 422},
		"completed, no end":  {"POST /repos/o/r/check-runs", check(github.Object{"status": "completed"}), 422},
		"51 annotations":     {"POST /repos/o/r/check-runs", output("annotations", annotations(51)), 422},
		"columns over lines": {"POST /repos/o/r/check-runs", output("annotations", columns), 422},
		"too long a summary": {"POST /repos/o/r/check-runs", output("summary", strings.Repeat("é", 65_536)), 422},
		"too long, by units": {"POST /repos/o/r/check-runs", output("text", strings.Repeat("😀", 32_768)), 422},
		"an unknown commit": {
			"POST /repos/o/r/check-runs", check(github.Object{"head_sha": strings.Repeat("b", 40)}),
			422,
		},
		"an unknown check":   {"PATCH /repos/o/r/check-runs/1", github.Object{"status": "queued"}, 404},
		"another repository": {"POST /repos/o/q/check-runs", check(nil), 404},
		"no text":            {"POST /repos/o/r/issues/7/comments", github.Object{"body": ""}, 422},
		"too long a comment": {
			"POST /repos/o/r/issues/7/comments",
			github.Object{"body": strings.Repeat("😀", 32_769)},
			422,
		},
		"another's comment":        {fmt.Sprint("PATCH /repos/o/r/issues/comments/", other), github.Object{"body": "x"}, 403},
		"an issue without a title": {"POST /repos/o/r/issues", github.Object{"body": "x"}, 422},
		"a state of nothing":       {"PATCH /repos/o/r/issues/101", github.Object{"state": "done"}, 422},
		"an unknown issue":         {"GET /repos/o/r/issues/101", nil, 404},
		"an order of nothing":      {"GET /repos/o/r/issues?direction=up", nil, 422},
		"26 inputs": {
			"POST /repos/o/r/actions/workflows/b.yml/dispatches",
			github.Object{"ref": "main", "inputs": inputs},
			422,
		},
		"a dispatch of nothing": {"POST /repos/o/r/actions/workflows/b.yml/dispatches", github.Object{}, 422},
		"what is not there":     {"GET /nothing", nil, 404},
		"an unknown parameter":  {"GET /repos/o/r/issues/7/comments?sort=asc", nil, 422},
	} {
		if got, body, _ := call(t, s, c.line, c.body); got != c.status {
			t.Errorf("%s: %d %s, want %d", name, got, body, c.status)
		}
	}
	if len(s.Checks()) != 0 || len(s.Comments()) != 1 || len(s.Dispatches()) != 0 {
		t.Error("something that was refused took effect")
	}
	reader := start(t, func(c *github.Config) { c.Denied = []string{"checks", "issues"} })
	for _, line := range []string{"POST /repos/o/r/check-runs", "POST /repos/o/r/issues/7/comments"} {
		if got, body, _ := call(t, reader, line, check(nil)); got != 403 ||
			!strings.Contains(body, "Resource not accessible by integration") {
			t.Errorf("%s without permission: %d %s", line, got, body)
		}
	}
	stranger := start(t, func(c *github.Config) { c.Token = "another" })
	if got, _, _ := call(t, stranger, "GET /repos/o/r/pulls/7", nil); got != 401 {
		t.Errorf("another token: %d", got)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for range 150 {
		s.AddComment(7, "somebody", "x")
	}
	_, first, link := call(t, s, "GET /repos/o/r/issues/7/comments?per_page=100", nil)
	_, second, last := call(t, s, "GET /repos/o/r/issues/7/comments?per_page=100&page=2", nil)
	if strings.Count(first, `"issue_url"`) != 100 || !strings.Contains(link, "page=2") ||
		strings.Count(second, `"issue_url"`) != 50 || last != "" {
		t.Errorf("pages of %d and %d, links %q and %q", strings.Count(first, `"issue_url"`),
			strings.Count(second, `"issue_url"`), link, last)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	if err := s.Faults().Load(`
		POST /repos/*/*/check-runs nth=1 status=502 after
		POST /repos/*/*/check-runs nth=2 status=429 header="Retry-After: 60"
		POST /repos/*/*/check-runs nth=3 cut
	`); err != nil {
		t.Fatal(err)
	}
	body := github.Object{"name": "n", "head_sha": commit}
	for i, want := range []int{502, 429, 201} {
		status, text, _ := call(t, s, "POST /repos/o/r/check-runs", body)
		if status != want || json.Valid([]byte(text)) != (status == 429) {
			t.Errorf("call %d: %d %s", i+1, status, text)
		}
	}
	if n := len(s.Checks()); n != 2 {
		t.Errorf("%d check-runs, want 2: the 502 came after one, the half answer too", n)
	}
}
