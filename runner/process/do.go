// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:12:00Z
// Spec: openspec/specs/cli/spec.md#requirement-streams
// Diagram: openspec/specs/cli/diagram.md#one-command

package process

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/live"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// Work answers a request.
type Work func(context.Context, hybridcore.Request, runner.Reporter) (hybridcore.Answer, error)

// Do opens what a request needs, answers it, and shows the answer.
func (p Process) Do(ctx context.Context, req hybridcore.Request, s Screen) (hybridcore.Answer, error) {
	if err := s.check(req); err != nil {
		return hybridcore.Answer{}, err
	}
	open := p.Open
	switch {
	case req.Action == hybridcore.ActionPlan || req.Action == hybridcore.ActionExplain || p.Policy != nil:
		open = p.View
	case req.Reads():
		open = p.Read
	}
	r, done, err := open()
	if err != nil {
		return hybridcore.Answer{}, err
	}
	defer done()
	r.Remember.Whole, r.Compare = s.Output == "json", s.Reporter != nil // who reports, tells what changed
	return p.Answer(ctx, r, Named(req), s, r.Do)
}

// Named is a request with an ID, if it is of a verb that has one: a plan has none,
// so that the same tree gives the same bytes.
func Named(req hybridcore.Request) hybridcore.Request {
	if req.ID == "" && (req.Records() || req.Action == hybridcore.ActionValidate) {
		req.ID = hybridcore.NewRunID(time.Now())
	}
	return req
}

// Answer has a request done, shows its progress, and what it came to.
func (p Process) Answer(ctx context.Context, r *runner.Runner, req hybridcore.Request, s Screen, work Work) (
	hybridcore.Answer, error,
) {
	console, log := s.console(), begin(r.Project.Log, p.Version, req)
	answer, failure := work(ctx, req, progress{s, console, log})
	console.Close()
	if failure == nil {
		failure = p.export(r, answer)
	}
	log.end(answer, failure)
	return answer, s.Present(r, answer, failure)
}

// progress shows what a run does.
type progress struct {
	screen  Screen
	console *live.Console
	log     journal
}

// Event implements runner.Reporter.
func (p progress) Event(e hybridcore.Event) {
	p.log.event(e)
	if e.Kind == hybridcore.EventPlan {
		_ = checks.WriteFindings(p.screen.Err, p.screen.ErrStyle, e.Plan.Findings) // as the error says at the end
	} else {
		p.console.Event(e)
	}
	if p.screen.Reporter != nil {
		Contained(p.screen.Err, func() { p.screen.Reporter.Event(e) })
	}
}

// console shows progress on standard output, or on standard error when standard
// output is for one JSON document.
func (s Screen) console() *live.Console {
	out, style := s.Out, s.OutStyle
	if s.Output == "json" {
		out, style = s.Err, s.ErrStyle
	}
	if style.Live {
		out = s.Live
	}
	return live.NewConsole(out, style, s.Verbose)
}

// Faulty writes a line about a fault to a job's log, where it commands nothing.
func Faulty(log io.Writer, line string) {
	_, _ = io.WriteString(log, "warning: "+text.JobLog(line)+"\n")
}

// Contained does something that only reports: a panic in it is told, and the
// result of the job stays what it is.
func Contained(log io.Writer, do func()) {
	err := hybridcore.Contain(func() error { do(); return nil })
	if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok {
		for line := range strings.Lines(err.Error() + "\n" + panicked.Stack) {
			Faulty(log, strings.TrimRight(line, "\n"))
		}
	}
}
