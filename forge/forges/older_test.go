// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:27:30Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package forges_test

import (
	"strconv"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	gh "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

// dispatched asks for runs of requests, and gives their IDs.
func dispatched(t *testing.T, d cirun.Dispatcher, requests ...string) []string {
	t.Helper()
	var runs []string
	for _, request := range requests {
		o := order
		o.Request = request
		run, err := d.Dispatch(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run.ID)
	}
	return runs
}

const another = "20261123t050000-ffffffff"

// TestRunsOf looks for older runs of a request at GitHub.
func TestRunsOf(t *testing.T) {
	t.Parallel()
	s := hub(t, "", nil)
	g := onGitHub(t, s, nil)
	runs := dispatched(t, g, another, request, another, request, request)
	for at, want := range map[int]string{0: "", 1: "", 2: "github " + runs[0], 3: "github " + runs[1], 4: "github " +
		runs[1]} {
		of := request
		if at == 0 || at == 2 {
			of = another
		}
		if got, err := g.Older(t.Context(), of, runs[at]); err != nil || got != want {
			t.Errorf("run %d of %s: %q, %v, want %q", at, of, got, err, want)
		}
	}
	if _, err := g.Older(t.Context(), request, "x"); err == nil {
		t.Error("a run without a number was taken")
	}
	// An older run that is on the second page is found too.
	for range 120 {
		dispatched(t, g, another)
	}
	last := dispatched(t, g, request)[0]
	if got, err := g.Older(t.Context(), request, last); err != nil || got != "github "+runs[1] {
		t.Errorf("on another page: %q, %v", got, err)
	}
	refused := onGitHub(t, hub(t, `GET /** status=403 reason="Resource not accessible by integration"`, nil), nil)
	if _, err := refused.Older(t.Context(), request, "5"); !blocked(err) {
		t.Errorf("without the permission: %v", err)
	}
}

// TestPipelinesOf looks for older pipelines of a request at GitLab.
func TestPipelinesOf(t *testing.T) {
	t.Parallel()
	s, g := lab(t, "", "")
	s.AddPipeline(0, "main", commit, "push")
	runs := dispatched(t, g, another, request, another, request)
	for at, want := range []string{"", "", "gitlab " + runs[0], "gitlab " + runs[1]} {
		of := []string{another, request}[at%2]
		if got, err := g.Older(t.Context(), of, runs[at]); err != nil || got != want {
			t.Errorf("pipeline %d of %s: %q, %v, want %q", at, of, got, err, want)
		}
	}
	if got, err := g.Older(t.Context(), request, strconv.Itoa(1<<30)); err != nil || got != "gitlab "+runs[1] {
		t.Errorf("a later pipeline: %q, %v", got, err)
	}
}

// TestAudiences says whom tickets of each system are for.
func TestAudiences(t *testing.T) {
	t.Parallel()
	_, lab := lab(t, "", "")
	named := onGitHub(t, hub(t, "", func(c *github.Config) {}),
		func(c *gh.RunsConfig) { c.Workflow = "other.yml" })
	for got, want := range map[policy.Audience]policy.Audience{
		named.Audience(): {System: "github", Repository: "o/r", File: "other.yml"},
		lab.Audience():   {System: "gitlab", Repository: "acme/images", File: ".gitlab-ci.yml"},
	} {
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}
