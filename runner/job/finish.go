// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"context"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/near"
)

// finish reports what is to be reported at the end.
func (j *job) finish(ctx context.Context) {
	var findings, failures []hybridcore.Finding
	for _, c := range j.answers {
		findings, failures = append(findings, j.report(c).Findings()...), append(failures, c.failures()...)
	}
	findings = hybridcore.Distinct(findings)
	reported := j.reported()
	if j.own.Hold {
		j.try("the report for another job", j.hold(reported))
	}
	files := j.files(findings)
	j.try("annotations", j.values.Annotate(append(failures, findings...)))
	for _, c := range reported {
		var text strings.Builder
		j.try("the step summary", report.Write(&text, j.report(c)))
		j.try("the step summary", j.values.Summary(j.host.Process.Redactor.String(text.String())))
	}
	for _, name := range []string{"answer", "plan", "record", "parity", "release", "sarif"} {
		if file := files[name]; file != "" {
			j.try("the output "+name, j.values.Output(name, file))
		}
	}
	if j.fanned != "" {
		j.try("the output matrix", j.values.Output("matrix", j.fanned))
	}
	if !j.own.Hold {
		j.post(ctx, reported)
	}
	j.warn()
}

// post sends checks and the comment.
func (j *job) post(ctx context.Context, reported []*answer) {
	if without := j.host.forge.Reports.Without; len(reported) > 0 && j.host.access().Token == "" && without != "" {
		j.say("%s", without)
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
		j.problems = append(j.problems, c.poster.Close(ctx, Reporting)...)
		issue(ctx, j, c)
	}
}

// issue keeps the repository's issue about drift: by the look of a schedule at all that is
// built, also on the platforms.
func issue(ctx context.Context, j *job, c *answer) {
	if c.drift == nil || !c.req.Looks() || len(c.req.Images)+len(c.req.Platforms) > 0 || !j.Scheduled() || !j.Merged {
		return
	}
	text, how, err := near.Issue(*c.drift)
	j.try("the issue about drift", err)
	if p := j.poster(near.IssueSlot); p != nil && err == nil {
		p.Issue(text, how)
		j.problems = append(j.problems, p.Close(ctx, Reporting)...)
	}
}
