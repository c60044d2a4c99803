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
	if answer.Drift != nil {
		c.drift = answer.Drift
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
		Record: c.record, Drift: c.drift, Untrusted: !j.Trusted, Prefix: j.prefix,
		Quiet: c.at < len(j.Spread) && j.Spread[c.at],
		Full:  "the files in artifacts/ of this job", Plan: hybridcore.Plan{Request: c.req},
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
	for _, other := range c.beside {
		r.Beside = append(r.Beside, j.report(other))
	}
	if c.leads(j) {
		r.Gone = j.Gone
	}
	return r
}

// leads says whether the report of an answer is the one about the whole change.
func (c *answer) leads(j *job) bool {
	return j.Unreviewed && c.at == 0 && c.req.Action == hybridcore.ActionPlan
}

// reported are the answers that have a report of their own. Readers of a change get
// one: a validation inside the process adds its findings to the plan of the same
// environment, and the plans of the other environments stand beside that of the first.
func (j *job) reported() []*answer {
	var all, plans []*answer
	for _, c := range j.answers {
		of := slices.IndexFunc(plans, func(p *answer) bool { return p.req.Env == c.req.Env })
		first := slices.IndexFunc(all, func(p *answer) bool { return j.Unreviewed && c.besides(p) })
		switch {
		case c.req.Action == hybridcore.ActionFree && len(c.extra) == 0: // it is about no code
		case c.plan == nil && c.record == nil && c.drift == nil && len(c.extra) == 0:
		case c.req.Action == hybridcore.ActionValidate && c.req.InProcess() && of >= 0:
			plans[of].extra = append(plans[of].extra, j.report(c).Findings()...)
		case c.req.Action == hybridcore.ActionPlan && first >= 0:
			all[first].beside, plans = append(all[first].beside, c), append(plans, c)
		case c.req.Action == hybridcore.ActionPlan && (c.plan != nil || j.Unreviewed):
			all, plans = append(all, c), append(plans, c)
		default:
			all = append(all, c)
		}
	}
	return all
}

// besides says whether an answer is the plan of the same images for another
// environment than that of the first plan, and of none of its others.
func (c *answer) besides(first *answer) bool {
	same := func(a *answer) bool { return a.req.Env == c.req.Env }
	return first.req.Action == c.req.Action && !same(first) && !slices.ContainsFunc(first.beside, same) &&
		slices.Equal(c.req.Images, first.req.Images) && slices.Equal(c.req.Platforms, first.req.Platforms)
}

// tells says whether an answer makes a check of its own.
func (j *job) tells(c *answer) bool {
	return c.record != nil || c.drift != nil || c.req.Action == hybridcore.ActionPlan ||
		hybridcore.Blocked(j.report(c).Plan.Findings) != hybridcore.NotBlocked
}

// warn says what went wrong with the reports.
func (j *job) warn() {
	for _, line := range j.problems {
		_, _ = fmt.Fprintln(j.host.Screen.Err, "warning: "+text.JobLog(line))
	}
}
