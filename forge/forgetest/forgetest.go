// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

// Package forgetest is what the tests of every forge need: a history, commits, values
// that an attacker may bring, and what a job must be like whatever its event says.
package forgetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Commits of the examples.
const (
	Head  = "1111111111111111111111111111111111111111"
	Merge = "2222222222222222222222222222222222222222"
	Base  = "3333333333333333333333333333333333333333"
	Other = "4444444444444444444444444444444444444444"
	Tip   = "5555555555555555555555555555555555555555"
	Zero  = "0000000000000000000000000000000000000000"
)

// PlanCommit is that of Plan.
const PlanCommit = "0123456789abcdef0123456789abcdef01234567"

// Repo is the history of a checkout: all commits of the examples but those that
// are named are merged, and each has the same project file.
func Repo(change func(*ci.Policy), unmerged ...string) ci.Repository {
	policy := ci.Policy{
		DefaultEnv: "lab", Place: "packer-hybrid.hcl:9", Environments: []ci.Environment{
			{Name: "lab", Platforms: []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}},
			{Name: "prod", Prod: true, Platforms: []hybridcore.Platform{hybridcore.VSphere}},
		},
	}
	if change != nil {
		change(&policy)
	}
	return ci.Repository{
		Tip:      func(string) (string, error) { return Tip, nil },
		Policy:   func(string) (ci.Policy, error) { return policy, nil },
		Contains: func(_, commit string) (bool, error) { return !slices.Contains(unmerged, commit), nil },
	}
}

// Said renders a job in one line for tables.
func Said(job ci.Job, err error) string {
	switch {
	case err != nil:
		return fmt.Sprintf("exit %d: %v", hybridcore.ExitCode(err), err)
	case job.Nothing != "":
		return "nothing: " + job.Nothing
	}
	var all []string
	for _, r := range job.Requests {
		words := []string{string(r.Action)}
		for _, part := range []string{r.Env, strings.Join(r.Images, ","), r.RetryFailed, r.Base, r.Release} {
			if part != "" {
				words = append(words, part)
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	text := strings.Join(all, "; ")
	if !job.Trusted {
		text += ", untrusted"
	}
	if job.Merged {
		text += ", merged"
	}
	return text
}

// Hostile are values that git, GitHub or an attacker may bring.
var Hostile = []string{
	"$(touch${IFS}pwn)", "a;b", `x"&&echo`, "a|b", "a'b", "<!--", "refs/heads/x", Other, "-x", "a..b", "::error::x",
	"##[error]x",
	"x\r::stop-commands::y", "x\n::set-output name=a::b", "\x1b[31mred\x1b]0;title\a", "a\x00b", "\u202eevil\u2066",
	"\xff\xfe", "..\\..\\x",
	"@team `code` <img src=x onerror=1> ![](https://evil/x.png)", strings.Repeat("A", 1<<20), strings.Repeat("é", 1<<19),
	"\u00a0\u0085::error::x",
}

// inert fails when a shown value could be more than text.
func inert(t *testing.T, what, value string) {
	t.Helper()
	if strings.ContainsAny(value, "\r\n\x00\x1b") || strings.Contains(value, "##[") ||
		strings.HasPrefix(strings.TrimSpace(value), "::") || len([]rune(value)) > 250 ||
		value != text.Sanitize(value) {
		t.Errorf("%s is not inert: %.100q", what, value)
	}
}

// InertJob fails when a text of a job could be more than that, or a request is not pinned.
func InertJob(t *testing.T, job ci.Job) {
	t.Helper()
	for what, value := range map[string]string{
		"Event": job.Place.Event, "Nothing": job.Nothing, "Ref": job.Place.Ref, "Login": job.Place.Login,
		"Repository": job.Place.Repository,
		"RequestID":  job.RequestID,
	} {
		inert(t, what, value)
	}
	for _, r := range job.Requests {
		for what, value := range map[string]string{
			"Actor": r.Origin.Actor, "URL": r.Origin.URL, "Change": r.Origin.Change,
			"ReplyTo": r.Origin.ReplyTo,
		} {
			inert(t, what, value)
		}
		if r.Base != "" {
			if err := hybridcore.CheckRevision(r.Base); err != nil {
				t.Error(err)
			}
		}
	}
	if len(job.Requests) > 0 == (job.Nothing != "") {
		t.Errorf("a job has requests or a reason: %d requests, %q", len(job.Requests), job.Nothing)
	}
	for _, r := range job.Requests {
		if len(r.Heads) == 0 || r.Heads[0] != job.Commit {
			t.Errorf("a request is not pinned: %+v", r)
		}
	}
}

// Plan is a plan that builds n images on all platforms; of the first, vSphere
// is unchanged.
func Plan(n int) hybridcore.Plan {
	plan := hybridcore.Plan{Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: "lab"}, Commit: PlanCommit}
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

// Runners are those of a site that names some.
func Runners() ci.Runners {
	return ci.Runners{
		hybridcore.Proxmox: {"self-hosted", "proxmox"},
		hybridcore.VSphere: {"self-hosted", "vsphere"},
	}
}

// Decision is a decision, as JSON with some members replaced.
func Decision(changed map[string]any) string {
	o := map[string]any{
		"run": "99", "sha": Merge, "policy": Merge, "until": "2999-01-01T00:00:00Z", "merged": true, "env": "prod",
		"lines":     []string{"build --env prod", "publish --env prod"},
		"platforms": []string{"vsphere"}, "images": []string{}, "actor": "583231", "change": "", "reply_to": "",
		"request": "", "rule": "merged into main",
	}
	maps.Copy(o, changed)
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(text)
}
