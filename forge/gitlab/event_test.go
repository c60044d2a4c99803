// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package gitlab_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Commits of the examples.
const (
	shaHead  = forgetest.Head
	shaMerge = forgetest.Merge
	shaBase  = forgetest.Base
	shaOther = forgetest.Other
)

// read is the job of GitLab CI that an event leads to.
func read(in ci.Input) (ci.Job, error) { return gitlab.Forge().Jobs.Read(in) }

// onGitLab is a job of GitLab CI.
func onGitLab(env ...map[string]string) ci.Input {
	all := map[string]string{
		"GITLAB_CI": "true", "CI_PROJECT_PATH": "acme/golden/images", "CI_PROJECT_ID": "7", "CI_COMMIT_SHA": shaHead,
		"CI_COMMIT_REF_NAME": "patch",
		"CI_DEFAULT_BRANCH":  "main", "GITLAB_USER_ID": "31", "GITLAB_USER_LOGIN": "mara",
		"CI_JOB_URL": "https://gitlab.example/acme/golden/images/-/jobs/5",
	}
	for _, e := range env {
		maps.Copy(all, e)
	}
	return ci.Input{
		Getenv: func(name string) string { return all[name] },
		Repo:   forgetest.Repo(nil),
	}
}

func TestGitLabEvents(t *testing.T) {
	t.Parallel()
	type env = map[string]string
	mr := env{
		"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "42", "CI_MERGE_REQUEST_PROJECT_ID": "7",
		"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": shaBase,
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "patch",
	}
	main := env{"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main"}
	for name, c := range map[string]struct {
		env  []map[string]string
		want string
	}{
		"merge request": {[]env{mr}, "plan lab " + shaBase + "...; validate lab"},
		"merged results": {[]env{
			mr,
			{
				"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": shaHead, "CI_COMMIT_SHA": shaMerge,
				"CI_MERGE_REQUEST_TARGET_BRANCH_SHA": shaOther,
			},
		}, "plan lab " + shaOther + "...; validate lab"},
		"fork": {
			[]env{mr, {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8"}},
			"plan lab " + shaBase + "...; validate lab, untrusted",
		},
		"of the fork": {
			[]env{mr, {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8", "CI_PROJECT_ID": "8"}},
			"plan lab " + shaBase + "...; validate lab, untrusted",
		},
		"in the fork": {[]env{mr, {"CI_PROJECT_ID": "8"}}, "plan lab " + shaBase + "...; validate lab, untrusted"},
		"projects unknown": {
			[]env{
				mr,
				{"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "", "CI_MERGE_REQUEST_PROJECT_ID": "", "CI_PROJECT_ID": ""},
			},
			"plan lab " + shaBase + "...; validate lab, untrusted",
		},
		"with a tag's name": {[]env{mr, {"CI_COMMIT_TAG": "v1"}}, "plan lab " + shaBase + "...; validate lab"},
		"no base": {
			[]env{mr, {"CI_MERGE_REQUEST_DIFF_BASE_SHA": ""}},
			"exit 2: reading the event of this job: the event names no commit",
		},
		"merge":            {[]env{main, {"CI_PIPELINE_SOURCE": "push"}}, "build lab, merged"},
		"merge of a line":  {[]env{main, {"CI_PIPELINE_SOURCE": "push", gitlab.CommandVariable: "plan"}}, "plan lab, merged"},
		"change of a line": {[]env{mr, {gitlab.CommandVariable: "plan"}}, "plan lab " + shaBase + "..."},
		"prod by a change": {
			[]env{mr, {gitlab.CommandVariable: "build --env prod"}},
			"nothing: code that nobody has reviewed is only planned and validated without Packer, and neither is asked for",
		},
		"fork with a line": {
			[]env{mr, {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8", gitlab.CommandVariable: "build"}},
			"nothing: code that nobody has reviewed is only planned and validated without Packer, and neither is asked for",
		},
		"other branch": {
			[]env{{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "patch"}},
			"nothing: patch is not the default branch; its merge request is what is planned",
		},
		"no branch at all": {
			[]env{{"CI_PIPELINE_SOURCE": "push", "CI_DEFAULT_BRANCH": ""}},
			"nothing: patch is not the default branch; its merge request is what is planned",
		},
		"tag": {[]env{{
			"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1",
			"CI_COMMIT_REF_PROTECTED": "true",
		}}, "build lab; publish lab v1, merged"},
		"tag on unmerged": {[]env{{
			"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_PROTECTED": "true",
			"CI_COMMIT_SHA": shaOther,
		}}, "exit 3: reading the event of this job: the tag v1 is at commit 444444444444, which " +
			"is not merged into main: a release is made of merged code; merge it, then tag it again"},
		"web of a tag": {[]env{{
			"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_PROTECTED": "true",
			gitlab.CommandVariable: "publish --env prod",
		}}, "publish prod v1, merged"},
		"api of any tag": {[]env{{
			"CI_PIPELINE_SOURCE": "api", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1",
			gitlab.CommandVariable: "publish --env prod",
		}}, "exit 3: reading the event of this job: the tag v1 is not protected, " +
			"so that anybody who may push could have made it; protect it in the project's settings"},
		"child of a branch": {[]env{{
			"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_COMMIT_BRANCH": "patch",
			gitlab.CommandVariable: "build",
		}}, "exit 3: reading the event of this job: patch is not the default branch: such " +
			"pipelines run there, or for a protected tag"},
		"schedule": {[]env{main, {"CI_PIPELINE_SOURCE": "schedule"}}, "plan lab; drift lab; reap lab, merged"},
		"schedule of a line": {
			[]env{main, {"CI_PIPELINE_SOURCE": "schedule", gitlab.CommandVariable: "build --env prod"}},
			"build prod, merged",
		},
		"web": {
			[]env{main, {"CI_PIPELINE_SOURCE": "web", gitlab.CommandVariable: "build debian-12 --env prod"}},
			"build prod debian-12, merged",
		},
		"web, other commit": {
			[]env{
				main,
				{"CI_PIPELINE_SOURCE": "web", gitlab.CommandVariable: "build --env prod", gitlab.SHAVariable: shaOther},
			},
			"exit 3: reading the event of this job: commit 444444444444 is not merged into main, and the environment prod is " +
				"for merged code only; merge it, or ask for a merged commit",
		},
		"web, unmerged": {[]env{{
			"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "patch",
			gitlab.CommandVariable: "build --env prod",
		}}, "exit 3: reading the event of this job: patch is not the default " +
			"branch: such pipelines run there, or for a protected tag"},
		"schedule, unmerged": {
			[]env{{"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "patch"}},
			"exit 3: reading the event of this job: patch is not the default branch: such pipelines run there, or for a " +
				"protected tag",
		},
		"web without command": {
			[]env{main, {"CI_PIPELINE_SOURCE": "web"}},
			"exit 2: reading the event of this job: no command: give it in the variable PACKER_HYBRID_COMMAND, for example " +
				"`build debian-12 --env lab`",
		},
		"trigger": {
			[]env{
				main,
				{
					"CI_PIPELINE_SOURCE": "trigger", gitlab.CommandVariable: "status", gitlab.SHAVariable: shaHead,
					gitlab.RequestVariable: "r1",
				},
			},
			"status lab, merged",
		},
		"child pipeline": {
			[]env{main, {"CI_PIPELINE_SOURCE": "parent_pipeline"}},
			"nothing: a child pipeline without PACKER_HYBRID_COMMAND asks for nothing",
		},
		"no source": {nil, "exit 2: reading the event of this job: CI_PIPELINE_SOURCE is not set: GitLab's runner sets it"},
		"bad project": {
			[]env{main, {"CI_PIPELINE_SOURCE": "push", "CI_PROJECT_PATH": "x\r::error::"}},
			`exit 2: reading the event of this job: "x\r::error::" is not the name of a repository`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onGitLab(c.env...)
			in.Repo = forgetest.Repo(nil, shaOther)
			if got := forgetest.Said(read(in)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	got, err := read(onGitLab(mr, env{"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": shaHead, "CI_COMMIT_SHA": shaMerge}))
	if err != nil {
		t.Fatal(err)
	}
	want := hybridcore.Origin{
		Kind: "gitlab", Actor: "31", URL: "https://gitlab.example/acme/golden/images/-/jobs/5",
		Change: "42",
	}
	if diff := cmp.Diff(want, got.Requests[0].Origin) + cmp.Diff([]string{shaHead, shaMerge},
		got.Requests[0].Heads); diff != "" {
		t.Error(diff)
	}
}

func TestGitLabHostileValues(t *testing.T) {
	t.Parallel()
	for i, value := range forgetest.Hostile {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			got, err := read(onGitLab(map[string]string{
				"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": value,
				"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": value,
				"CI_MERGE_REQUEST_PROJECT_ID":        value, "CI_MERGE_REQUEST_DIFF_BASE_SHA": shaBase,
				"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": value,
				"GITLAB_USER_LOGIN":                   value, "GITLAB_USER_ID": value, "CI_JOB_URL": value,
				"CI_COMMIT_REF_NAME": value,
			}))
			if text, want := forgetest.Said(got, err), "plan lab "+shaBase+"...; validate lab, untrusted"; text != want {
				t.Errorf("got %.200s, want %s", text, want)
			}
			forgetest.InertJob(t, got)
		})
	}
}

func FuzzGitLab(f *testing.F) {
	f.Add("push", "main", "", shaHead)
	f.Add("merge_request_event", "patch", "build", shaBase)
	f.Add("web", "main", "biuld\r", "x")
	f.Fuzz(func(t *testing.T, source, branch, line, sha string) {
		got, err := read(onGitLab(map[string]string{
			"CI_PIPELINE_SOURCE": source, "CI_COMMIT_BRANCH": branch, "CI_COMMIT_REF_NAME": branch, gitlab.CommandVariable: line,
			"CI_COMMIT_SHA": sha, "CI_MERGE_REQUEST_DIFF_BASE_SHA": sha, "CI_JOB_URL": "https://" + branch,
			"GITLAB_USER_LOGIN": line,
		}))
		if err == nil {
			forgetest.InertJob(t, got)
		}
	})
}
