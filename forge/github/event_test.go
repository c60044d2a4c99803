// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package github_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Commits of the examples.
const (
	shaHead  = forgetest.Head
	shaMerge = forgetest.Merge
	shaBase  = forgetest.Base
	shaOther = forgetest.Other
	shaZero  = forgetest.Zero
)

// read is the job of GitHub Actions that an event leads to.
func read(in ci.Input) (ci.Job, error) { return github.Forge().Jobs.Read(in) }

// object is a JSON object; its parts can be replaced by path.
type object = map[string]any

// with returns a deep copy of an object with changes: "a.b" → value.
func with(o object, changed object) object {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	var c object
	if err := json.Unmarshal(data, &c); err != nil {
		panic(err)
	}
	for path, value := range changed {
		at, parts := c, strings.Split(path, ".")
		for _, part := range parts[:len(parts)-1] {
			inner, ok := at[part].(object)
			if !ok {
				panic(path + " is no path in the event")
			}
			at = inner
		}
		at[parts[len(parts)-1]] = value
	}
	return c
}

var (
	repository  = object{"id": 7, "full_name": "acme/images", "default_branch": "main"}
	octocat     = object{"id": 583231, "login": "octocat", "type": "User"}
	pullRequest = object{
		"action": "opened", "number": 42, "repository": repository, "sender": octocat,
		"pull_request": object{
			"number": 42, "state": "open", "draft": false, "title": "Patch", "user": octocat,
			"head": object{"ref": "patch", "sha": shaHead, "repo": object{"id": 7, "full_name": "acme/images"}},
			"base": object{"ref": "main", "sha": shaBase, "repo": object{"id": 7, "full_name": "acme/images"}},
		},
	}
	push = object{
		"ref": "refs/heads/main", "before": shaBase, "after": shaMerge, "deleted": false,
		"head_commit": object{"id": shaMerge}, "repository": repository, "sender": octocat,
	}
	dispatch = object{
		"ref": "refs/heads/main", "repository": repository, "sender": octocat,
		"inputs": object{"command": "build debian-12 --env lab", "sha": shaMerge, "request_id": "20261123t025000-1a2b3c4d"},
	}
	schedule = object{"schedule": "0 3 * * *", "repository": repository}
)

// onGitHub is a job of GitHub Actions with an event.
func onGitHub(t *testing.T, event string, payload any, env map[string]string) ci.Input {
	t.Helper()
	data, ok := payload.(string)
	if !ok {
		encoded, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		data = string(encoded)
	}
	all := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": "/event.json", "GITHUB_SHA": shaMerge,
		"GITHUB_REPOSITORY": "acme/images", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "99",
		"GITHUB_ACTOR": "nightly", "GITHUB_ACTOR_ID": "12",
	}
	maps.Copy(all, env)
	return ci.Input{
		Getenv:   func(name string) string { return all[name] },
		ReadFile: func(string, int64) ([]byte, error) { return []byte(data), nil },
		Repo:     forgetest.Repo(nil),
	}
}

func TestGitHubEvents(t *testing.T) {
	t.Parallel()
	change := "plan lab " + shaBase + "...; validate lab"
	for name, c := range map[string]struct {
		event   string
		payload any
		want    string
	}{
		"new change":  {"pull_request", pullRequest, change},
		"new commits": {"pull_request", with(pullRequest, object{"action": "synchronize"}), change},
		"draft":       {"pull_request", with(pullRequest, object{"pull_request.draft": true}), change},
		"ready":       {"pull_request", with(pullRequest, object{"action": "ready_for_review"}), change},
		"merge queue": {
			"merge_group",
			object{
				"action": "checks_requested", "repository": repository, "sender": octocat,
				"merge_group": object{"head_sha": shaMerge, "base_sha": shaBase, "head_ref": "refs/heads/gh-readonly-queue/main/x"},
			},
			change,
		},
		"left the merge queue": {
			"merge_group",
			object{"action": "destroyed", "repository": repository, "sender": octocat},
			"nothing: the group left the merge queue: it was destroyed",
		},
		"other base": {
			"pull_request",
			with(pullRequest, object{"action": "edited", "changes": object{"base": object{}}}), change,
		},
		"other title": {
			"pull_request",
			with(pullRequest, object{"action": "edited", "changes": object{"title": object{}}}),
			"nothing: only the words of the pull request changed",
		},
		"merged": {
			"pull_request", with(pullRequest, object{"action": "closed"}),
			"nothing: the pull request is closed; when it was merged, the push to its base is what is built",
		},
		"labelled": {
			"pull_request", with(pullRequest, object{"action": "labeled"}),
			"nothing: nothing of the change itself changed: the pull request was labeled",
		},
		"fork": {
			"pull_request", with(pullRequest, object{"pull_request.head.repo.id": 8}),
			change + ", untrusted",
		},
		"deleted fork": {
			"pull_request", with(pullRequest, object{"pull_request.head.repo": nil}),
			change + ", untrusted",
		},
		"no repositories": {
			"pull_request",
			with(pullRequest, object{"pull_request.head.repo": nil, "pull_request.base.repo": nil}), change + ", untrusted",
		},
		"dependabot": {
			"pull_request", with(pullRequest, object{"pull_request.user.login": "dependabot[bot]"}),
			change + ", untrusted",
		},
		"dependabot again": {
			"pull_request", with(pullRequest, object{"sender.login": "dependabot[bot]"}),
			change + ", untrusted",
		},
		"no head": {
			"pull_request", with(pullRequest, object{"pull_request.head.sha": "main"}),
			`exit 2: reading the event of this job: "main" is not the full object ID of a commit`,
		},
		"no base": {
			"pull_request", with(pullRequest, object{"pull_request.base.sha": shaZero}),
			`exit 2: reading the event of this job: "` + shaZero + `" is not the full object ID of a commit`,
		},
		"pwn request": {"pull_request_target", pullRequest, "exit 3: reading the event of this job: the event " +
			"pull_request_target runs a stranger's code with this repository's secrets; use pull_request"},
		"merge": {"push", push, "build lab, merged"},
		"other branch": {
			"push", with(push, object{"ref": "refs/heads/patch"}),
			"nothing: refs/heads/patch is not the default branch; its pull request is what is planned",
		},
		"branch like a ref": {
			"push", with(push, object{"ref": "refs/heads/refs/heads/main"}),
			"nothing: refs/heads/refs/heads/main is not the default branch; its pull request is what is planned",
		},
		"no default branch": {
			"push", with(push, object{"ref": "refs/heads/", "repository.default_branch": ""}),
			"nothing: refs/heads/ is not the default branch; its pull request is what is planned",
		},
		"tag": {
			"push", with(push, object{"ref": "refs/tags/v1", "after": shaOther}),
			"build lab; publish lab v1, merged",
		},
		"tag that is no name": {
			"push", with(push, object{"ref": "refs/tags/V/$(x)", "after": shaOther}),
			"build lab; publish lab, merged",
		},
		"deleted branch": {
			"push", with(push, object{"deleted": true, "after": shaZero, "head_commit": nil}),
			"nothing: refs/heads/main was deleted",
		},
		"deleted, with a commit": {"push", with(push, object{"deleted": true}), "nothing: refs/heads/main was deleted"},
		"schedule":               {"schedule", schedule, "plan lab; drift lab; reap lab, merged"},
		"dispatch":               {"workflow_dispatch", dispatch, "build lab debian-12, merged"},
		"dispatch of a branch": {
			"workflow_dispatch", with(dispatch, object{"ref": "refs/heads/patch"}),
			"build lab debian-12, merged",
		},
		"dispatch of unmerged": {
			"workflow_dispatch", with(dispatch, object{"inputs.sha": shaOther}),
			"exit 3: reading the event of this job: commit 444444444444 is not merged into main, and the project file of " +
				"that branch has no `unmerged = [\"lab\"]` in its block ci; merge it, or ask for a merged commit",
		},
		"dispatch of a tag": {
			"workflow_dispatch", with(dispatch, object{"ref": "refs/tags/v1"}),
			"build lab debian-12, merged",
		},
		"dispatch of prod": {
			"workflow_dispatch", with(dispatch, object{"inputs.command": "build --env prod"}),
			"build prod, merged",
		},
		"dispatch, unmerged": {
			"workflow_dispatch",
			with(dispatch, object{"inputs.sha": shaOther, "inputs.command": "build --env prod"}),
			"exit 3: reading the event of this job: commit 444444444444 is not merged into main, and the environment prod is " +
				"for merged code only; merge it, or ask for a merged commit",
		},
		"dispatch of old commit": {
			"workflow_dispatch",
			with(dispatch, object{"inputs.sha": shaHead, "inputs.command": "build --env prod"}), "build prod, merged",
		},
		"dispatched reap": {
			"workflow_dispatch",
			with(dispatch, object{"inputs.sha": shaOther, "inputs.command": "reap"}),
			"exit 3: reading the event of this job: commit 444444444444 is not merged into main, and only merged code " +
				"removes things from a platform",
		},
		"dispatched publish": {
			"workflow_dispatch",
			with(dispatch, object{"inputs.sha": shaOther, "inputs.command": "publish --dry-run"}),
			"exit 3: reading the event of this job: commit 444444444444 is not merged into main, and only merged code is " +
				"published",
		},
		"dispatched status": {
			"workflow_dispatch",
			with(dispatch, object{"inputs.sha": shaOther, "inputs.command": "status --env nowhere"}),
			"exit 2: reading the event of this job: the project file of the default branch declares no environment \"nowhere\"",
		},
		"tag on unmerged": {
			"push", with(push, object{"ref": "refs/tags/v1", "head_commit.id": shaOther}),
			"exit 3: reading the event of this job: the tag v1 is at commit 444444444444, which is not merged into main: a " +
				"release is made of merged code; merge it, then tag it again",
		},
		"push that was undone": {
			"push", with(push, object{"head_commit.id": shaOther, "after": shaOther}),
			"exit 3: reading the event of this job: commit 444444444444 is not merged into main, and the project file of " +
				"that branch has no `unmerged = [\"lab\"]` in its block ci; merge it, or ask for a merged commit",
		},
		"retry of a run": {
			"workflow_dispatch", with(dispatch, object{"inputs.command": "build --retry-failed r1"}),
			"build lab r1, merged",
		},
		"dispatch, no command": {
			"workflow_dispatch", with(dispatch, object{"inputs": nil}),
			"exit 2: reading the event of this job: no command: give it in the input `command`, for example `build debian-12 " +
				"--env lab`",
		},
		"dispatch, injection": {
			"workflow_dispatch", with(dispatch, object{"inputs.command": "build --env prod; id"}),
			`exit 2: reading the event of this job: build: environment "prod;" is not a name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit`,
		},
		"dispatch, request": {
			"workflow_dispatch", with(dispatch, object{"inputs.request_id": "../x"}),
			`exit 2: reading the event of this job: request "../x" is not a name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit`,
		},
		"dispatch, short commit": {
			"workflow_dispatch", with(dispatch, object{"inputs.sha": "abc1234"}),
			`exit 2: reading the event of this job: "abc1234" is not the full object ID of a commit`,
		},
		"end of a workflow": {
			"workflow_run",
			object{"action": "completed", "repository": repository},
			"nothing: the end of another workflow asks for nothing: that workflow made its own report",
		},
		"unknown": {
			"deployment\r::error::x",
			object{"repository": repository},
			"nothing: the event deployment : :error::x asks for nothing",
		},
		"no object":             {"push", "[]", "exit 2"},
		"nothing at all":        {"push", "null", `exit 2: reading the event of this job: the event names no commit`},
		"cut off":               {"push", `{"ref":"refs/heads/ma`, "exit 2"},
		"twice the same name":   {"push", `{"ref":"refs/heads/main","ref":"refs/heads/patch"}`, "exit 2"},
		"a string for a number": {"pull_request", with(pullRequest, object{"number": "42"}), "exit 2"},
		"bad repository": {
			"push", with(push, object{"repository.full_name": "../.."}),
			`exit 2: reading the event of this job: "../.." is not the name of a repository`,
		},
		"half a character": {
			"push",
			`{"ref":"refs/heads/main","repository":{"full_name":"a/b","default_branch":"main"},"head_commit":{"id":"` + shaMerge + `","message":"` + "\\ud83d \xff" + `"}}`, "build lab, merged",
		},
		"very deep": {"push", `{"x":` + strings.Repeat("[", 100_000), "exit 2"},
		"too large": {"push", strings.Repeat(" ", github.MaxPayload+1), "exit 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			if name == "nothing at all" {
				env["GITHUB_SHA"] = ""
			}
			in := onGitHub(t, c.event, c.payload, env)
			in.Repo = forgetest.Repo(nil, shaOther)
			got := forgetest.Said(read(in))
			if got != c.want && (c.want != "exit 2" || !strings.HasPrefix(got, "exit 2: ")) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestGitHubJob(t *testing.T) {
	t.Parallel()
	job, err := read(onGitHub(t, "pull_request", pullRequest, nil))
	if err != nil {
		t.Fatal(err)
	}
	origin := hybridcore.Origin{
		Kind: "github", Actor: "583231", URL: "https://github.example/acme/images/actions/runs/99",
		Change: "42",
	}
	for _, r := range job.Requests {
		if diff := cmp.Diff(origin, r.Origin); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff([]string{shaHead, shaMerge}, job.Requests[1].Heads); diff != "" || job.Commit != shaHead ||
		job.Base != shaBase || !job.Trusted || job.Merged {
		t.Errorf("%+v %s", job, diff)
	}
	job, err = read(onGitHub(t, "workflow_dispatch", dispatch, nil))
	if err != nil || job.RequestID != "20261123t025000-1a2b3c4d" || job.Requests[0].Origin.ReplyTo != job.RequestID ||
		!slices.Equal(job.Requests[0].Heads, []string{shaMerge}) {
		t.Errorf("%+v, error %v", job, err)
	}
	job, err = read(onGitHub(t, "push", with(push, object{"ref": "refs/tags/v1", "after": shaOther}), nil))
	if err != nil || job.Commit != shaMerge || !job.Merged || slices.Contains(job.Requests[0].Heads, shaOther) {
		t.Errorf("an annotated tag is about its commit, not itself: %+v, error %v", job, err)
	}
	for server, want := range map[string]string{
		"":                                   "https://github.com/acme/images/actions/runs/99",
		"http://127.0.0.1:8080":              "http://127.0.0.1:8080/acme/images/actions/runs/99",
		"https://user:secret@github.example": "", "javascript:alert(1)": "", "https://x/?a=b": "", "https:///x": "",
	} {
		job, err = read(onGitHub(t, "push", push, map[string]string{"GITHUB_SERVER_URL": server}))
		if err != nil || job.Requests[0].Origin.URL != want {
			t.Errorf("the address of %q is %q, error %v", server, job.Requests[0].Origin.URL, err)
		}
	}
	job, err = read(onGitHub(t, "schedule", schedule, nil))
	if err != nil || job.Requests[0].Origin.Actor != "12" || job.Place.Login != "nightly" {
		t.Errorf("%+v, error %v", job, err)
	}
}

// TestCommandInput gives the line in the workflow itself.
func TestCommandInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event   string
		payload object
		want    string
	}{
		"push":     {"push", push, "build prod, merged"},
		"dispatch": {"workflow_dispatch", dispatch, "build prod, merged"},
		"change, labelled": {
			"pull_request", with(pullRequest, object{"action": "labeled"}),
			"nothing: nothing of the change itself changed: the pull request was labeled",
		},
		"fork": {
			"pull_request", with(pullRequest, object{"pull_request.head.repo.id": 8}),
			"nothing: code that nobody has reviewed is only planned and validated without Packer, and neither is asked for",
		},
		"comment": {"issue_comment", comment, "plan lab " + shaBase + "..., merged"},
	} {
		in := onGitHub(t, c.event, c.payload, map[string]string{"INPUT_COMMAND": " build --env prod "})
		in.Lookup = allowed
		if got := forgetest.Said(read(in)); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	fork := with(pullRequest, object{"pull_request.head.repo.id": 8})
	for name, c := range map[string]struct {
		payload object
		change  []string
		want    string
	}{
		"declared": {pullRequest, []string{"plan --env prod", "build --env lab"}, "plan prod " + shaBase + "..."},
		"rebuild":  {pullRequest, []string{"plan --rebuild"}, "plan lab"},
		"own base": {pullRequest, []string{"plan --base v1"}, "plan lab v1"},
		"nothing": {
			pullRequest,
			[]string{},
			"nothing: the policy of this project says that nothing is done for a pull request",
		},
		"fork": {
			fork,
			[]string{"plan", "validate --with packer", "build", "validate"},
			"plan lab " + shaBase + "...; validate lab, untrusted",
		},
		"fork that asks": {
			fork,
			[]string{"build --env lab", "reap", "status", "validate --with packer"},
			"nothing: code that nobody has reviewed is only planned and validated without Packer, and neither is asked for",
		},
		"build": {pullRequest, []string{"build --env prod"}, "nothing: code that nobody has reviewed is only planned " +
			"and validated without Packer, and neither is asked for"},
		"misspelt": {
			pullRequest,
			[]string{"biuld"},
			`exit 2: reading the event of this job: the policy for a pull request: unknown command "biuld" (did you mean "build"?); known: plan, validate, build, collect, publish, status, reap, lease-release, parity, drift`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onGitHub(t, "pull_request", c.payload, nil)
			in.Repo = forgetest.Repo(func(p *ci.Policy) { p.Change = c.change })
			if got := forgetest.Said(read(in)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestHostileValues(t *testing.T) {
	t.Parallel()
	for i, value := range forgetest.Hostile {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			changed := with(pullRequest,
				object{
					"pull_request.title": value, "pull_request.head.ref": value, "sender.login": value,
					"pull_request.body": value,
				})
			job, err := read(onGitHub(t, "pull_request", changed,
				map[string]string{"GITHUB_RUN_ID": value, "GITHUB_HEAD_REF": value, "GITHUB_REF": value}))
			if got, want := forgetest.Said(job, err), "plan lab "+shaBase+"...; validate lab"; got != want {
				t.Errorf("got %.200s, want %s", got, want)
			}
			forgetest.InertJob(t, job)
			for where, bad := range map[string]object{
				"head":       with(pullRequest, object{"pull_request.head.sha": value}),
				"repository": with(pullRequest, object{"repository.full_name": value}),
			} {
				job, err = read(onGitHub(t, "pull_request", bad, nil))
				if value == shaOther && where == "head" || value == "refs/heads/x" && where == "repository" {
					continue // are right
				}
				if hybridcore.ExitCode(err) != hybridcore.ExitUsage || len(err.Error()) > 500 {
					t.Errorf("%s: %+v, error %.600v", where, job, err)
				}
			}
			pushed := with(push, object{"ref": "refs/heads/" + value, "sender.login": value})
			job, err = read(onGitHub(t, "push", pushed, nil))
			if err != nil || len(job.Requests) > 0 {
				t.Errorf("%+v, error %v", job, err)
			}
			forgetest.InertJob(t, job)
		})
	}
}

// TestExamples reads the payloads that GitHub's users contributed.
func TestExamples(t *testing.T) {
	t.Parallel()
	counts := map[string]int{"pull_request": 29, "issue_comment": 9, "push": 7, "workflow_run": 5, "workflow_dispatch": 2}
	want := map[string]map[string]int{
		"pull_request":      {"requests": 10, "nothing": 19},
		"issue_comment":     {"nothing": 9},
		"push":              {"requests": 3, "nothing": 4},
		"workflow_run":      {"nothing": 5},
		"workflow_dispatch": {"no command": 2},
	}
	got := map[string]map[string]int{}
	for event, all := range examples(t) {
		if _, ours := counts[event]; !ours {
			continue
		}
		if len(all) != counts[event] {
			t.Errorf("%d examples of %s, want %d", len(all), event, counts[event])
		}
		got[event] = map[string]int{}
		for _, payload := range all {
			job, err := github.FromPayload(event, payload, onGitHub(t, event, "", map[string]string{"GITHUB_SHA": shaMerge}))
			if err == nil {
				forgetest.InertJob(t, job)
			}
			switch {
			case err != nil && strings.HasPrefix(err.Error(), "no command: "):
				got[event]["no command"]++
			case err != nil:
				t.Errorf("%s: %v", event, err)
			case job.Nothing != "":
				got[event]["nothing"]++
			default:
				got[event]["requests"]++
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// examples are the payloads of @octokit/webhooks-examples by event.
func examples(t *testing.T) map[string][]json.RawMessage {
	t.Helper()
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		root, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(root, "packer-hybrid")
	}
	data, err := os.ReadFile(filepath.Join(cache, "webhooks", "api.github.com", "index.json"))
	if err != nil {
		t.Fatalf("no payloads to test with: %v\nrun: make tools", err)
	}
	var index []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	all := map[string][]json.RawMessage{}
	for _, entry := range index {
		all[entry.Name] = append(all[entry.Name], entry.Examples...)
	}
	return all
}

func FuzzGitHub(f *testing.F) {
	for event, payload := range map[string]object{
		"pull_request": pullRequest, "push": push, "workflow_dispatch": dispatch,
		"issue_comment": comment,
	} {
		data, err := json.Marshal(payload)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(event, data)
	}
	f.Fuzz(func(t *testing.T, event string, data []byte) {
		in := onGitHub(t, event, "", nil)
		in.Lookup = allowed
		job, err := github.FromPayload(event, data, in)
		if err == nil {
			forgetest.InertJob(t, job)
		}
	})
}

func TestPayloadThatCannotBeRead(t *testing.T) {
	t.Parallel()
	in := onGitHub(t, "push", push, nil)
	in.ReadFile = func(string, int64) ([]byte, error) { return nil, errors.New("is too large") }
	if _, err := read(in); err == nil || !strings.Contains(err.Error(), "is too large") {
		t.Errorf("error %v", err)
	}
}
