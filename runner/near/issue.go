// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:57:00Z
// Spec: openspec/specs/drift/spec.md#requirement-the-issue-of-a-night
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

package near

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// IssueSlot is the slot of the issue about drift.
const IssueSlot = "drift"

// issueEnd tells people what the issue is.
const issueEnd = "\n<sub>The scheduled run of packer-hybrid keeps this issue: it edits this text, closes the issue " +
	"when everything was looked at and is well, and opens it again when something is not.</sub>\n"

// Issue is the issue about drift: its text, and how it is to be.
func Issue(d hybridcore.DriftReport) (string, post.Issue, error) {
	var text strings.Builder
	err := report.WriteDrift(&text, d)
	return "\n" + text.String() + issueEnd, post.Issue{Title: "Drift of the images", Open: d.Alarming()}, err
}
