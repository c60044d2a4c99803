// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:36:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// job is one CI job with what its requests came to.
type job struct {
	ci.Job
	app     *app
	project config.Project
	prefix  string // path of the project in the repository
	actions ci.Actions
	log     io.Writer // standard output, redacted
	own     stage
	asked   ci.Job // all that the event asks for

	fanned   string  // the jobs that build what was planned: a matrix, or a pipeline
	current  *answer // of the request that runs
	answers  []*answer
	problems []string // reports that failed
}

// answer is what one request came to.
type answer struct {
	at     int // place among the requests
	req    hybridcore.Request
	plan   *hybridcore.Plan
	record *hybridcore.Record
	parity *hybridcore.ParityReport
	whole  hybridcore.Answer
	extra  []hybridcore.Finding // that no plan holds
	poster *post.Poster         // nil for none
}

func (a *app) newJob(project config.Project, read ci.Job) *job {
	top := a.Getenv("GITHUB_WORKSPACE")
	if read.System == ci.GitLab {
		top = a.Getenv("CI_PROJECT_DIR")
	}
	prefix := inside(top, project.Root)
	return &job{
		Job: read, app: a, project: project, prefix: prefix, log: a.Out,
		actions: ci.Actions{Getenv: a.Getenv, Log: a.Out, Root: prefix},
	}
}

// answered takes over what a request came to. A run that makes a record is
// reported while it goes on; everything else at the end.
func (j *job) answered(answer hybridcore.Answer) {
	c := j.current
	if answer.Plan != nil {
		c.plan = answer.Plan
	}
	if answer.Record != nil {
		c.record = answer.Record
	}
	if answer.Parity != nil {
		c.parity = answer.Parity
	}
	c.extra = append(c.extra, answer.Findings...)
	if c.plan == nil || c.poster != nil || !c.req.Records() || c.req.Part != "" {
		return
	}
	if c.poster = j.poster(c.slot()); c.poster != nil {
		c.poster.Report(j.report(c))
	}
}

// Event implements runner.Reporter.
func (j *job) Event(e hybridcore.Event) {
	if e.Kind == hybridcore.EventPlan {
		j.answered(hybridcore.Answer{Plan: e.Plan})
		return
	}
	if p := j.current.poster; p != nil {
		p.Event(e)
	}
}

// slot names the comment of a report, the same in every run.
func (c *answer) slot() string {
	if c.at == 0 {
		return "report"
	}
	return "report-" + strconv.Itoa(c.at+1)
}

// failures are the targets that failed, as findings: for readers of a job that
// may not write check-runs.
func (c *answer) failures() []hybridcore.Finding {
	var all []hybridcore.Finding
	for _, res := range c.results() {
		if f := res.Failure; f != nil {
			all = append(all, hybridcore.Finding{Kind: string(res.Status), Subject: res.Target, Message: f.Message, Hint: f.Step, File: f.File, Severity: hybridcore.Error})
		}
	}
	return all
}

func (c *answer) results() []hybridcore.Result {
	if c.record == nil {
		return nil
	}
	return c.record.Results
}

// report is what an answer's comment, summary and checks are rendered from.
func (j *job) report(c *answer) checks.Report {
	r := checks.Report{Record: c.record, Untrusted: !j.Trusted, Prefix: j.prefix, Full: "the files in artifacts/ of this job", Plan: hybridcore.Plan{Request: c.req}}
	if c.plan != nil {
		r.Plan = *c.plan
	}
	if c.parity != nil {
		r.Changes = c.parity.Changes
	}
	if r.Plan.Request.Env == "" {
		r.Plan.Request.Env = j.project.DefaultEnv
	}
	r.Plan.Findings = hybridcore.Distinct(append(slices.Clone(r.Plan.Findings), c.extra...))
	return r
}

// reported are the answers that have a report of their own. A validation
// inside the process adds its findings to the plan of the same environment:
// readers of a change get one report.
func (j *job) reported() []*answer {
	var all []*answer
	for _, c := range j.answers {
		at := slices.IndexFunc(all, func(p *answer) bool {
			return p.req.Action == hybridcore.ActionPlan && p.plan != nil && p.req.Env == c.req.Env
		})
		switch {
		case c.req.Action == hybridcore.ActionValidate && c.req.InProcess() && at >= 0:
			all[at].extra = append(all[at].extra, j.report(c).Findings()...)
		case c.plan != nil || c.record != nil || len(c.extra) > 0:
			all = append(all, c)
		}
	}
	return all
}

// finish reports what is to be reported at the end.
func (j *job) finish(ctx context.Context) {
	var findings, failures []hybridcore.Finding
	for _, c := range j.answers {
		findings, failures = append(findings, j.report(c).Findings()...), append(failures, c.failures()...)
	}
	findings = hybridcore.Distinct(findings)
	reported := j.reported()
	if j.own.hold {
		j.try("the report for another job", j.hold(reported))
	}
	files := j.files(findings)
	if j.System == ci.GitHub {
		j.try("annotations", j.actions.Annotate(append(failures, findings...)))
		for _, c := range reported {
			var text strings.Builder
			j.try("the step summary", checks.WriteReportMarkdown(&text, j.report(c)))
			j.try("the step summary", j.actions.Summary(j.app.Redactor.String(text.String())))
		}
		for _, name := range []string{"answer", "plan", "record", "parity", "release", "sarif"} {
			if file := files[name]; file != "" {
				j.try("the output "+name, j.actions.Output(name, file))
			}
		}
		if j.fanned != "" {
			j.try("the output matrix", j.actions.Output("matrix", j.fanned))
		}
	}
	if !j.own.hold {
		j.post(ctx, reported)
	}
	j.warn()
}

// warn says what went wrong with the reports.
func (j *job) warn() {
	for _, line := range j.problems {
		_, _ = fmt.Fprintln(j.app.Err, "warning: "+ci.Inert(line))
	}
}

// post sends checks and the comment.
func (j *job) post(ctx context.Context, reported []*answer) {
	if len(reported) > 0 && j.access().Token == "" {
		j.say("%s", tokenless[j.System])
	}
	for _, c := range reported {
		if c.req.Part != "" || j.own.handsOver() {
			continue // who collects the parts reports them
		}
		if c.poster == nil {
			c.poster = j.poster(c.slot())
		}
		if c.poster == nil {
			continue
		}
		if j.tells(c) {
			c.poster.Report(j.report(c))
		}
		j.problems = append(j.problems, c.poster.Close(ctx, reporting)...)
	}
}

// tells says whether an answer makes a check of its own.
func (j *job) tells(c *answer) bool {
	return c.record != nil || c.req.Action == hybridcore.ActionPlan || hybridcore.Blocked(j.report(c).Plan.Findings) != hybridcore.NotBlocked
}
