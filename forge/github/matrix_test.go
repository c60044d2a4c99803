// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package github_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

var matrix = github.Forge().Jobs.Share

// shares is the build of a plan.
func shares(n int) forge.Shares {
	plan := forgetest.Plan(n)
	return forge.Shares{Plan: &plan}
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	text, err := matrix(shares(1))
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "matrix.json", text+"\n")
	var read struct {
		Include []map[string]string
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil || len(read.Include) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, row := range read.Include {
		if len(row) != 4 || row["target"] != row["image"]+"@"+row["platform"] || len(row["digest"]) != 64 {
			t.Errorf("a job is chosen by image, platform, target and digest only: %v", row)
		}
	}
	nothing := forgetest.Plan(1)
	for i := range nothing.Targets {
		nothing.Targets[i].Decision = hybridcore.Unchanged
	}
	if text, err := matrix(forge.Shares{Plan: &nothing}); text != `{"include":[]}` || err != nil {
		t.Errorf("nothing: %s, %v", text, err)
	}
}

func TestMatrixIsRefused(t *testing.T) {
	t.Parallel()
	noPacker, difference := forgetest.Plan(1), forgetest.Plan(1)
	noPacker.Targets[0].Target.Inputs = nil
	difference.Base = &hybridcore.Base{Revision: "main"}
	for _, tt := range []struct {
		plan hybridcore.Plan
		code int
		want string
	}{
		{forgetest.Plan(86), hybridcore.ExitBlocked, "257 jobs"},
		{forgetest.Plan(87), hybridcore.ExitBlocked, "260 jobs"},
		{noPacker, hybridcore.ExitBlocked, "the Packer plugins that the runner of proxmox has"},
		{difference, hybridcore.ExitUsage, "leave --base out"},
	} {
		text, err := matrix(forge.Shares{Plan: &tt.plan})
		if hybridcore.ExitCode(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.want) || text != "" {
			t.Errorf("want %q, got %v, %d bytes", tt.want, err, len(text))
		}
	}
	full := forgetest.Plan(86)
	full.Targets = full.Targets[:len(full.Targets)-1]
	if text, err := matrix(forge.Shares{Plan: &full}); err != nil || strings.Count(text, `"digest"`) != 256 {
		t.Errorf("256 jobs: %v", err)
	}
}
