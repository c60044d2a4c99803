// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:13:30Z
// Spec: openspec/specs/reports/spec.md#requirement-findings-for-code-scanning
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package formats

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/checks/checkstest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

func someFindings() []hybridcore.Finding {
	return append(checkstest.Findings(2),
		hybridcore.Finding{
			Kind: "tool", Message: "Packer is missing", Hint: "install it", Severity: hybridcore.Error,
			Blocking: true,
		},
		hybridcore.Finding{
			Kind: "drift", Rule: "drift-iso", Message: "a newer ISO", File: "templates/vars/a b%.pkrvars.hcl",
			Line: 3, Severity: hybridcore.Info,
		},
		hybridcore.Finding{
			Kind: "path", Message: "\x1b[31mred\u202e", File: "../../../etc/passwd",
			Severity: hybridcore.Error,
		},
	)
}

func TestSARIFGolden(t *testing.T) {
	var sarif bytes.Buffer
	if err := WriteSARIF(&sarif, "images", someFindings(), "1.2.3"); err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "findings.sarif", sarif.String())
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	f := func(message string, line int) hybridcore.Finding {
		return hybridcore.Finding{Kind: "k", Message: message, File: "a.hcl", Line: line}
	}
	two := place("", []hybridcore.Finding{f("m", 3), f("m", 9), f("n", 3)})
	one := place("", []hybridcore.Finding{f("m", 5)})
	switch {
	case two[0].fingerprint == two[1].fingerprint || two[0].fingerprint == two[2].fingerprint:
		t.Error("two findings have one fingerprint")
	case two[0].fingerprint != one[0].fingerprint:
		t.Error("a fingerprint changes with the line")
	}
}

func TestAllFindingsAreWritten(t *testing.T) {
	t.Parallel()
	all := checkstest.Findings(3000)
	for i, text := range checkstest.Hostile {
		all = append(all, hybridcore.Finding{
			Kind: text, Rule: text, Message: text, Hint: text, File: text, Line: -i,
			Severity: hybridcore.Severity(text),
		})
	}
	var out bytes.Buffer
	if err := WriteSARIF(&out, "", all, "1"); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID    string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range log.Runs[0].Results {
		at, id := r.Locations[0].PhysicalLocation, r.PartialFingerprints["packerHybrid/v1"]
		if seen[id] || r.Message.Text == "" || r.RuleID == "" || at.Region.StartLine < 1 || at.ArtifactLocation.URI == "" ||
			strings.HasPrefix(at.ArtifactLocation.URI, "..") {
			t.Errorf("the result %+v", r)
		}
		seen[id] = true
	}
	if n := len(log.Runs[0].Results); n != len(all) {
		t.Errorf("%d results of %d findings", n, len(all))
	}
}
