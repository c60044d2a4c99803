// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// Prefix is how a comment calls us.
const Prefix = "/packer-hybrid"

// notInComments are verbs that a comment must not ask for: one removes things, one takes files of the machine for what
// was built, one is for merged code, and one takes a target from its holder.
var notInComments = []hybridcore.Action{
	hybridcore.ActionReap, hybridcore.ActionCollect, hybridcore.ActionPublish, hybridcore.ActionFree,
}

// aboutBuilt are verbs about what is built, whatever a change holds.
var aboutBuilt = []hybridcore.Action{hybridcore.ActionStatus, hybridcore.ActionParity, hybridcore.ActionDrift}

// menu is what a comment may ask for.
func menu() command.Menu {
	return command.Menu{
		Prefix: Prefix,
		Verbs: slices.DeleteFunc(command.Verbs(),
			func(v command.Verb) bool { return slices.Contains(notInComments, v.Action) }),
		Own: []command.Form{
			{Name: "retry", Args: "[RUN]", Short: "Build again what failed in a run, the last one of this pull request"},
			{Name: "help"},
		},
	}
}

// Nearest is the correct command that is nearest to a wrong line.
func Nearest(line string) string { return menu().Nearest(line) }

// Remark returns the command line of a comment: what follows the prefix on
// its first line, when the comment begins with it at the first byte.
func Remark(body string) (string, bool) {
	first := body
	if end := strings.IndexAny(body, "\r\n"); end >= 0 {
		first = body[:end]
	}
	rest, ours := strings.CutPrefix(first, Prefix)
	if !ours || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// obey does what a comment says as far as the facts allow it.
func (j Job) obey(line string, facts Facts) (Job, error) {
	switch {
	case !MayWrite(facts.Permission):
		return j.answer("This needs permission to write to %s.", j.Place.Repository)
	case line == "" || line == "help" || strings.HasPrefix(line, "help "):
		return j.answer("Commands, on the first line of a new comment:\n%s", menu().Help())
	case !facts.Open:
		return j.answer("This pull request is closed.")
	case !strings.EqualFold(facts.HeadRepository, j.Place.Repository):
		return j.answer("This pull request comes from another repository. Its code runs only where no secrets are: in the "+
			"checks that %s starts for it.", j.Place.Title)
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
	if err := j.review(); err != nil {
		return Job{}, err
	}
	if slices.Contains(aboutBuilt, c.Action) {
		if err := j.pin(j.reading.tip); err != nil {
			return Job{}, err
		}
		j.Merged = true
	}
	j.reading.rule += "; a comment of " + j.Place.Login + ", who may write"
	job, err := j.allow([]parsed{c})
	if err != nil {
		return j.Refuse(err)
	}
	return job, nil
}

// LastRun in a retry is the last run of the change. Whoever decides does not
// have the state, and leaves the job that has it to say which one that is.
const LastRun = "last"

// parseComment reads a line by the shared grammar, with retry besides.
func parseComment(line string, facts Facts) (parsed, error) {
	words := strings.Fields(line)
	if words[0] == "retry" {
		run := []string{"build", "--retry-failed"}
		switch named := len(words) > 1 && !strings.HasPrefix(words[1], "-"); {
		case named:
			run = append(run, words[1:]...)
		case facts.LastRun == "":
			return parsed{}, hybridcore.Usagef("no run of this pull request is known; name one")
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
	if err == nil && !slices.ContainsFunc(menu().Verbs, func(v command.Verb) bool { return v.Action == c.Action }) {
		return parsed{}, hybridcore.Usagef("%s is no command for comments; run it where the images are built",
			c.Action)
	}
	return c, err
}
