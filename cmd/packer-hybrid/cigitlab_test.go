// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:20:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
	"github.com/packer-hybrid/packer-hybrid/runner/job"
)

const projectToken = "glpat-0123456789abcdefghij"

// labJob is a checkout in a job of a simulated GitLab.
type labJob struct {
	site
	hub  *gitlab.Server
	head string
	env  map[string]string
}

func newLabJob(t *testing.T, change func(*gitlab.Config)) labJob {
	t.Helper()
	s := site{t, t.TempDir()}
	if code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: t.Output(), Err: t.Output()},
		[]string{"init", s.dir}, nil); code != 0 {
		t.Fatalf("init: exit code %d", code)
	}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("add", "-A")
	s.git("commit", "-q", "-m", "base")
	head := s.head()
	config := gitlab.Config{
		Project: "acme/golden/images", ID: 7, Token: projectToken, JobToken: "glcbt-64_of-the-job", Change: 42,
		Self: gitlab.User{ID: 90, Username: "project_7_bot", Level: gitlab.Developer},
		Refs: map[string]string{"main": head, "change": head},
	}
	if change != nil {
		change(&config)
	}
	hub := labtest.GitLab(t, config)
	hub.AddPipeline(500, "refs/merge-requests/42/head", head, "merge_request_event")
	return labJob{s, hub, head, map[string]string{
		"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event", "CI_PROJECT_PATH": "acme/golden/images",
		"CI_PROJECT_ID": "7", "CI_COMMIT_SHA": head,
		"CI_COMMIT_REF_NAME": "change", "CI_DEFAULT_BRANCH": "main", "CI_MERGE_REQUEST_IID": "42",
		"CI_MERGE_REQUEST_PROJECT_ID":        "7",
		"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": head, "CI_PIPELINE_ID": "500",
		"CI_JOB_ID":  "12345678901",
		"CI_JOB_URL": "https://gitlab.example/acme/golden/images/-/jobs/12345678901", "CI_PROJECT_DIR": s.dir,
		"CI_API_V4_URL": hub.URL(),
		"CI_JOB_TOKEN":  "glcbt-64_of-the-job", "GITLAB_TOKEN": projectToken, "GITLAB_USER_ID": "31",
		"GITLAB_USER_LOGIN": "mara",
		"TMPDIR":            t.TempDir(), "PATH": os.Getenv("PATH"), "PKR_VAR_build_password": "a-password-of-a-test",
		"PKR_VAR_vsphere_endpoint": "127.0.0.1:1",
		"PKR_VAR_vsphere_username": "nobody", "PKR_VAR_vsphere_password": "",
	}}
}

// ci runs the job's script with some variables changed, and returns exit code and log.
func (j labJob) ci(t *testing.T, change map[string]string, args ...string) (int, string) {
	t.Helper()
	return j.step(t, nil, change, args...)
}

// step is ci with options for what sends reports.
func (j labJob) step(t *testing.T, posting []post.Option, change map[string]string, args ...string) (int, string) {
	t.Helper()
	env := maps.Clone(j.env)
	maps.Copy(env, change)
	environ := []string{"PACKER_HYBRID_CACHE=" + t.TempDir()}
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	if len(args) == 0 {
		args = []string{"ci"}
	}
	var out, errs bytes.Buffer
	a := &app{
		Frame:   cli.Frame{Raw: cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, Environ: environ},
		posting: posting,
	}
	code := a.run(t.Context(), append(args, "-C", j.dir))
	return code, out.String() + errs.String()
}

func TestCIPostsToGitLab(t *testing.T) {
	t.Parallel()
	j := newLabJob(t, nil)
	code, log := j.ci(t, nil)
	if code != 0 || strings.Contains(log, "warning: ") || strings.Contains(log, projectToken) {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	statuses, notes := j.hub.Statuses(), j.hub.Notes()
	if len(statuses) != 1 || len(notes) != 1 {
		t.Fatalf("%d commit statuses and %d notes, want one of each: %v\n%s", len(statuses), len(notes), statuses, log)
	}
	if s := statuses[0]; s["status"] != "success" || s["sha"] != j.head || s["name"] != "packer-hybrid plan lab" ||
		s["description"] != "0 of 6 targets to build" || s["pipeline_id"] != int64(500) {
		t.Errorf("the commit status is %v", s)
	}
	if body := fmt.Sprint(notes[0]["body"]); !strings.Contains(body, "0 of 6 targets") ||
		!strings.Contains(body, "run=500.12345678901 commit="+j.head) {
		t.Errorf("the note is %s", body)
	}
	// A mistake, found by the next pipeline: the same note, a status of its own.
	j.edit("templates/os/linux.pkr.hcl", "playbook_file", "playbok_file")
	j.hub.AddPipeline(501, "refs/merge-requests/42/head", j.head, "merge_request_event")
	code, log = j.ci(t, map[string]string{"CI_PIPELINE_ID": "501"})
	statuses, notes = j.hub.Statuses(), j.hub.Notes()
	if code == 0 || len(statuses) != 3 || len(notes) != 1 || statuses[1]["status"] != "failed" ||
		statuses[2]["name"] != "packer-hybrid plan example" || statuses[2]["status"] != "failed" ||
		!strings.Contains(fmt.Sprint(notes[0]["body"]), "playbok_file") {
		t.Errorf("exit code %d, statuses %v, notes %v\n%s", code, statuses, notes, log)
	}
	if text, err := os.ReadFile(filepath.Join(j.dir, "artifacts", "gl-code-quality-report.json")); err != nil ||
		!strings.Contains(string(text), "playbok_file") {
		t.Errorf("%v\n%s", err, text)
	}
}

// Whatever becomes of the reports, the exit code and the files are the same.
func TestCIWithoutGitLab(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		says string
	}{
		"no token":          {map[string]string{"GITLAB_TOKEN": ""}, "CI_JOB_TOKEN can write neither"},
		"the job's token":   {map[string]string{"GITLAB_TOKEN": "glcbt-64_of-the-job"}, "CI_JOB_TOKEN cannot write notes"},
		"another project":   {map[string]string{"CI_PROJECT_PATH": "acme/golden/other"}, "404"},
		"an unknown number": {map[string]string{"CI_PIPELINE_ID": "9"}, "not reported: check packer-hybrid plan lab"},
		"no GitLab": {
			map[string]string{"CI_API_V4_URL": "ftp://gitlab.example"},
			"is not the address of GitLab's API",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newLabJob(t, nil)
			code, log := j.ci(t, c.env)
			if code != 0 || !strings.Contains(log, c.says) || len(j.hub.Statuses()) > 0 || strings.Contains(log, projectToken) {
				t.Errorf("exit code %d, statuses %v\n%s", code, j.hub.Statuses(), log)
			}
			for _, file := range []string{"plan.json", "packer-hybrid.env", "gl-code-quality-report.json"} {
				if _, err := os.Stat(filepath.Join(j.dir, "artifacts", file)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What a job could not send is sent later, with the same token.
func TestFlushToGitLab(t *testing.T) {
	t.Parallel()
	j := newLabJob(t, func(c *gitlab.Config) { c.Token = "not yet" })
	if code, log := j.ci(t, nil); code != 0 || !strings.Contains(log, "are kept in") {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	if code, log := j.ci(t, map[string]string{"GITLAB_TOKEN": "not yet"}, "flush"); code != 0 ||
		len(j.hub.Statuses()) != 1 || len(j.hub.Notes()) != 1 {
		t.Errorf("exit code %d, %d statuses, %d notes\n%s", code, len(j.hub.Statuses()), len(j.hub.Notes()), log)
	}
}

// TestCIWithAFailingGitLab plans a merge request while GitLab fails in every way
// that it is known for. The job ends with its own exit code and in time, its
// files are whole, and nothing is there twice. What could not be sent is sent by
// flush when GitLab is well again.
func TestCIWithAFailingGitLab(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		later bool // it is left for flush
		says  string
	}{
		"502 after committing":     {"POST /** nth=1-2 status=502 after", false, ""},
		"502 after every commit":   {"POST /** status=502 after\nPUT /** status=502 after", true, "502"},
		"502 for good":             {"* /** status=502", true, "502"},
		"403, a second":            {`POST /** nth=1 status=403 header="Retry-After: 1"`, false, ""},
		"429, a minute":            {`POST /** nth=1 status=429 header="Retry-After: 60"`, false, ""},
		"403, an hour":             {`POST /** status=403 header="Retry-After: 3600"`, true, "left alone for"},
		"429, an hour":             {`POST /** status=429 header="Retry-After: 3600"`, true, "left alone for"},
		"429, garbage":             {`POST /** nth=1 status=429 header="Retry-After: 99999999999999999999"`, false, ""},
		"truncated JSON":           {"* /** nth=1-3 cut", false, ""},
		"truncated JSON for good":  {"* /** cut", true, "unexpected"},
		"no answer":                {"* /** delay=1m", true, "deadline exceeded"},
		"no answer after a commit": {"POST /** nth=1-2 drop after", false, ""},
		"no connection":            {"* /** drop", true, "EOF"},
		"the token expires midway": {`* /** nth=2- status=401 reason="401 Unauthorized"`, true, "project access token"},
		"200 with something else":  {`* /** nth=1-3 status=200 reason="<html>"`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newLabJob(t, nil)
			if err := j.hub.Faults().Load(c.rules); err != nil {
				t.Fatal(err)
			}
			clock, began := &quickClock{}, time.Now()
			code, log := j.step(t, []post.Option{post.WithClock(clock.clock(), time.Second)}, nil)
			if took := time.Since(began) + clock.ahead; took > job.Reporting+time.Minute {
				t.Errorf("the job took %s", took)
			}
			text, err := os.ReadFile(filepath.Join(j.dir, "artifacts", "packer-hybrid.env"))
			if code != 0 || !strings.Contains(log, "valid: 6 targets of lab") || err != nil ||
				string(text) != "PACKER_HYBRID_ANSWER=artifacts/answer.json\nPACKER_HYBRID_PLAN=artifacts/plan.json\n" {
				t.Errorf("exit code %d, %v\n%s\n%s", code, err, text, log)
			}
			if kept := strings.Contains(log, "are kept in"); kept != c.later || !strings.Contains(log, c.says) ||
				strings.Contains(log, projectToken) {
				t.Errorf("kept for later: %v, want %v with %q\n%s", kept, c.later, c.says, log)
			}
			for _, rule := range j.hub.Faults().Unused() {
				t.Errorf("the fault %q hit nothing", rule)
			}
			j.hub.Faults().Clear()
			if c.later {
				if code, log := j.ci(t, nil, "flush"); code != 0 || strings.Contains(log, "warning: not") {
					t.Errorf("flush: exit code %d\n%s", code, log)
				}
			}
			statuses, notes := j.hub.Statuses(), j.hub.Notes()
			if len(statuses) != 1 || len(notes) != 1 || statuses[0]["status"] != "success" ||
				!strings.Contains(fmt.Sprint(notes[0]["body"]), "0 of 6 targets") {
				t.Errorf("%d commit statuses and %d notes: %v %v\n%s", len(statuses), len(notes), statuses, notes, log)
			}
		})
	}
}

// A runner that cannot have the digests of a build ends with the cause, and leaves no pipeline.
func TestGitLabPlanWithoutPacker(t *testing.T) {
	t.Parallel()
	j := newLabJob(t, nil)
	push := map[string]string{
		"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BRANCH": "main",
		"CI_COMMIT_REF_PROTECTED": "true",
		"CI_MERGE_REQUEST_IID":    "", "CI_MERGE_REQUEST_PROJECT_ID": "", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "",
		"PACKER_HYBRID_COMMAND": "build debian-12 --env lab --targets vsphere",
	}
	code, log := j.ci(t, push, "ci", "--plan", "--packer", filepath.Join(t.TempDir(), "packer"))
	if code != 3 || !strings.Contains(log, "has no digest by which its job could tell") {
		t.Errorf("exit code %d\n%s", code, log)
	}
	if _, err := os.Stat(filepath.Join(j.dir, "artifacts", "pipeline.yml")); err == nil {
		t.Error("there is a pipeline of a plan that nobody could make")
	}
}

// The plan of a protected tag gives each platform's release a job of its own, on
// runners of the default branch's project file; other pipelines are refused.
func TestGitLabSharesAReleaseOut(t *testing.T) {
	t.Parallel()
	j := newLabJob(t, nil)
	tag := map[string]string{
		"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1.0.0", "CI_COMMIT_REF_NAME": "v1.0.0",
		"CI_COMMIT_REF_PROTECTED": "true",
		"CI_MERGE_REQUEST_IID":    "", "CI_MERGE_REQUEST_PROJECT_ID": "", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "",
		"PACKER_HYBRID_COMMAND": "publish --env lab --targets vsphere,azure",
	}
	code, log := j.ci(t, tag, "ci", "--plan")
	text, err := os.ReadFile(filepath.Join(j.dir, "artifacts", "pipeline.yml"))
	if code != 0 || err != nil {
		t.Fatalf("exit code %d, %v\n%s", code, err, log)
	}
	for _, want := range []string{
		"release plan:", "prepare vsphere:", "mark azure:", "released:", "name: lab/vsphere", "PACKER_HYBRID_PLATFORM: azure",
		"PACKER_HYBRID_SHA: " + j.head,
		"PACKER_HYBRID_COMMAND: publish --env lab --targets vsphere,azure --release v1.0.0",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "proxmox") {
		t.Errorf("a platform that nobody asked for:\n%s", text)
	}
	// The tag is moved to a commit that is not merged.
	s := j.site
	s.git("checkout", "-q", "-b", "side")
	s.git("commit", "-q", "--allow-empty", "-m", "side")
	tag["CI_COMMIT_SHA"] = s.commit("side")
	if code, log := j.ci(t, tag, "ci", "--plan"); code != 3 || !strings.Contains(log, "not merged into main") {
		t.Errorf("on a branch: exit code %d\n%s", code, log)
	}
	tag["CI_COMMIT_REF_PROTECTED"], tag["CI_COMMIT_SHA"] = "false", j.head
	if code, log := j.ci(t, tag, "ci", "--plan"); code != 3 || !strings.Contains(log, "is not protected") {
		t.Errorf("not protected: exit code %d\n%s", code, log)
	}
}
