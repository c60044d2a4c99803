// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:54:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package github

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/sethvargo/go-githubactions"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// GitHub's name, in files and for people.
const (
	name  = "github"
	title = "GitHub"
)

// maxPayload bounds the payload of an event, in bytes: GitHub cuts off
// deliveries above 25 MB.
const maxPayload = 25 << 20

// event reads the event of a job of GitHub Actions.
func event(in ci.Input) (ci.Event, error) {
	named, p, err := readPayload(in)
	if err != nil {
		return ci.Event{}, err
	}
	e, err := fromPayload(named, p, in)
	e.Line = githubactions.New(githubactions.WithGetenv(in.Getenv)).GetInput("command")
	if e.Line != "" {
		e.Command.Line = e.Line
	}
	return e, err
}

// readPayload reads the event that GitHub's runner names.
func readPayload(in ci.Input) (event string, p payload, err error) {
	event, path := in.Getenv("GITHUB_EVENT_NAME"), in.Getenv("GITHUB_EVENT_PATH")
	if event == "" || path == "" {
		return "", p, hybridcore.Usagef("GITHUB_EVENT_NAME or GITHUB_EVENT_PATH is not set: GitHub's runner sets " +
			"both, and `docker run` needs --env for each")
	}
	data, err := in.ReadFile(path, maxPayload)
	if err != nil {
		return "", p, err
	}
	p, err = decode(data)
	return event, p, err
}

// decode reads a payload.
func decode(data []byte) (payload, error) {
	var p payload
	if len(data) > maxPayload {
		return p, hybridcore.Usagef("the payload has %d bytes; GitHub sends at most %d", len(data), maxPayload)
	}
	if err := json.Unmarshal(data, &p, jsontext.AllowInvalidUTF8(true)); err != nil {
		return p, hybridcore.Usagef("the payload is not that of a GitHub event: %.300s", ci.Shown(err.Error()))
	}
	return p, nil
}

// ticket is the bot's, as the event of the job brings it.
func ticket(in ci.Input) (string, error) {
	_, p, err := readPayload(in)
	return p.Inputs.Ticket, err
}

// place is the job of a process, by its environment.
func place(env forge.Getenv) ci.Place {
	attempt := env("GITHUB_RUN_ATTEMPT")
	p := ci.Place{
		System: name, Title: title, Event: env("GITHUB_EVENT_NAME"), Repository: env("GITHUB_REPOSITORY"),
		Login: env("GITHUB_ACTOR"), Run: env("GITHUB_RUN_ID"), Again: attempt != "" && attempt != "1",
		Origin: hybridcore.Origin{Kind: name, Actor: env("GITHUB_ACTOR_ID")},
		// All schedules have the same lines.
		Apart: "dispatch the workflow with the other as its command",
	}
	if p.Event == "issue_comment" {
		p.Origin.Kind = "comment"
	}
	p.Origin.URL = runURL(env, p.Repository, p.Run)
	return p
}

// runURL is the web address of a run.
func runURL(env forge.Getenv, repository, run string) string {
	server := env("GITHUB_SERVER_URL")
	if server == "" {
		server = "https://github.com"
	}
	u, err := url.Parse(server)
	if err != nil || run == "" {
		return ""
	}
	return u.JoinPath(repository, "actions", "runs", run).String()
}

// fromPayload reads an event by its name and payload.
func fromPayload(event string, p payload, in ci.Input) (ci.Event, error) {
	e := ci.Event{Place: placeOf(event, p, in.Getenv), Branch: p.Repository.DefaultBranch, Word: "pull request"}
	sha := in.Getenv("GITHUB_SHA")
	switch event {
	case "pull_request":
		return pullRequestEvent(e, p, sha), nil
	case "merge_group":
		return mergeGroupEvent(e, p), nil
	case "pull_request_target":
		return ci.Event{}, hybridcore.Blockedf(
			"the event pull_request_target runs a stranger's code with this repository's secrets; use pull_request")
	case "push":
		return pushEvent(e, p, sha), nil
	case "schedule":
		if e.Branch == "" { // GitHub runs schedules on the default branch only
			e.Branch = strings.TrimPrefix(in.Getenv("GITHUB_REF"), "refs/heads/")
		}
		e.Kind, e.Commits = ci.KindSchedule, []string{sha}
	case "workflow_dispatch":
		return dispatchEvent(e, p, sha), nil
	case "issue_comment":
		return commentEvent(e, p, in)
	case "workflow_run":
		e.Nothing = "the end of another workflow asks for nothing: that workflow made its own report"
	default:
		e.Nothing = "the event " + ci.Shown(event) + " asks for nothing"
	}
	return e, nil
}

// placeOf is the place with what the payload says of it: where it happened and who caused it.
func placeOf(event string, p payload, env forge.Getenv) ci.Place {
	at := place(env)
	at.Event, at.Ref = event, p.Ref
	if p.Repository.FullName != "" {
		at.Repository = p.Repository.FullName
		at.Origin.URL = runURL(env, at.Repository, at.Run)
	}
	if p.Sender.ID != 0 { // a schedule has no sender
		at.Origin.Actor, at.Login = strconv.FormatInt(p.Sender.ID, 10), p.Sender.Login
	}
	if p.Action != "" {
		at.Event = ci.Shown(event) + " " + ci.Shown(p.Action)
	}
	at.Origin.Kind = name
	return at
}

func pullRequestEvent(e ci.Event, p payload, sha string) ci.Event {
	pr := p.PullRequest
	e.Kind, e.Place.Origin.Change = ci.KindChange, strconv.FormatInt(max(pr.Number, p.Number), 10)
	e.Place.Ref = pr.Head.Ref
	switch p.Action {
	case "opened", "reopened", "synchronize", "ready_for_review":
	case "edited":
		if p.Changes.Base == nil {
			e.Nothing = "only the words of the pull request changed"
		}
	case "closed":
		e.Nothing = "the pull request is closed; when it was merged, the push to its base is what is built"
	default:
		e.Nothing = "nothing of the change itself changed: the pull request was " + ci.Shown(p.Action)
	}
	if e.Nothing != "" {
		return e
	}
	e.Commits, e.Base = []string{pr.Head.SHA, sha}, pr.Base.SHA
	// A fork that was deleted has no repository at all. Dependabot's changes
	// come from the repository, but GitHub gives their jobs no secrets either.
	e.Foreign = pr.Head.Repo.ID == 0 || pr.Head.Repo.ID != pr.Base.Repo.ID || dependabot(pr.User) || dependabot(p.Sender)
	return e
}

// mergeGroupEvent reads what GitHub has made of the changes in its merge queue: a branch
// of this repository, of which checks are asked for before it becomes the default one.
func mergeGroupEvent(e ci.Event, p payload) ci.Event {
	e.Kind, e.Place.Ref, e.Word = ci.KindChange, p.MergeGroup.HeadRef, "group of the merge queue"
	if p.Action != "checks_requested" {
		e.Nothing = "the group left the merge queue: it was " + ci.Shown(p.Action)
		return e
	}
	e.Commits, e.Base = []string{p.MergeGroup.HeadSHA}, p.MergeGroup.BaseSHA
	return e
}

// dependabot says whether a user is GitHub's own updater. Nobody else can have
// a login with brackets.
func dependabot(u user) bool { return u.Login == "dependabot[bot]" }

func pushEvent(e ci.Event, p payload, sha string) ci.Event {
	if p.Deleted || p.After != "" && strings.Trim(p.After, "0") == "" {
		e.Nothing = ci.Shown(p.Ref) + " was deleted"
		return e
	}
	tip := p.HeadCommit.ID // of an annotated tag, p.After is the tag object
	if tip == "" {
		tip = p.After
	}
	e.Kind, e.Commits = ci.KindMerge, []string{tip, sha}
	tag, tagged := strings.CutPrefix(p.Ref, "refs/tags/")
	switch {
	case tagged:
		e.Kind, e.Tag = ci.KindTag, tag
	case e.Branch == "" || p.Ref != "refs/heads/"+e.Branch:
		e.Nothing = ci.Shown(p.Ref) + " is not the default branch; its pull request is what is planned"
	}
	return e
}

func dispatchEvent(e ci.Event, p payload, sha string) ci.Event {
	pinned := p.Inputs.SHA
	if pinned == "" {
		pinned = sha
	}
	e.Kind, e.Commits = ci.KindCommand, []string{pinned}
	e.By = ci.Person{ID: p.Sender.ID, Login: p.Sender.Login}
	e.Command = ci.Command{
		Line: p.Inputs.Command, Request: p.Inputs.RequestID, Ticket: p.Inputs.Ticket, Where: "the input `command`",
	}
	return e
}

// commentEvent reads a comment on a pull request. Everything that is no command to
// us, or not from somebody with a part in the repository, has no answer: else
// anybody could make us write comments.
func commentEvent(e ci.Event, p payload, in ci.Input) (ci.Event, error) {
	c := p.Comment
	origin := &e.Place.Origin
	origin.Kind, origin.Change = "comment", strconv.FormatInt(p.Issue.Number, 10)
	origin.ReplyTo = strconv.FormatInt(c.ID, 10)
	line, ours := ci.Remark(c.Body)
	e.Kind, e.Remark, e.Change = ci.KindComment, line, p.Issue.Number
	e.By = ci.Person{ID: c.User.ID, Login: c.User.Login, At: c.Created}
	switch {
	case !ours:
		e.Nothing = "the comment does not begin with " + ci.Prefix
	case p.Action != "created":
		e.Nothing = "a comment counts when it is written, not when it is " + ci.Shown(p.Action) + "; write a new one"
	case p.Issue.PullRequest == nil:
		e.Nothing = "issue " + origin.Change + " is no pull request"
	case c.User.Type == "Bot" || strings.HasSuffix(c.User.Login, "[bot]") || c.App != nil || c.User.ID == 0 ||
		c.User.ID != p.Sender.ID:
		e.Nothing = "a program wrote the comment"
	case !slices.Contains([]string{"OWNER", "MEMBER", "COLLABORATOR"}, c.Association):
		e.Nothing = "whoever wrote the comment has no part in this repository"
	case in.Lookup == nil:
		return ci.Event{}, hybridcore.Blockedf("GITHUB_TOKEN is not set, and without it GitHub cannot be asked what " +
			"the author of the comment may do: give it to the step that runs packer-hybrid ci")
	}
	return e, nil
}
