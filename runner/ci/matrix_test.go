// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package ci_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

var update = flag.Bool("update", false, "rewrite the expected pipelines")

const planCommit = "0123456789abcdef0123456789abcdef01234567"

// planOf is a plan that builds n images on all platforms; of the first, vSphere
// is unchanged.
func planOf(n int) hybridcore.Plan {
	plan := hybridcore.Plan{Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: "lab"}, Commit: planCommit}
	for i := range n {
		for _, platform := range hybridcore.Platforms() {
			target := hybridcore.PlannedTarget{Decision: hybridcore.Build, Target: hybridcore.Target{
				Image: hybridcore.Image{Name: fmt.Sprintf("debian-%d", 12+i)}, Platform: platform.Name, Env: "lab",
				Digest: fmt.Sprintf("%064x", i), Inputs: map[string]string{"packer": "1.15.0"},
			}}
			if i == 0 && platform.Name == hybridcore.VSphere {
				target.Decision = hybridcore.Unchanged
			}
			plan.Targets = append(plan.Targets, target)
		}
	}
	return plan
}

var siteRunners = ci.Runners{
	hybridcore.Proxmox: {"self-hosted", "proxmox"},
	hybridcore.VSphere: {"self-hosted", "vsphere"},
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	text, err := ci.Matrix(planOf(1))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "matrix.json", text+"\n")
	var matrix struct {
		Include []map[string]string
	}
	if err := json.Unmarshal([]byte(text), &matrix); err != nil || len(matrix.Include) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, row := range matrix.Include {
		if len(row) != 4 || row["target"] != row["image"]+"@"+row["platform"] || len(row["digest"]) != 64 {
			t.Errorf("a job is chosen by image, platform, target and digest only: %v", row)
		}
	}
	nothing := planOf(1)
	for i := range nothing.Targets {
		nothing.Targets[i].Decision = hybridcore.Unchanged
	}
	if text, err := ci.Matrix(nothing); text != `{"include":[]}` || err != nil {
		t.Errorf("nothing: %s, %v", text, err)
	}
}

func TestMatrixIsRefused(t *testing.T) {
	t.Parallel()
	noPacker, difference := planOf(1), planOf(1)
	noPacker.Targets[0].Target.Inputs = nil
	difference.Base = &hybridcore.Base{Revision: "main"}
	for _, tt := range []struct {
		plan hybridcore.Plan
		code int
		want string
	}{
		{planOf(86), hybridcore.ExitBlocked, "257 jobs"},
		{planOf(87), hybridcore.ExitBlocked, "260 jobs"},
		{noPacker, hybridcore.ExitBlocked, "the Packer plugins that the runner of proxmox has"},
		{difference, hybridcore.ExitUsage, "leave --base out"},
	} {
		text, err := ci.Matrix(tt.plan)
		if hybridcore.ExitCode(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.want) || text != "" {
			t.Errorf("want %q, got %v, %d bytes", tt.want, err, len(text))
		}
	}
	full := planOf(86)
	full.Targets = full.Targets[:len(full.Targets)-1]
	if text, err := ci.Matrix(full); err != nil || strings.Count(text, `"digest"`) != 256 {
		t.Errorf("256 jobs: %v", err)
	}
}

func TestPipeline(t *testing.T) {
	t.Parallel()
	plan := planOf(1)
	plan.Request.Images, plan.Request.Rebuild = []string{"debian-12"}, true
	plan.Request.Platforms = []hybridcore.Platform{hybridcore.Proxmox, hybridcore.Azure}
	text, err := ci.Pipeline(&plan, ci.Child{Runners: siteRunners})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "pipeline.yml", text)
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	collect, _ := doc["collect"].(map[string]any)
	variables, _ := collect["variables"].(map[string]any)
	r, err := hybridcore.Parse(fmt.Sprint(variables[ci.CommandVariable]))
	if err != nil || r.Action != hybridcore.ActionBuild || !r.Rebuild || len(r.Images) != 1 || len(r.Platforms) != 2 ||
		r.Env != "lab" {
		t.Errorf("%v: %+v, %v", variables, r, err)
	}
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Unchanged
	}
	if text, err = ci.Pipeline(&plan, ci.Child{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "pipeline-nothing.yml", text)
	if text, err = ci.Pipeline(nil, ci.Child{}); err != nil || strings.Contains(text, "unchanged") ||
		!strings.Contains(text, "the job plan has its answer") {
		t.Errorf("without a build: %v\n%s", err, text)
	}
	// GitLab refuses a job that needs more than 50; the stages keep the order.
	plan = planOf(18)
	if text, err = ci.Pipeline(&plan, ci.Child{}); err != nil || strings.Contains(text, "needs:") ||
		strings.Count(text, "--part\n") != 53 {
		t.Errorf("%v\n%.300s", err, text)
	}
}

// A child of a merge request's pipeline has no more trust than its parent.
func TestChildPipeline(t *testing.T) {
	t.Parallel()
	read := func(more ...string) (ci.Job, error) {
		env := map[string]string{
			"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "parent_pipeline", "CI_PROJECT_PATH": "g/p", "CI_PROJECT_ID": "5",
			"CI_COMMIT_SHA":    planCommit,
			"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main",
			ci.CommandVariable: "build debian-12 --targets vsphere --part " + strings.Repeat("0",
				64) + " --commit " + planCommit,
		}
		for i := 0; i < len(more); i += 2 {
			env[more[i]] = more[i+1]
		}
		return ci.Read(ci.Input{
			Getenv: func(name string) string { return env[name] },
			Repo:   repo(func(p *ci.Policy) { p.DefaultEnv = "prod" }),
		})
	}
	if job, err := read(); err != nil || len(job.Requests) != 1 || !job.Trusted || !job.Merged {
		t.Errorf("%+v, %v", job, err)
	}
	if job, err := read("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "6", "CI_MERGE_REQUEST_PROJECT_ID", "5",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA", shaBase); err != nil || len(job.Requests) != 0 || job.Trusted {
		t.Errorf("of a fork: %+v, %v", job, err)
	}
	if job, err := read("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "5", "CI_MERGE_REQUEST_PROJECT_ID", "5",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA", shaBase); err != nil || len(job.Requests) != 0 || !job.Unreviewed {
		t.Errorf("of a branch: %+v, %v", job, err)
	}
	if _, err := read(ci.CommandVariable,
		"collect parts --commit "+strings.Repeat("cd", 20)); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("of another commit: %v", err)
	}
}
