// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:50:11Z
// Spec: openspec/specs/waivers/spec.md#requirement-what-is-never-waived
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package gate

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// TestNever has a waiver for each rule of validation: those of the guards are refused, and accept nothing.
func TestNever(t *testing.T) {
	t.Parallel()
	guards := map[string]bool{
		finding.RuleHidden: true, finding.RuleYAML: true, finding.RuleWork: true, finding.RuleSecret: true,
		finding.RulePolicyCall: true, finding.RulePolicyData: true, finding.RulePolicyPlugin: true,
		finding.RulePolicyRun:  true,
		finding.RulePolicyPath: true, finding.RulePolicyURL: true, finding.RulePolicyPart: true,
		finding.RulePolicyReach:   true,
		finding.RulePolicySetting: true, "waiver-stale": true,
		finding.RuleInsecure: false, finding.RulePin: false, finding.RuleAttribute: false, finding.RuleFile: false,
	}
	for rule, guards := range guards {
		dir := t.TempDir()
		block := fmt.Sprintf("waiver %q {\n subject = \"a\"\n rule = %q\n", waivers.Found, rule) +
			" owner = \"o\"\n reason = \"r\"\n expires = \"2027-01-31\"\n}\n"
		if err := os.WriteFile(dir+"/"+waivers.FileName, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		w := ReadWaivers(Input{
			Project: config.Project{Root: dir}, Root: root, Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		})
		kind := hybridcore.KindSchema
		if strings.HasPrefix(rule, "policy-") || rule == finding.RuleInsecure {
			kind = finding.KindPolicy
		}
		got := w.Accept(t.Context(), []hybridcore.Finding{{
			Kind: kind, Rule: rule, Subject: "a", File: "a", Severity: hybridcore.Error, Blocking: true,
		}}, nil)
		if got[0].Blocking != guards || (len(w.Wrong) == 1) != guards ||
			guards && (w.Wrong[0].Rule != waivers.RuleRefused || !w.Wrong[0].Blocking) {
			t.Errorf("%s: %+v, %+v", rule, got, w.Wrong)
		}
		if err := root.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range waivers.Nevers() {
		if row.Why == "" || (row.Rule == "") == (row.Kind == "") {
			t.Errorf("%+v", row)
		}
	}
}
