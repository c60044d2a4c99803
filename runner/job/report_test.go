// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:25:00Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// What changed in the images since their last build reaches the report.
func TestReportsChanges(t *testing.T) {
	t.Parallel()
	j := &job{host: &Host{}, current: &answer{req: hybridcore.Request{Action: hybridcore.ActionBuild, Env: "lab"}}}
	changes := []hybridcore.Changes{{
		Image: "debian-12", Platform: hybridcore.VSphere,
		Changes: []hybridcore.Change{{Category: "packages", Key: "openssl", Was: "1", Now: "2"}},
	}}
	j.answered(hybridcore.Answer{
		Record: &hybridcore.Record{Status: hybridcore.Built},
		Parity: &hybridcore.ParityReport{Changes: changes},
	})
	var text strings.Builder
	if err := report.Write(&text, j.report(j.current)); err != nil ||
		!strings.Contains(text.String(), "1 change in the images since their last build") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
