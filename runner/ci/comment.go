// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// prefix is how a comment calls us.
const prefix = "/packer-hybrid"

// Comment is a command that somebody wrote on a change: what Lookup is asked about.
type Comment struct {
	Repository string // OWNER/NAME
	Change     int64  // number of the pull request
	User       int64  // who wrote it, by the identifier that does not change
	Login      string // of the same, as the permission is asked for
}

// Facts answer a Comment. They must be read when the command is, by the API of
// the platform.
type Facts struct {
	User           int64  // whose permission it is, as the API says: a login may have a new owner
	Permission     string // of the user: admin, maintain, write, triage, read or none
	Open           bool   // whether the change is
	Head           string // full object ID of the change's head
	HeadRepository string // OWNER/NAME; empty when it was deleted
	Base           string // full object ID of the target branch's tip
	LastRun        string // the last run of this change, for retry, or LastRun; empty when there is none
	LastEnv        string // the environment of LastRun, if it is known
}

// notInComments are verbs that a comment must not ask for: one removes things,
// one takes files of the machine for what was built, and one is for merged code.
var notInComments = []hybridcore.Action{hybridcore.ActionReap, hybridcore.ActionCollect, hybridcore.ActionPublish}

// menu is what a comment may ask for.
func menu() hybridcore.Menu {
	return hybridcore.Menu{
		Prefix: prefix,
		Verbs: slices.DeleteFunc(hybridcore.Verbs(),
			func(v hybridcore.Verb) bool { return slices.Contains(notInComments, v.Action) }),
		Own: []hybridcore.Form{
			{Name: "retry", Args: "[RUN]", Short: "Build again what failed in a run, the last one of this pull request"},
			{Name: "help"},
		},
	}
}

// Nearest is the correct command that is nearest to a wrong line.
func Nearest(line string) string { return menu().Nearest(line) }

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

// Command returns the command line of a comment: what follows the prefix on
// its first line, when the comment begins with it at the first byte.
func Command(body string) (string, bool) {
	first := body
	if end := strings.IndexAny(body, "\r\n"); end >= 0 {
		first = body[:end]
	}
	rest, ours := strings.CutPrefix(first, prefix)
	if !ours || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// obey does what a comment says as far as the facts allow it.
func (j Job) obey(line string, facts Facts, in Input, branch string) (Job, error) {
	switch {
	case !MayWrite(facts.Permission):
		return j.answer("This needs permission to write to %s.", j.Repository)
	case line == "" || line == "help" || strings.HasPrefix(line, "help "):
		return j.answer("Commands, on the first line of a new comment:\n%s", menu().Help())
	case !facts.Open:
		return j.answer("This pull request is closed.")
	case !strings.EqualFold(facts.HeadRepository, j.Repository):
		return j.answer("This pull request comes from another repository. Its code runs only where no secrets are: in the " +
			"checks that GitHub starts for it.")
	}
	if err := j.pin(facts.Head); err != nil {
		return Job{}, err
	}
	base := Job{}
	if err := base.pin(facts.Base); err != nil {
		return Job{}, err
	}
	j.Base = base.Commit
	c, err := parseComment(line, facts)
	if err != nil {
		return j.answer("%s\n\n%s", shownLines(err.Error()), Nearest(line))
	}
	if err := j.review(in, branch); err != nil {
		return Job{}, err
	}
	if c.Action == hybridcore.ActionStatus || c.Action == hybridcore.ActionParity {
		// They are about what is built, whatever the change holds.
		if err := j.pin(j.reading.tip); err != nil {
			return Job{}, err
		}
		j.Merged = true
	}
	j.reading.rule += "; a comment of " + j.Login + ", who may write"
	job, err := j.allow([]command{c})
	if err != nil {
		return j.Refuse(err)
	}
	return job, nil
}

func (j Job) answer(format string, args ...any) (Job, error) {
	j.Answer = fmt.Sprintf(format, args...)
	return j.nothing("the comment was answered")
}

// LastRun in a retry is the last run of the change. Whoever decides does not
// have the state, and leaves the job that has it to say which one that is.
const LastRun = "last"

// parseComment reads a line by the shared grammar, with retry besides.
func parseComment(line string, facts Facts) (command, error) {
	words := strings.Fields(line)
	if words[0] == "retry" {
		run := []string{"build", "--retry-failed"}
		switch named := len(words) > 1 && !strings.HasPrefix(words[1], "-"); {
		case named:
			run = append(run, words[1:]...)
		case facts.LastRun == "":
			return command{}, hybridcore.Usagef("no run of this pull request is known; name one")
		default:
			run = append(run, facts.LastRun)
			if facts.LastEnv != "" {
				run = append(run, "--env", facts.LastEnv)
			}
			run = append(run, words[1:]...)
		}
		line = strings.Join(run, " ")
	}
	c, err := parse(line)
	if err == nil && !slices.ContainsFunc(menu().Verbs, func(v hybridcore.Verb) bool { return v.Action == c.Action }) {
		return command{}, hybridcore.Usagef("%s is no command for comments; run it where the images are built",
			c.Action)
	}
	return c, err
}

// shownLines makes a text of several lines fit to be shown.
func shownLines(text string) string {
	text = text[:min(len(text), 4*hybridcore.MaxCommand)]
	return Inert(text)
}
