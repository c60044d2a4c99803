// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:36:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

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
			all = append(all, hybridcore.Finding{
				Kind: string(res.Status), Subject: res.Target, Message: f.Message, Hint: f.Step,
				File: f.File, Severity: hybridcore.Error,
			})
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
func (j *job) report(c *answer) report.Report {
	r := report.Report{
		Record: c.record, Untrusted: !j.Trusted, Prefix: j.prefix,
		Full: "the files in artifacts/ of this job", Plan: hybridcore.Plan{Request: c.req},
	}
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

// tells says whether an answer makes a check of its own.
func (j *job) tells(c *answer) bool {
	return c.record != nil || c.req.Action == hybridcore.ActionPlan ||
		hybridcore.Blocked(j.report(c).Plan.Findings) != hybridcore.NotBlocked
}

// warn says what went wrong with the reports.
func (j *job) warn() {
	for _, line := range j.problems {
		_, _ = fmt.Fprintln(j.host.Screen.Err, "warning: "+text.JobLog(line))
	}
}
