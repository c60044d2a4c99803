// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:47:00Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxTicket bounds the bot's ticket, in bytes: GitHub takes 65,535 characters
// for all inputs of a dispatch together.
const maxTicket = 60_000

// Read says what an event asks for. It gives a UsageError for an event that is not
// formed as it should be, and a BlockedError for one that must not be obeyed.
func Read(in Input, e Event) (Job, error) {
	place, err := e.Place.checked()
	if err != nil {
		return Job{}, err
	}
	j := Job{Place: place, Trusted: true, reading: reading{in: in, event: e}}
	if len(e.Commits) > 0 {
		if err := j.pin(e.Commits...); err != nil {
			return Job{}, err
		}
	}
	switch {
	case e.Nothing != "":
		return j.nothing("%s", text.JobLog(e.Nothing))
	case e.Kind == KindComment:
		return j.comment()
	case j.Commit == "":
		return Job{}, errNoCommit
	}
	switch e.Kind {
	case KindChange:
		return j.change()
	case KindCommand:
		return j.asked(e.Command)
	case KindMerge, KindTag, KindSchedule:
		return j.declared()
	default:
		return Job{}, hybridcore.Blockedf("%s is no kind of event", Shown(string(e.Kind)))
	}
}

// checked is a place with a repository that is one, and texts that are fit to be shown.
func (p Place) checked() (Place, error) {
	name, err := repository(p.Repository)
	if err != nil {
		return Place{}, err
	}
	p.Repository, p.Event, p.Ref, p.Login = name, Shown(p.Event), Shown(p.Ref), Shown(p.Login)
	p.Origin.Actor, p.Origin.Change = Shown(p.Origin.Actor), Shown(p.Origin.Change)
	p.Origin.URL = link(p.Origin.URL)
	return p, nil
}

// change plans code that nobody has reviewed, by the lines of what it is to be merged into.
func (j Job) change() (Job, error) {
	if err := j.reviewBase(); err != nil {
		return Job{}, err
	}
	j.Trusted = !j.reading.event.Foreign
	return j.run(j.reading.event.Word, lines(j.reading.policy.Change, Default().Change))
}

// declared does what the policy has for an event of merged code. A tag must be at
// such code: whoever may push a tag may push any commit with it.
func (j Job) declared() (Job, error) {
	if err := j.review(); err != nil {
		return Job{}, err
	}
	policy, e := j.reading.policy, j.reading.event
	switch {
	case e.Kind == KindTag && !j.Merged:
		return Job{}, hybridcore.Blockedf("the tag %s is at commit %.12s, which is not merged into %s: a release is "+
			"made of merged code; merge it, then tag it again", Shown(e.Tag), j.Commit, Shown(e.Branch))
	case e.Kind == KindTag:
		return j.run("tag", lines(policy.Tag, Default().Tag))
	case e.Kind == KindSchedule:
		return j.run("schedule", lines(policy.Schedule, Default().Schedule))
	default:
		return j.run("push to the default branch", lines(policy.Merge, Default().Merge))
	}
}

// asked does what somebody has asked for with a command line.
func (j Job) asked(c Command) (Job, error) {
	if c.Request != "" {
		if err := hybridcore.CheckName("request", c.Request); err != nil {
			return Job{}, err
		}
		j.RequestID, j.Place.Origin.ReplyTo = c.Request, c.Request
	}
	if len(c.Ticket) > maxTicket {
		return Job{}, hybridcore.Usagef("the bot's ticket has %d bytes; at most %d are read", len(c.Ticket), maxTicket)
	}
	j.Ticket, j.ByBot = []byte(c.Ticket), c.Ticket != "" || c.Child && c.Request != ""
	if strings.TrimSpace(c.Line) == "" {
		return Job{}, hybridcore.Usagef("no command: give it in %s, for example `build debian-12 --env lab`", c.Where)
	}
	line, err := parse(c.Line)
	if err != nil {
		return Job{}, err
	}
	if err := j.review(); err != nil {
		return Job{}, err
	}
	j.reading.rule += "; asked for in " + c.Where
	return j.allow([]parsed{line})
}

// comment does what a comment on a change says, as far as who wrote it may have that.
func (j Job) comment() (Job, error) {
	e := j.reading.event
	if j.reading.in.Lookup == nil {
		return Job{}, hybridcore.Blockedf("nobody can be asked what the author of the comment may do")
	}
	facts, err := j.reading.in.Lookup(Comment{
		Repository: j.Place.Repository, Change: e.Change, User: e.By.ID, Login: e.By.Login,
	})
	if err != nil {
		return Job{}, fmt.Errorf("looking up the permission of %s: %w", j.Place.Login, err)
	}
	if facts.User != e.By.ID {
		return Job{}, hybridcore.Blockedf("the comment is by user %d, but the login %s is of user %d", e.By.ID, j.Place.Login,
			facts.User)
	}
	return j.obey(e.Remark, facts)
}

// ReadChange reads which change an event is about, and nothing else: for the job
// that sends the report of another one, and has no checkout. A change of another
// repository gives a reason instead.
func ReadChange(e Event) (Job, error) {
	if e.Kind != KindChange || e.Nothing != "" {
		return Job{}, hybridcore.Blockedf("the event %s is about no change: there is no held report to send for it",
			Shown(e.Place.Event))
	}
	e.Line = ""
	j, err := Read(Input{Repo: Repository{Policy: func(string) (Policy, error) { return Policy{}, nil }}}, e)
	switch {
	case err != nil:
		return Job{}, err
	case !j.Trusted && j.Nothing == "":
		return j.nothing("the change comes from another repository, or from Dependabot, and %s lets no job of it "+
			"write: its report is in the summary of its job", j.Place.Title)
	}
	return j, nil
}
