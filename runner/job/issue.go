// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:36:00Z
// Spec: openspec/specs/drift/spec.md#requirement-the-issue-of-a-night
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

package job

import (
	"context"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// What the issue about drift is found by, and what it is called at first.
const (
	driftSlot  = "drift"
	issueTitle = "Drift of the images"
)

// keepsIssue says whether an answer is what the issue about drift is to say: that of a
// schedule, about all that is built, also on the platforms.
func keepsIssue(j *job, c *answer) bool {
	return c.drift != nil && c.req.Look && len(c.req.Images)+len(c.req.Platforms) == 0 && j.Scheduled() && j.Merged
}

// issue keeps the repository's issue about drift up to date.
func issue(ctx context.Context, j *job, c *answer) {
	if !keepsIssue(j, c) {
		return
	}
	p := j.poster(driftSlot)
	if p == nil {
		return
	}
	var text strings.Builder
	err := report.WriteDrift(&text, *c.drift)
	j.try("the issue about drift", err)
	if err == nil {
		p.Issue("\n"+text.String()+issueEnd, post.Issue{Title: issueTitle, Open: c.drift.Alarming()})
	}
	j.problems = append(j.problems, p.Close(ctx, Reporting)...)
}

// issueEnd tells people what the issue is.
const issueEnd = "\n<sub>The scheduled run of packer-hybrid keeps this issue: it edits this text, closes the issue " +
	"when everything was looked at and is well, and opens it again when something is not.</sub>\n"
