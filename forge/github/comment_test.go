// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package github_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

var comment = object{
	"action": "created", "repository": repository, "sender": octocat,
	"issue": object{"number": 42, "state": "open", "pull_request": object{"url": "https://api.github.example/x"}},
	"comment": object{
		"id": 5, "body": "/packer-hybrid plan", "user": octocat, "author_association": "MEMBER",
		"performed_via_github_app": nil,
	},
}

// allowed answers a look-up for somebody who may write.
func allowed(ci.Comment) (ci.Facts, error) {
	return ci.Facts{
		User: 583231, Permission: "write", Open: true, Head: shaHead, HeadRepository: "acme/images", Base: shaBase,
		LastRun: "20261123t010000-1a2b3c4d", LastEnv: "lab",
	}, nil
}

func TestCommentIgnored(t *testing.T) {
	t.Parallel()
	for name, changed := range map[string]object{
		"edited":         {"action": "edited"},
		"deleted":        {"action": "deleted"},
		"plain issue":    {"issue.pull_request": nil},
		"bot":            {"comment.user.type": "Bot"},
		"bot by name":    {"comment.user.login": "packer-hybrid[bot]"},
		"app":            {"comment.performed_via_github_app": object{"id": 1}},
		"other sender":   {"sender.id": 1},
		"no author":      {"comment.user": nil},
		"stranger":       {"comment.author_association": "NONE"},
		"contributor":    {"comment.author_association": "CONTRIBUTOR"},
		"first timer":    {"comment.author_association": "FIRST_TIME_CONTRIBUTOR"},
		"empty":          {"comment.body": ""},
		"text before":    {"comment.body": "please\n/packer-hybrid build"},
		"quoted":         {"comment.body": "> /packer-hybrid build"},
		"fenced":         {"comment.body": "```\n/packer-hybrid build\n```"},
		"indented":       {"comment.body": "    /packer-hybrid build"},
		"HTML comment":   {"comment.body": "<!-- x -->/packer-hybrid build"},
		"another word":   {"comment.body": "/packer-hybrid-evil build"},
		"other case":     {"comment.body": "/Packer-Hybrid build"},
		"byte order":     {"comment.body": "\ufeff/packer-hybrid build"},
		"zero width":     {"comment.body": "/packer-hybrid\u200b build"},
		"other's prefix": {"comment.body": "/packer build"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onGitHub(t, "issue_comment", with(comment, changed), nil)
			in.Lookup = func(ci.Comment) (ci.Facts, error) {
				t.Error("a permission was looked up")
				return allowed(ci.Comment{})
			}
			job, err := read(in)
			if err != nil || job.Nothing == "" || job.Answer != "" {
				t.Errorf("%+v, error %v", job, err)
			}
		})
	}
}

// approved answers for a commit that a colleague has approved.
func approved(ci.Unmerged) (ci.Approval, error) { return ci.Approval{By: "mona", Change: "42"}, nil }

func TestCommentCommands(t *testing.T) {
	t.Parallel()
	for body, c := range map[string]struct{ want, answer string }{
		"/packer-hybrid plan":                                   {"plan lab " + shaBase + "...", ""},
		"/packer-hybrid\tplan --env prod":                       {"", "the environment prod is for merged code only"},
		"/packer-hybrid build debian-12\r\n/packer-hybrid reap": {"build lab debian-12", ""},
		"/packer-hybrid build debian-12\rrest":                  {"build lab debian-12", ""},
		"/packer-hybrid status":                                 {"status lab, merged", ""},
		"/packer-hybrid parity --env prod":                      {"parity prod, merged", ""},
		"/packer-hybrid validate\nand some words":               {"validate lab", ""},
		"/packer-hybrid retry":                                  {"build lab 20261123t010000-1a2b3c4d", ""},
		"/packer-hybrid retry r2 --env lab":                     {"build lab r2", ""},
		"/packer-hybrid retry r2":                               {"build lab r2", ""},
		"/packer-hybrid retry ../x":                             {"", "Try: /packer-hybrid retry [RUN]"},
		"/packer-hybrid":                                        {"", "/packer-hybrid build [IMAGE...]"},
		"/packer-hybrid help build":                             {"", "/packer-hybrid retry [RUN]"},
		"/packer-hybrid build --env prod":                       {"", "is for merged code only"},
		"/packer-hybrid reap":                                   {"", "reap is no command for comments"},
		"/packer-hybrid biuld debian-12 --tagets vsphere": {
			"",
			"Try: /packer-hybrid build debian-12 --targets vsphere",
		},
		"/packer-hybrid build --targets=vspere,azure --rebild": {
			"",
			"Try: /packer-hybrid build --targets=vsphere,azure --rebuild",
		},
		"/packer-hybrid build --targets vspere x": {"", "Try: /packer-hybrid build --targets vsphere x"},
		"/packer-hybrid build $(touch${IFS}pwn)": {
			"",
			"Try: /packer-hybrid build [IMAGE...] [--env ENV] [--targets PLATFORM,...]",
		},
		"/packer-hybrid build --env x;id":                          {"", "is not a name"},
		"/packer-hybrid build --env ../../etc":                     {"", "is not a name"},
		"/packer-hybrid build -- -var-file=/etc/passwd":            {"", `unexpected "--"`},
		"/packer-hybrid build `x`":                                 {"", "a quote, a backslash or a line break"},
		"/packer-hybrid build \u202edebian":                        {"", "is not a name"},
		"/packer-hybrid build <!-- x -->":                          {"", "unknown flag: -->"},
		"/packer-hybrid build " + strings.Repeat("a", 64<<10):      {"", "at most 1000 are read"},
		"/packer-hybrid build" + strings.Repeat(" ", 2000) + ";id": {"", "at most 1000 are read"},
		"/packer-hybrid atlantis apply":                            {"", "/packer-hybrid help"},
		"/packer-hybrid build --help":                              {"", "--rebuild"},
	} {
		in := onGitHub(t, "issue_comment", with(comment, object{"comment.body": body}), nil)
		in.Lookup, in.Approval = allowed, approved
		in.Repo = forgetest.Repo(func(p *ci.Policy) { p.Unmerged = []string{"lab"} },
			shaHead)
		job, err := read(in)
		if err != nil {
			t.Errorf("%.80q: %v", body, err)
			continue
		}
		if got := forgetest.Said(job, nil); c.want != "" && (got != c.want || job.Answer != "") {
			t.Errorf("%.80q:\ngot  %s %s\nwant %s", body, got, job.Answer, c.want)
		}
		if c.answer != "" && (!strings.Contains(job.Answer, c.answer) || len(job.Requests) > 0 || len(job.Answer) > 8000) {
			t.Errorf("%.80q: %d requests and the answer\n%s\nwhich lacks %q", body, len(job.Requests), job.Answer, c.answer)
		}
		if job.Answer != text.JobLog(job.Answer) {
			t.Errorf("%.80q: the answer is not inert: %q", body, job.Answer)
		}
	}
}

func TestCommentFacts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*ci.Facts)
		answer string
	}{
		"may read":       {func(f *ci.Facts) { f.Permission = "read" }, "needs permission to write"},
		"may triage":     {func(f *ci.Facts) { f.Permission = "triage" }, "needs permission to write"},
		"unknown":        {func(f *ci.Facts) { f.Permission = "" }, "needs permission to write"},
		"closed":         {func(f *ci.Facts) { f.Open = false }, "is closed"},
		"fork":           {func(f *ci.Facts) { f.HeadRepository = "mallory/images" }, "comes from another repository"},
		"deleted fork":   {func(f *ci.Facts) { f.HeadRepository = "" }, "comes from another repository"},
		"prefix of ours": {func(f *ci.Facts) { f.HeadRepository = "acme/images-evil" }, "comes from another repository"},
	} {
		in := onGitHub(t, "issue_comment", comment, nil)
		in.Lookup = func(asked ci.Comment) (ci.Facts, error) {
			if diff := cmp.Diff(ci.Comment{Repository: "acme/images", Change: 42, User: 583231, Login: "octocat"},
				asked); diff != "" {
				t.Error(diff)
			}
			facts, err := allowed(asked)
			c.change(&facts)
			return facts, err
		}
		job, err := read(in)
		if err != nil || len(job.Requests) > 0 || !strings.Contains(job.Answer, c.answer) {
			t.Errorf("%s: %+v, error %v", name, job, err)
		}
	}
	in := onGitHub(t, "issue_comment", comment, nil)
	if _, err := read(in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("without a look-up: %v", err)
	}
	in.Lookup = func(ci.Comment) (ci.Facts, error) { return ci.Facts{}, errors.New("502") }
	if _, err := read(in); err == nil || !strings.Contains(err.Error(), "looking up the permission of octocat: 502") {
		t.Errorf("error %v", err)
	}
	in.Lookup = func(ci.Comment) (ci.Facts, error) { return ci.Facts{User: 1, Permission: "admin", Open: true}, nil }
	if _, err := read(in); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "the login octocat is of user 1") {
		t.Errorf("the login of somebody else: %v", err)
	}
	in.Lookup = allowed
	job, err := read(in)
	want := hybridcore.Origin{
		Kind: "comment", Actor: "583231", URL: "https://github.example/acme/images/actions/runs/99",
		Change: "42", ReplyTo: "5",
	}
	if diff := cmp.Diff(want, job.Requests[0].Origin); err != nil || diff != "" ||
		!slices.Equal(job.Requests[0].Heads, []string{shaHead}) {
		t.Errorf("a comment is about the head of its change, not about the default branch: %v %s %+v", err, diff, job)
	}
}
