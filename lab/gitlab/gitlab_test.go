// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:02:00Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-gitlabs-published-reference
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	client "github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
)

const (
	project = "acme/golden/images"
	encoded = "acme%2Fgolden%2Fimages"
	token   = "glpat-of-a-test"
)

var (
	head = strings.Repeat("c0ffee00", 5)
	tip  = strings.Repeat("deadbeef", 5)
	mara = gitlab.User{ID: 31, Username: "mara", Level: gitlab.Maintainer}
)

func serve(t *testing.T, change func(*gitlab.Config)) *gitlab.Server {
	t.Helper()
	config := gitlab.Config{
		Project: project, ID: 7, Token: token, JobToken: "job-token", TriggerToken: "trigger-token", Change: 42,
		Self:  gitlab.User{ID: 90, Username: "project_7_bot", Level: gitlab.Developer},
		Users: []gitlab.User{mara, {ID: 32, Username: "stranger"}},
		Refs:  map[string]string{"main": tip, "change": head},
	}
	if change != nil {
		change(&config)
	}
	s, err := gitlab.Start(t.Context(), config)
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

// reach is go-gitlab as others use it.
func reach(t *testing.T, s *gitlab.Server, token string) *client.Client {
	t.Helper()
	c, err := client.NewClient(token, client.WithBaseURL(s.URL()), client.WithoutRetries())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// call is a request by hand.
type call struct{ header, method, path, body string }

// ask makes a request and returns status and body.
func ask(t *testing.T, s *gitlab.Server, c call) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, s.URL()+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if name, value, ok := strings.Cut(c.header, ": "); ok {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	private, status := "PRIVATE-TOKEN: "+token, "/projects/"+encoded+"/statuses/"+head
	notes := "/projects/" + encoded + "/merge_requests/42/notes"
	for name, c := range map[string]struct {
		header, method, path, body string
		status                     int
		says                       string
		violation                  bool
	}{
		"no state":            {private, "POST", status, `{"name":"x"}`, 400, "state is missing", true},
		"a state of GitHub's": {private, "POST", status, `{"state":"error"}`, 400, "state is invalid", true},
		"long description": {
			private, "POST", status,
			`{"state":"failed","description":"` + strings.Repeat("x", 256) + `"}`, 400, "description is invalid", true,
		},
		"misspelt": {
			private, "POST", status, `{"state":"failed","sate":"failed"}`, 400, "sate is not a parameter",
			true,
		},
		"pipeline as text": {
			private, "POST", status, `{"state":"failed","pipeline_id":"x"}`, 400, "pipeline_id is invalid",
			true,
		},
		"not JSON": {private, "POST", status, `{"state":`, 400, "no JSON object", true},
		"scheme of an address": {
			private, "POST", status, `{"state":"failed","target_url":"javascript:alert(1)"}`, 400, "target_url", false,
		},
		"unknown commit": {
			private, "POST", "/projects/7/statuses/" + strings.Repeat("0", 40), `{"state":"failed"}`, 404,
			"Commit Not Found", false,
		},
		"path not encoded":  {private, "GET", "/projects/" + project, "", 404, "404", true},
		"unknown operation": {private, "PATCH", "/projects/7", "", 404, "404", true},
		"another project":   {private, "GET", "/projects/8", "", 404, "Project Not Found", false},
		"blank note":        {private, "POST", notes, `{"body":"  "}`, 400, "body is invalid", true},
		"too long a note": {
			private, "POST", notes, `{"body":"` + strings.Repeat("x", 1_000_001) + `"}`, 400,
			"body is invalid", true,
		},
		"no title":          {private, "POST", "/projects/7/issues", `{"description":"x"}`, 400, "title is missing", true},
		"another event":     {private, "PUT", "/projects/7/issues/1", `{"state_event":"open"}`, 400, "state_event", true},
		"an unknown issue":  {private, "GET", "/projects/7/issues/1", "", 404, "Not found", false},
		"another change":    {private, "POST", "/projects/7/merge_requests/1/notes", `{"body":"x"}`, 404, "Not found", false},
		"a filter in query": {private, "GET", notes + "?sorted=asc", "", 400, "sorted is not a parameter", true},
		"order of a query":  {private, "GET", notes + "?sort=up", "", 400, "sort is invalid", true},
		"no token":          {"", "GET", notes, "", 401, "Unauthorized", false},
		"wrong token":       {"PRIVATE-TOKEN: x", "GET", notes, "", 401, "Unauthorized", false},
		"job's token":       {"JOB-TOKEN: job-token", "POST", notes, `{"body":"x"}`, 401, "Unauthorized", false},
		"job's as private":  {"PRIVATE-TOKEN: job-token", "POST", status, `{"state":"failed"}`, 401, "Unauthorized", false},
		"job's token reads": {"JOB-TOKEN: job-token", "GET", "/projects/7", "", 200, project, false},
		"bearer":            {"Authorization: Bearer " + token, "GET", "/user", "", 200, "project_7_bot", false},
		"unknown ref": {
			private, "POST", "/projects/7/pipeline", `{"ref":"nowhere"}`, 400, "Reference not found",
			false,
		},
		"variable's name": {
			private, "POST", "/projects/7/pipeline",
			`{"ref":"main","variables":[{"key":"A-B","value":"x"}]}`, 400, "letters, digits", false,
		},
		"variable's value": {
			private, "POST", "/projects/7/pipeline", `{"ref":"main","variables":[{"key":"A","value":1}]}`,
			400, "value", false,
		},
		"wrong trigger": {"", "POST", "/projects/7/trigger/pipeline", `{"ref":"main","token":"x"}`, 404, "Not Found", false},
		"trigger's map": {
			"", "POST", "/projects/7/trigger/pipeline",
			`{"ref":"main","token":"trigger-token","variables":{"A":1}}`, 400, "variables is invalid", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			code, text := ask(t, s, call{c.header, c.method, c.path, c.body})
			if code != c.status || !strings.Contains(text, c.says) {
				t.Errorf("%d %s, want %d with %q", code, text, c.status, c.says)
			}
			if got := len(s.Violations()) == 1; got != c.violation {
				t.Errorf("violations %q", s.Violations())
			}
		})
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *gitlab.Config) { c.Self.Level = gitlab.Reporter })
	for path, body := range map[string]string{
		"/projects/7/statuses/" + head: `{"state":"failed"}`,
		"/projects/7/pipeline":         `{"ref":"main"}`,
	} {
		if code, text := ask(t, s, call{"PRIVATE-TOKEN: " + token, "POST", path, body}); code != 403 {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if code, text := ask(t, s,
		call{"PRIVATE-TOKEN: " + token, "POST", "/projects/7/merge_requests/42/notes", `{"body":"x"}`}); code != 201 {
		t.Errorf("a note of a reporter: %d %s", code, text)
	}
}

// Who may not push or merge to a protected branch has no part in its pipelines.
func TestProtectedBranches(t *testing.T) {
	t.Parallel()
	for level, want := range map[int]int{gitlab.Developer: 403, gitlab.Maintainer: 201} {
		s := serve(t, func(c *gitlab.Config) { c.Self.Level, c.Protected = level, []string{"main"} })
		s.AddPipeline(500, "main", tip, "push")
		s.AddPipeline(501, "refs/merge-requests/42/head", head, "merge_request_event")
		if code, text := ask(t, s,
			call{
				"PRIVATE-TOKEN: " + token, "POST", "/projects/7/statuses/" + tip,
				`{"state":"failed","pipeline_id":500}`,
			}); code != want {
			t.Errorf("level %d at a protected branch: %d %s, want %d", level, code, text, want)
		}
		if code, text := ask(t, s,
			call{
				"PRIVATE-TOKEN: " + token, "POST", "/projects/7/statuses/" + head,
				`{"state":"failed","pipeline_id":501}`,
			}); code != 201 {
			t.Errorf("level %d at a merge request: %d %s", level, code, text)
		}
	}
}

func TestStatusMoves(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	c := reach(t, s, token)
	pipeline := s.AddPipeline(500, "refs/merge-requests/42/head", head, "merge_request_event")
	set := func(name string, state client.BuildStateValue) string {
		made, _, err := c.Commits.SetCommitStatus(project, head,
			&client.SetCommitStatusOptions{State: state, Name: new(name), PipelineID: new(int(pipeline))})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(made.Status, " ", made.PipelineId, " ", made.Author.ID)
	}
	for _, step := range [][2]string{
		{"pending", "pending 500 90"},
		{"pending", "Cannot transition"},
		{"running", "running"},
		{"pending", "Cannot transition"},
		{"failed", "failed"},
	} {
		if got := set("x", client.BuildStateValue(step[0])); !strings.Contains(got, step[1]) {
			t.Errorf("%s: %s, want %s", step[0], got, step[1])
		}
	}
	if got := set("x", client.Success); !strings.Contains(got, "success") { // a second one, which hides the first
		t.Error(got)
	}
	for all, want := range map[bool]int{true: 2, false: 1} {
		list, _, err := c.Commits.GetCommitStatuses(project, head,
			&client.GetCommitStatusesOptions{All: new(all), Name: new("x")})
		if err != nil || len(list) != want {
			t.Errorf("all=%t: %d statuses, %v", all, len(list), err)
		}
	}
	_, _, err := c.Commits.SetCommitStatus(project, tip,
		&client.SetCommitStatusOptions{State: client.Failed, PipelineID: new(int(pipeline))})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a pipeline of another commit: %v", err)
	}
}

func TestNotesHavePages(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	c := reach(t, s, token)
	for n := range 150 {
		s.AddNote(mara, fmt.Sprint("note ", n))
	}
	page, answer, err := c.Notes.ListMergeRequestNotes(project, 42,
		&client.ListMergeRequestNotesOptions{ListOptions: client.ListOptions{PerPage: 100, Page: 2}, Sort: new("asc")})
	if err != nil || len(page) != 50 || page[49].Body != "note 149" || answer.NextPage != 0 || answer.TotalPages != 2 {
		t.Fatalf("%d notes, %+v, %v", len(page), answer, err)
	}
	if _, _, err := c.Notes.UpdateMergeRequestNote(project, 42, page[0].ID,
		&client.UpdateMergeRequestNoteOptions{Body: new("x")}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("another author's note was edited: %v", err)
	}
	if _, _, err := c.Notes.CreateMergeRequestNote(project, 42,
		&client.CreateMergeRequestNoteOptions{Body: new("see\n```\n/approve\n```\n and /merge is not one")}); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(s.Obeyed()); got != "[/approve]" {
		t.Errorf("obeyed %s", got)
	}
}

// What a bot does: permission, pipeline with variables, its jobs, cancel.
func TestPipelines(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	c := reach(t, s, token)
	users, _, err := c.Users.ListUsers(&client.ListUsersOptions{Username: new("mara")})
	if err != nil || len(users) != 1 {
		t.Fatal(users, err)
	}
	if member, _, err := c.ProjectMembers.GetInheritedProjectMember(project, users[0].ID); err != nil ||
		member.AccessLevel != client.MaintainerPermissions {
		t.Errorf("%+v %v", member, err)
	}
	if _, _, err := c.ProjectMembers.GetInheritedProjectMember(project, 32); err == nil {
		t.Error("a stranger is a member")
	}
	made, _, err := c.Pipelines.CreatePipeline(project, &client.CreatePipelineOptions{
		Ref: new("main"), Variables: &[]*client.PipelineVariableOptions{{
			Key:   new("PACKER_HYBRID_COMMAND"),
			Value: new("plan"),
		}},
	})
	if err != nil || made.SHA != tip || made.Source != "api" {
		t.Fatalf("%+v %v", made, err)
	}
	triggered, _, err := c.PipelineTriggers.RunPipelineTrigger(project, &client.RunPipelineTriggerOptions{
		Ref: new("main"), Token: new("trigger-token"), Variables: map[string]string{"PACKER_HYBRID_REQUEST_ID": "r1"},
	})
	if err != nil || triggered.Source != "trigger" {
		t.Fatalf("%+v %v", triggered, err)
	}
	variables, _, err := c.Pipelines.GetPipelineVariables(project, triggered.ID)
	if err != nil || len(variables) != 1 || variables[0].Value != "r1" {
		t.Errorf("%v %v", variables, err)
	}
	s.SetJob(int64(made.ID), "build", "running")
	s.SetJob(int64(made.ID), "plan", "success")
	s.SetPipeline(int64(made.ID), "running")
	jobs, _, err := c.Jobs.ListPipelineJobs(project, made.ID,
		&client.ListJobsOptions{Scope: &[]client.BuildStateValue{client.Running}})
	if err != nil || len(jobs) != 1 || jobs[0].Name != "build" {
		t.Errorf("%v %v", jobs, err)
	}
	for range 2 { // the second time there is nothing to cancel
		if over, _, err := c.Pipelines.CancelPipelineBuild(project, made.ID); err != nil || over.Status != "canceled" {
			t.Errorf("%+v %v", over, err)
		}
	}
	list, _, err := c.Pipelines.ListProjectPipelines(project,
		&client.ListProjectPipelinesOptions{Status: new(client.Canceled), Ref: new("main")})
	if err != nil || len(list) != 1 || list[0].ID != made.ID {
		t.Errorf("%v %v", list, err)
	}
	if request, _, err := c.MergeRequests.GetMergeRequest(project, 42, nil); err != nil || request.SHA != head ||
		request.TargetProjectID != 7 {
		t.Errorf("%+v %v", request, err)
	}
	if v := s.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	if err := s.Faults().Load(
		"POST /projects/**/notes nth=1 status=502 after\n" +
			"POST /projects/**/notes nth=2 status=429 header=\"Retry-After: 60\""); err != nil {
		t.Fatal(err)
	}
	path := "/projects/" + encoded + "/merge_requests/42/notes"
	if code, text := ask(t, s, call{"PRIVATE-TOKEN: " + token, "POST", path, `{"body":"x"}`}); code != 502 ||
		!strings.Contains(text, "<html>") || len(s.Notes()) != 1 {
		t.Errorf("%d %s, %d notes", code, text, len(s.Notes()))
	}
	if code, text := ask(t, s, call{"PRIVATE-TOKEN: " + token, "POST", path, `{"body":"x"}`}); code != 429 ||
		text != "Retry later\n" || len(s.Notes()) != 1 {
		t.Errorf("%d %s, %d notes", code, text, len(s.Notes()))
	}
}
