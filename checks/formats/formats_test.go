// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:08:45Z
// Spec: openspec/specs/reports/spec.md#requirement-reports-that-gitlab-reads
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package formats

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/checks/checkstest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

func TestGitLabGolden(t *testing.T) {
	t.Parallel()
	r := checkstest.Record()
	r.Parity = []hybridcore.Parity{checkstest.Comparison(true), checkstest.Comparison(false)}
	r.Results = append(r.Results,
		hybridcore.Result{Target: "debian-13@azure", Platform: hybridcore.Azure, Status: hybridcore.Cancelled},
		hybridcore.Result{
			Target: "debian-13@vsphere", Platform: hybridcore.VSphere, Status: hybridcore.BlockedStatus,
			Findings: []hybridcore.Finding{
				{Kind: "lease", Message: "run r2 holds the lease", Hint: "wait for it"},
			},
		},
		hybridcore.Result{
			Target: "evil@vsphere", Platform: hybridcore.VSphere, Status: hybridcore.Failed,
			Failure: &hybridcore.Failure{
				Step: "a\x1b[31m\"<b>", Message: "x\r::error::y",
				Tail: []string{"]]></failure>", "\x00\x0b\xff", "##[error]z"},
			},
		},
	)
	var junit, quality bytes.Buffer
	findings := append(checkstest.Plan().Findings, hybridcore.Finding{
		Kind: "syntax", Rule: "hcl-syntax", Message: "bad\n<b>", File: "templates/a.pkr.hcl", Line: 3,
		Severity: hybridcore.Error, Blocking: true,
	}, hybridcore.Finding{Kind: "tool", Message: "no packer", Severity: hybridcore.Info})
	if err := errors.Join(WriteJUnit(&junit, r), WriteCodeQuality(&quality, "images", findings)); err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "junit.xml", junit.String())
	goldentest.Compare(t, "quality.json", quality.String())
	var read junitSuites
	if err := xml.Unmarshal(junit.Bytes(), &read); err != nil || len(read.Suites[0].Cases) != len(r.Results)+2 ||
		read.Suites[0].Failures != 3 {
		t.Errorf("%d cases are read back, error %v", len(read.Suites[0].Cases), err)
	}
	if text := read.Suites[0].Cases[5].Failure.Text; !strings.Contains(text, "]]></failure>") {
		t.Errorf("the text became %q", text)
	}
}

func TestCodeQualityFingerprints(t *testing.T) {
	t.Parallel()
	prints := func(findings ...hybridcore.Finding) []string {
		var out bytes.Buffer
		if err := WriteCodeQuality(&out, "", findings); err != nil {
			t.Fatal(err)
		}
		var read []quality
		if err := json.Unmarshal(out.Bytes(), &read); err != nil || len(read) != len(findings) {
			t.Fatalf("%s: %v", out.String(), err)
		}
		var all []string
		for _, q := range read {
			all = append(all, q.Fingerprint)
		}
		return all
	}
	f := hybridcore.Finding{Kind: "k", Message: "m", File: "a", Line: 3}
	moved, other := f, f
	moved.Line, other.File = 4, "b"
	if prints(f)[0] != prints(moved)[0] {
		t.Error("a finding that moved is another one")
	}
	if all := prints(f, moved, other); all[0] == all[1] || all[0] == all[2] || all[1] == all[2] {
		t.Errorf("two findings are one: %v", all)
	}
	many := make([]hybridcore.Finding, 3000)
	if n := len(prints(many...)); n != 3000 {
		t.Errorf("%d of 3000 findings are written", n)
	}
	prints() // an empty list is a report too
}

func TestValidationAsJUnit(t *testing.T) {
	t.Parallel()
	plan, _ := checkstest.Fleet(3)
	plan.Request.Action = hybridcore.ActionValidate
	bad := plan
	bad.Findings = append(checkstest.Findings(100),
		hybridcore.Finding{Kind: "tool", Message: "Packer is missing", Severity: hybridcore.Error, Blocking: true})
	var out bytes.Buffer
	if err := WriteJUnit(&out, Validation(plan), Validation(bad)); err != nil {
		t.Fatal(err)
	}
	var read junitSuites
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil || len(read.Suites) != 2 {
		t.Fatalf("%d suites, error %v", len(read.Suites), err)
	}
	if one := read.Suites[0]; one.Tests != 45 || one.Failures != 0 || one.Cases[0].Name != "image-00@proxmox" {
		t.Errorf("the valid one is %+v", one)
	}
	if two := read.Suites[1]; two.Tests != 2 || two.Failures != 2 ||
		two.Cases[0].Name != "configs/lab/common.pkrvars.hcl:100" || two.Cases[1].Name != "packer-hybrid.hcl" ||
		!strings.Contains(two.Cases[0].Failure.Text, "hint: declare it") {
		t.Errorf("the other one is %+v", two)
	}
}
