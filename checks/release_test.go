// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:18:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// What a publish came to, in a comment and at a terminal.
func TestPublishedReport(t *testing.T) {
	t.Parallel()
	rec := hybridcore.Record{
		RunID: "20261122t224501-1a2b3c4d", Status: hybridcore.Published,
		Request: hybridcore.Request{Action: hybridcore.ActionPublish, Env: "prod", Release: "v1.4.0"},
		Release: &hybridcore.Release{Name: "v1.4.0", Env: "prod"},
		Results: []hybridcore.Result{{
			Target: "debian-12@azure", Image: "debian-12", Platform: hybridcore.Azure, Status: hybridcore.Published,
			Artifact: &hybridcore.Artifact{
				ID:   "i",
				URIs: []hybridcore.URI{{Kind: "managed-image", Name: "debian-12-x", ID: "/x"}},
			},
		}},
	}
	render := func() (comment, terminal string) {
		var markdown, text strings.Builder
		if err := report.Write(&markdown,
			report.Report{Plan: hybridcore.Plan{Request: rec.Request}, Record: &rec}); err != nil {
			t.Fatal(err)
		}
		if err := WriteRecord(&text, Style{}, rec, ""); err != nil {
			t.Fatal(err)
		}
		return markdown.String(), text.String()
	}
	comment, terminal := render()
	if !strings.Contains(comment, "**Released:** 1 target as `v1.4.0`") ||
		!strings.Contains(terminal, "release v1.4.0 of prod in artifacts/release.json") ||
		!strings.Contains(terminal, "1 published") {
		t.Errorf("%s\n%s", comment, terminal)
	}
	rec.Status, rec.Release = hybridcore.Failed, nil
	rec.Results[0].Status = hybridcore.Failed
	rec.Results[0].Failure = &hybridcore.Failure{Message: "Microsoft Azure has no managed-image debian-12-x any more"}
	comment, terminal = render()
	if !strings.Contains(comment, "**Not released** as `v1.4.0`") || strings.Contains(comment, "retry-failed") ||
		!strings.Contains(comment, "any more") || strings.Contains(terminal, "release.json") {
		t.Errorf("%s\n%s", comment, terminal)
	}
}
