// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package gitlab_test

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

var share = gitlab.Forge().Jobs.Share

func TestPipeline(t *testing.T) {
	t.Parallel()
	plan := forgetest.Plan(1)
	plan.Request.Images, plan.Request.Rebuild = []string{"debian-12"}, true
	plan.Request.Platforms = []hybridcore.Platform{hybridcore.Proxmox, hybridcore.Azure}
	text, err := share(forge.Shares{Plan: &plan, Runners: forgetest.Runners()})
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "pipeline.yml", text)
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	collect, _ := doc["collect"].(map[string]any)
	variables, _ := collect["variables"].(map[string]any)
	r, err := command.Parse(fmt.Sprint(variables[gitlab.CommandVariable]))
	if err != nil || r.Action != hybridcore.ActionBuild || !r.Rebuild || len(r.Images) != 1 || len(r.Platforms) != 2 ||
		r.Env != "lab" {
		t.Errorf("%v: %+v, %v", variables, r, err)
	}
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Unchanged
	}
	if text, err = share(forge.Shares{Plan: &plan}); err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "pipeline-nothing.yml", text)
	if text, err = share(forge.Shares{}); err != nil || strings.Contains(text, "unchanged") ||
		!strings.Contains(text, "the job plan has its answer") {
		t.Errorf("without a build: %v\n%s", err, text)
	}
	// GitLab refuses a job that needs more than 50; the stages keep the order.
	plan = forgetest.Plan(18)
	if text, err = share(forge.Shares{Plan: &plan}); err != nil || strings.Contains(text, "needs:") ||
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
			"CI_COMMIT_SHA":    forgetest.PlanCommit,
			"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main",
			gitlab.CommandVariable: "build debian-12 --targets vsphere --part " + strings.Repeat("0",
				64) + " --commit " + forgetest.PlanCommit,
		}
		for i := 0; i < len(more); i += 2 {
			env[more[i]] = more[i+1]
		}
		return read(ci.Input{
			Getenv: func(name string) string { return env[name] },
			Repo:   forgetest.Repo(func(p *ci.Policy) { p.DefaultEnv = "prod" }),
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
	if _, err := read(gitlab.CommandVariable,
		"collect parts --commit "+strings.Repeat("cd", 20)); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("of another commit: %v", err)
	}
}

// What a merge is built for later waits for a job that somebody starts by hand.
func TestPipelineOfTwoEnvironments(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(forgetest.Decision(map[string]any{
		"env": "lab", "lines": []string{"build --env lab"}, "platforms": []string{"vsphere", "azure"},
		"next": []string{"prod", "site"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	plan, prod, site := forgetest.Plan(1), forgetest.Plan(1), forgetest.Plan(0)
	prod.Request.Env, site.Request.Env = "prod", "site"
	for i := range prod.Targets {
		prod.Targets[i].Target.Env = "prod"
	}
	text, err := share(forge.Shares{
		Plan: &plan, Runners: forgetest.Runners(), Decision: d, Next: []hybridcore.Plan{prod, site},
	})
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "pipeline-merge.yml", text)
}

// The jobs of a child pipeline that publishes and reaps: each has the
// environment of one platform, or none.
func TestPipelineOfADecision(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(forgetest.Decision(map[string]any{
		"env": "lab", "lines": []string{
			"build --env lab", "publish --env lab --release v1",
			"drift --env lab --live", "reap --env lab --targets vsphere",
		}, "scheduled": true, "platforms": []string{"vsphere", "azure"},
		"ticket": true, "request": "20261130t120000-1a2b3c4d",
	}))
	if err != nil {
		t.Fatal(err)
	}
	plan := forgetest.Plan(1)
	text, err := share(forge.Shares{Plan: &plan, Runners: forgetest.Runners(), Decision: d})
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "pipeline-release.yml", text)
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	count := 0
	for name, node := range doc {
		var job struct {
			Environment map[string]string
			Variables   map[string]string
			Script      []string
		}
		if name == "stages" || node.Decode(&job) != nil {
			continue
		}
		count++
		platform := job.Variables[ci.PlatformVariable]
		if target := job.Variables[ci.TargetVariable]; target != "" {
			_, platform, _ = strings.Cut(target, "@")
		}
		if want := map[bool]string{
			true:  "lab/" + platform,
			false: "packer-hybrid-state",
		}[platform != ""]; job.Environment["name"] != want || len(job.Script) != 1 {
			t.Errorf("%s has the environment %q, want %q: %v", name, job.Environment["name"], want, job.Script)
		}
		if _, has := job.Variables[gitlab.TicketVariable]; has || job.Variables[gitlab.SHAVariable] == "" ||
			job.Variables[gitlab.RequestVariable] != d.Request {
			t.Errorf("%s has the variables %v", name, job.Variables)
		}
		if r, err := command.Parse(job.Variables[gitlab.CommandVariable]); err != nil || r.Env != "lab" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if count != 2+1+6+3+2 {
		t.Errorf("%d jobs", count)
	}
}
