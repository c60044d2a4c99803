// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:35:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

// Package dispatch asks CI systems for runs, and follows them: GitHub Actions,
// GitLab CI, and this machine.
package dispatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Inputs of the workflow, and variables of the pipeline, that a run gets.
const (
	inputCommand = "command"
	inputSHA     = "sha"
	inputRequest = "request_id"
	inputTicket  = "ticket"
)

// Bounds of talking to a CI system.
const (
	callTimeout  = 10 * time.Second // of one request
	fileTimeout  = time.Minute      // of the download of a record
	maxAnswer    = 32 << 20         // bytes of an answer, and of a file in an archive
	refusedPause = time.Minute      // after a token was refused: somebody has to change it
	maxPages     = 5                // of a list
	earlier      = 5 * time.Minute  // that a run may seem older than its request, by other clocks
)

// address checks the address of an API, and ends it with a slash.
func address(text string) (*url.URL, error) {
	u, ok := webapi.Address(text)
	if !ok || u.User != nil {
		return nil, hybridcore.Usagef("%.80q is not the address of an API, such as https://api.github.com", text)
	}
	return u, nil
}

// endless is the error for a list that goes on after the pages that are read, or
// whose pages name each other: what is looked for may be further down.
func endless(system, of, request string) error {
	return fmt.Errorf("%s lists more than %d pages of %s since request %s, so that it is not known whether one of them "+
		"is its own", system, maxPages, of, request)
}

// refusal is an answer that is none of success.
type refusal struct {
	status  int // 0: there was no answer
	header  http.Header
	limited bool   // the system says that it is a limit
	what    string // that was asked for, such as "GitHub for the branch main"
	hint    string // what to do when it stays
	err     error
}

// classify makes an error of a refusal: a LaterError when it passes and surely
// nothing was done, a BlockedError when it stays, else one of which nothing is known.
func (r refusal) classify(now time.Time) error {
	err := fmt.Errorf("asking %s: %w", r.what, shortened(r.err))
	switch {
	case r.status == http.StatusTooManyRequests, r.status == http.StatusForbidden && r.limited:
		return &bot.LaterError{After: webapi.Pause(r.header, now), Err: err}
	case r.status == http.StatusUnauthorized:
		return &bot.LaterError{After: refusedPause, Err: fmt.Errorf("%w (the bot's token is refused: renew it)", err)}
	case r.status >= http.StatusBadRequest && r.status < http.StatusInternalServerError &&
		r.status != http.StatusRequestTimeout && r.status != http.StatusConflict:
		return hybridcore.Blockedf("%v; %s", err, r.hint)
	default:
		return err
	}
}

// shortened keeps the address of a request out of an error, which is long.
func shortened(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

// begun is the time in a request's ID, a little earlier.
func begun(request string) time.Time {
	stamp, _, _ := strings.Cut(request, "-")
	at, err := time.Parse("20060102t150405", stamp)
	if err != nil {
		return time.Time{}
	}
	return at.Add(-earlier)
}

// row is the row of a target, made of its check-run or commit status, whose name
// is that which checks gives it: packer-hybrid VERB ENV/IMAGE@PLATFORM. It is
// false for another name. What it does now is told while it runs or failed.
func row(name, status, now string, took time.Duration) (bot.Target, bool) {
	_, target, ok := strings.Cut(name, "/")
	if !ok || !strings.HasPrefix(name, "packer-hybrid ") || !strings.Contains(target, "@") {
		return bot.Target{}, false
	}
	t := bot.Target{Name: target, Status: status, Duration: took}
	if status == "running" || status == string(hybridcore.Failed) {
		t.Step = now
	}
	return t, true
}

// sorted are rows by name, of equal ones the first.
func sorted(rows []bot.Target) []bot.Target {
	slices.SortStableFunc(rows, func(a, b bot.Target) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(rows, func(a, b bot.Target) bool { return a.Name == b.Name })
}

// answerFile is what packer-hybrid leaves of a request in a job's files.
const answerFile = "answer.json"

// readAnswer reads the answer of a job; nil for one that does not say what the whole run came to: that of a part of
// it, or of a job that hands over to others.
func readAnswer(r io.Reader) (*hybridcore.Answer, error) {
	var a hybridcore.Answer
	if err := json.NewDecoder(io.LimitReader(r, maxAnswer)).Decode(&a); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	part := a.Request != nil && a.Request.Part != "" || a.Record != nil && a.Record.Request.Part != ""
	said := a.Record != nil || a.Plan != nil || a.Status != nil || a.Parity != nil || a.Reaped != nil ||
		a.ReapedOn != nil ||
		a.Error != ""
	if part || !said {
		return nil, nil //nolint:nilnil // there is none
	}
	return &a, nil
}

// better is the answer that says more of a run: that with a record.
func better(one, other *hybridcore.Answer) *hybridcore.Answer {
	if one == nil || one.Record == nil && other != nil && other.Record != nil {
		return other
	}
	return one
}

// withAnswer is the end of a run with the details of its answer, when that is to its
// order. The CI system has the last word: a run may fail after its answer was good.
func withAnswer(p bot.Progress, o bot.Order, a hybridcore.Answer) bot.Progress {
	ci := p.Outcome
	if why := bot.Foreign(o, a); why != "" {
		if p.Outcome = (bot.Outcome{Status: hybridcore.Failed, Why: why}); ci.Status == hybridcore.Cancelled {
			p.Outcome.Status = ci.Status
		}
		return p
	}
	p.Outcome = bot.OutcomeOf(a)
	if len(p.Outcome.Targets) > 0 {
		p.Targets = p.Outcome.Targets // else what was seen of them stays
	}
	switch {
	case ci.Status == hybridcore.Cancelled:
		p.Outcome.Status = ci.Status
	case ci.Status == hybridcore.Failed && good(p.Outcome):
		p.Outcome.Status, p.Outcome.Why = ci.Status, ci.Why
	case p.Outcome.Why == "" && !good(p.Outcome):
		p.Outcome.Why = ci.Why
	}
	return p
}

// unseen is the end of a run that ended well and left no answer.
func unseen() bot.Outcome {
	return bot.Outcome{
		Status: bot.Answered, Title: "Done",
		Why: "The run left no answer that can be shown here; its log has it.",
	}
}

// good says whether an outcome is none of failure.
func good(o bot.Outcome) bool {
	switch o.Status {
	case hybridcore.Failed, hybridcore.BlockedStatus, hybridcore.Cancelled:
		return false
	}
	return true
}

// problems are what a check found, for a person.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// err adds an error, if it is one; nothing is tried again.
func (p *problems) err(err error) {
	if later, ok := errors.AsType[*bot.LaterError](err); ok {
		err = later.Err
	}
	if err != nil {
		*p = append(*p, err.Error())
	}
}
