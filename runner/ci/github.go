// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/sethvargo/go-githubactions"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// MaxPayload bounds the payload of an event, in bytes: GitHub cuts off
// deliveries above 25 MB.
const MaxPayload = 25 << 20

// maxTicket bounds the bot's ticket, in bytes: GitHub takes 65,535 characters
// for all inputs of a dispatch together.
const maxTicket = 60_000

// fromGitHub reads the event of a GitHub Actions job.
func fromGitHub(in Input) (Job, error) {
	event, p, err := readPayload(in)
	if err != nil {
		return Job{}, err
	}
	in.line = githubactions.New(githubactions.WithGetenv(in.Getenv)).GetInput("command")
	return fromPayload(event, p, in)
}

// readPayload reads the event that GitHub's runner names.
func readPayload(in Input) (event string, p payload, err error) {
	event, path := in.Getenv("GITHUB_EVENT_NAME"), in.Getenv("GITHUB_EVENT_PATH")
	if event == "" || path == "" {
		return "", p, hybridcore.Usagef("GITHUB_EVENT_NAME or GITHUB_EVENT_PATH is not set: GitHub's runner sets " +
			"both, and `docker run` needs --env for each")
	}
	data, err := in.ReadFile(path, MaxPayload)
	if err != nil {
		return "", p, err
	}
	p, err = decode(data)
	return event, p, err
}

// decode reads a payload.
func decode(data []byte) (payload, error) {
	var p payload
	if len(data) > MaxPayload {
		return p, hybridcore.Usagef("the payload has %d bytes; GitHub sends at most %d", len(data), MaxPayload)
	}
	if err := json.Unmarshal(data, &p, jsontext.AllowInvalidUTF8(true)); err != nil {
		return p, hybridcore.Usagef("the payload is not that of a GitHub event: %.300s", shown(err.Error()))
	}
	return p, nil
}

// FromGitHub reads a GitHub event by its name and payload; see Read.
func FromGitHub(event string, data []byte, in Input) (Job, error) {
	p, err := decode(data)
	if err != nil {
		return Job{}, err
	}
	return fromPayload(event, p, in)
}

func fromPayload(event string, p payload, in Input) (Job, error) {
	j, err := githubJob(event, p, in)
	if err != nil {
		return Job{}, err
	}
	sha := in.Getenv("GITHUB_SHA")
	switch event {
	case "pull_request":
		return j.pullRequest(p, sha, in)
	case "pull_request_target":
		return Job{}, hybridcore.Blockedf(
			"the event pull_request_target runs a stranger's code with this repository's secrets; use pull_request")
	case "push":
		return j.push(p, sha, in)
	case "schedule":
		branch := p.Repository.DefaultBranch
		if branch == "" { // GitHub runs schedules on the default branch only
			branch = strings.TrimPrefix(in.Getenv("GITHUB_REF"), "refs/heads/")
		}
		if err := j.pin(sha); err != nil {
			return Job{}, err
		}
		if err := j.review(in, branch); err != nil {
			return Job{}, err
		}
		return j.run("schedule", lines(j.reading.policy.Schedule, Default().Schedule))
	case "workflow_dispatch":
		return j.dispatch(p, sha, in)
	case "issue_comment":
		return j.comment(p, in)
	case "workflow_run":
		return j.nothing("the end of another workflow asks for nothing: that workflow made its own report")
	default:
		return j.nothing("the event %s asks for nothing", shown(event))
	}
}

// githubJob is what all events have: where it happened and who caused it.
func githubJob(event string, p payload, in Input) (Job, error) {
	name := p.Repository.FullName
	if name == "" {
		name = in.Getenv("GITHUB_REPOSITORY")
	}
	name, err := repository(name)
	if err != nil {
		return Job{}, err
	}
	actor, login := strconv.FormatInt(p.Sender.ID, 10), p.Sender.Login
	if p.Sender.ID == 0 { // a schedule has no sender
		actor, login = in.Getenv("GITHUB_ACTOR_ID"), in.Getenv("GITHUB_ACTOR")
	}
	j := Job{System: GitHub, Event: shown(event), Repository: name, Ref: shown(p.Ref), Login: shown(login), Trusted: true}
	if p.Action != "" {
		j.Event += " " + shown(p.Action)
	}
	j.origin = hybridcore.Origin{Kind: string(GitHub), Actor: shown(actor)}
	if run := in.Getenv("GITHUB_RUN_ID"); run != "" {
		j.origin.URL = link(server(in.Getenv), name, "actions", "runs", run)
	}
	return j, nil
}

// server is the web address of GitHub.
func server(getenv func(string) string) string {
	if address := getenv("GITHUB_SERVER_URL"); address != "" {
		return address
	}
	return "https://github.com"
}

func (j Job) pullRequest(p payload, sha string, in Input) (Job, error) {
	pr := p.PullRequest
	j.origin.Change = strconv.FormatInt(max(pr.Number, p.Number), 10)
	j.Ref = shown(pr.Head.Ref)
	switch p.Action {
	case "opened", "reopened", "synchronize", "ready_for_review":
	case "edited":
		if p.Changes.Base == nil {
			return j.nothing("only the words of the pull request changed")
		}
	case "closed":
		return j.nothing("the pull request is closed; when it was merged, the push to its base is what is built")
	default:
		return j.nothing("nothing of the change itself changed: the pull request was %s", shown(p.Action))
	}
	if err := j.pin(pr.Head.SHA, sha); err != nil {
		return Job{}, err
	}
	if err := j.reviewBase(in, pr.Base.SHA); err != nil {
		return Job{}, err
	}
	// A fork that was deleted has no repository at all. Dependabot's changes
	// come from the repository, but GitHub gives their jobs no secrets either.
	j.Trusted = pr.Head.Repo.ID != 0 && pr.Head.Repo.ID == pr.Base.Repo.ID && !dependabot(pr.User) && !dependabot(p.Sender)
	return j.run("pull request", lines(j.reading.policy.Change, Default().Change))
}

// dependabot says whether a user is GitHub's own updater. Nobody else can have
// a login with brackets.
func dependabot(u user) bool { return u.Login == "dependabot[bot]" }

func (j Job) push(p payload, sha string, in Input) (Job, error) {
	if p.Deleted || p.After != "" && isZero(p.After) {
		return j.nothing("%s was deleted", j.Ref)
	}
	tip := p.HeadCommit.ID // of an annotated tag, p.After is the tag object
	if tip == "" {
		tip = p.After
	}
	if err := j.pin(tip, sha); err != nil {
		return Job{}, err
	}
	branch := p.Repository.DefaultBranch
	tag, tagged := strings.CutPrefix(p.Ref, "refs/tags/")
	if !tagged && (branch == "" || p.Ref != "refs/heads/"+branch) {
		return j.nothing("%s is not the default branch; its pull request is what is planned", j.Ref)
	}
	if err := j.review(in, branch); err != nil {
		return Job{}, err
	}
	if !tagged {
		return j.run("push to the default branch", lines(j.reading.policy.Merge, Default().Merge))
	}
	j.reading.tag = tag
	return j.tagged()
}

// tagged does what the policy has for a tag, which must be at merged code:
// whoever may push a tag may push any commit with it.
func (j Job) tagged() (Job, error) {
	if !j.Merged {
		return Job{}, hybridcore.Blockedf("the tag %s is at commit %.12s, which is not merged into %s: a release is "+
			"made of merged code; merge it, then tag it again",
			shown(j.reading.tag), j.Commit, shown(j.reading.branch))
	}
	return j.run("tag", lines(j.reading.policy.Tag, Default().Tag))
}

func (j Job) dispatch(p payload, sha string, in Input) (Job, error) {
	pinned := p.Inputs.SHA
	if pinned == "" {
		pinned = sha
	}
	line := p.Inputs.Command
	if in.line != "" {
		line = in.line
	}
	j.reading.user, j.reading.login = p.Sender.ID, p.Sender.Login
	a := asked{line: line, commit: pinned, id: p.Inputs.RequestID, ticket: p.Inputs.Ticket, how: "the input `command`"}
	return j.asked(a, in, p.Repository.DefaultBranch)
}

// asked is a command line that came with an event.
type asked struct {
	line, commit, id string
	ticket           string // of the bot's decision; empty for none
	child            bool   // of a pipeline whose job has verified the ticket
	how              string // where the line is given
}

// asked ends the reading of an event that somebody caused with a command line.
func (j Job) asked(a asked, in Input, branch string) (Job, error) {
	if err := j.pin(a.commit); err != nil {
		return Job{}, err
	}
	if a.id != "" {
		if err := hybridcore.CheckName("request", a.id); err != nil {
			return Job{}, err
		}
		j.RequestID, j.origin.ReplyTo = a.id, a.id
	}
	if len(a.ticket) > maxTicket {
		return Job{}, hybridcore.Usagef("the bot's ticket has %d bytes; at most %d are read", len(a.ticket), maxTicket)
	}
	j.Ticket, j.ByBot = []byte(a.ticket), a.ticket != "" || a.child && a.id != ""
	if strings.TrimSpace(a.line) == "" {
		return Job{}, hybridcore.Usagef("no command: give it in %s, for example `build debian-12 --env lab`", a.how)
	}
	c, err := parse(a.line)
	if err != nil {
		return Job{}, err
	}
	if err := j.review(in, branch); err != nil {
		return Job{}, err
	}
	j.reading.rule += "; asked for in " + a.how
	return j.allow([]command{c})
}

// comment reads a comment on a pull request. Everything that is no command to
// us, or not from somebody with a part in the repository, has no answer: else
// anybody could make us write comments.
func (j Job) comment(p payload, in Input) (Job, error) {
	c := p.Comment
	j.origin.Kind, j.origin.Change, j.origin.ReplyTo = "comment", strconv.FormatInt(p.Issue.Number,
		10), strconv.FormatInt(c.ID, 10)
	line, ours := Command(c.Body)
	switch {
	case !ours:
		return j.nothing("the comment does not begin with %s", prefix)
	case p.Action != "created":
		return j.nothing("a comment counts when it is written, not when it is %s; write a new one", shown(p.Action))
	case p.Issue.PullRequest == nil:
		return j.nothing("issue %d is no pull request", p.Issue.Number)
	case c.User.Type == "Bot" || strings.HasSuffix(c.User.Login, "[bot]") || c.App != nil || c.User.ID == 0 ||
		c.User.ID != p.Sender.ID:
		return j.nothing("a program wrote the comment")
	case !slices.Contains([]string{"OWNER", "MEMBER", "COLLABORATOR"}, c.Association):
		return j.nothing("whoever wrote the comment has no part in this repository")
	case in.Lookup == nil:
		return Job{}, hybridcore.Blockedf("GITHUB_TOKEN is not set, and without it GitHub cannot be asked what " +
			"the author of the comment may do: give it to the step that runs packer-hybrid ci")
	}
	facts, err := in.Lookup(Comment{
		Repository: j.Repository, Change: p.Issue.Number, User: c.User.ID,
		Login: c.User.Login,
	})
	if err != nil {
		return Job{}, fmt.Errorf("looking up the permission of %s: %w", j.Login, err)
	}
	if facts.User != c.User.ID {
		return Job{}, hybridcore.Blockedf("the comment is by user %d, but the login %s is of user %d", c.User.ID, j.Login,
			facts.User)
	}
	j.reading.user, j.reading.login, j.reading.asked = c.User.ID, c.User.Login, c.Created
	return j.obey(line, facts, in, p.Repository.DefaultBranch)
}
