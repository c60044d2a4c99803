// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:48:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

package forges_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	gl "github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

func lab(t *testing.T, rules, trigger string, changes ...func(*gitlab.Config)) (*gitlab.Server, *gl.Runs) {
	t.Helper()
	config := gitlab.Config{
		Project: "acme/images", ID: 7, Token: token, TriggerToken: "trigger",
		Self: gitlab.User{ID: 90, Username: "bot", Level: gitlab.Developer}, Refs: map[string]string{"main": commit},
	}
	for _, change := range changes {
		change(&config)
	}
	s := labtest.GitLab(t, config)
	if err := s.Faults().Load(rules); err != nil {
		t.Fatal(err)
	}
	g, err := gl.NewRuns(gl.RunsConfig{
		API: s.URL(), Project: "acme/images", Token: token,
		Trigger: trigger, Timeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

func TestGitLabPipeline(t *testing.T) {
	t.Parallel()
	for _, trigger := range []string{"", "trigger"} {
		s, g := lab(t, "", trigger)
		ctx := t.Context()
		if head, err := g.Head(ctx, "main"); err != nil || head != commit {
			t.Fatal(head, err)
		}
		if _, err := g.Head(ctx, "nowhere"); !blocked(err) {
			t.Errorf("a branch that is not there: %v", err)
		}
		s.AddPipeline(0, "main", commit, "push")
		if _, found, err := g.Find(ctx, order); found || err != nil {
			t.Fatal(found, err)
		}
		run, err := g.Dispatch(ctx, order)
		if err != nil {
			t.Fatal(err)
		}
		if found, ok, err := g.Find(ctx, order); err != nil || !ok || found.ID != run.ID {
			t.Fatal(found, ok, err)
		}
		variables, _ := s.Pipelines()[1]["variables"].(map[string]string)
		if variables["PACKER_HYBRID_COMMAND"] != order.Line || variables["PACKER_HYBRID_SHA"] != commit ||
			variables["PACKER_HYBRID_TICKET"] != string(order.Ticket) {
			t.Errorf("the variables are %v", variables)
		}
		id, err := strconv.ParseInt(run.ID, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s.SetPipeline(id, "running")
		s.SetJob(id, "images", "running")
		if p, err := g.Status(ctx, order, run); err != nil || p.Done || len(p.Targets) != 1 ||
			p.Targets[0].Status != "running" {
			t.Fatalf("%+v %v", p, err)
		}
		record, err := json.Marshal(map[string]any{"record": hybridcore.Record{
			Status: hybridcore.Built,
			Results: []hybridcore.Result{
				{Target: "debian-12@vsphere", Status: hybridcore.Built, Artifact: &hybridcore.Artifact{ID: "debian-12-1"}},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.SetPipeline(id, "success")
		s.SetJob(id, "images", "success")
		if p, err := g.Status(ctx, order, run); err != nil || !p.Done || p.Outcome.Status != cirun.Answered ||
			!strings.Contains(p.Outcome.Why, "left no answer") {
			t.Errorf("without an answer: %+v %v", p, err)
		}
		s.AddFile(id, "images", "artifacts/answer.json", record)
		if p, err := g.Status(ctx, order, run); err != nil || p.Outcome.Status != hybridcore.Built ||
			p.Targets[0].Artifact != "debian-12-1" {
			t.Errorf("%+v %v", p, err)
		}
		s.SetPipeline(id, "running")
		if err := g.Cancel(ctx, run); err != nil {
			t.Error(err)
		}
		if p, err := g.Status(ctx, order, run); err != nil || p.Outcome.Status != hybridcore.Cancelled {
			t.Errorf("%+v %v", p, err)
		}
	}
}

func TestGitLabRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		later time.Duration
		stays bool
		runs  int
	}{
		"502 after":       {"POST /** status=502 after", 0, false, 1},
		"hangs":           {"POST /** delay=1m", 0, false, 0},
		"limit":           {`POST /** status=429 header="Retry-After: 30"`, 30 * time.Second, false, 0},
		"no such project": {`POST /** status=404 reason="404 Project Not Found"`, 0, true, 0},
		"bad token":       {`POST /** status=401 reason="401 Unauthorized"`, time.Minute, false, 0},
		"bad reference":   {`POST /** status=400 reason="Reference not found"`, 0, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, g := lab(t, c.rules, "")
			_, err := g.Dispatch(t.Context(), order)
			later, ok := errors.AsType[*cirun.LaterError](err)
			if err == nil || ok != (c.later > 0) || ok && later.After != c.later || blocked(err) != c.stays ||
				strings.Contains(err.Error(), token) {
				t.Errorf("%#v", err)
			}
			if got := len(s.Pipelines()); got != c.runs {
				t.Errorf("%d pipelines, want %d", got, c.runs)
			}
		})
	}
}

// TestGitLabJobs shows the jobs of a pipeline that has no statuses of targets,
// also those that are named after a target.
func TestGitLabJobs(t *testing.T) {
	t.Parallel()
	s, g := lab(t, "", "")
	run, err := g.Dispatch(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.ParseInt(run.ID, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s.SetPipeline(id, "running")
	s.SetJob(id, "lab/debian-12@vsphere", "running")
	s.SetJob(id, "lab/debian-12@azure", "pending")
	p, err := g.Status(t.Context(), order, run)
	if err != nil || len(p.Targets) != 2 || p.Targets[0].Name != "lab/debian-12@azure" ||
		p.Targets[0].Status != "queued" || p.Targets[1].Status != "running" {
		t.Errorf("%+v %v", p, err)
	}
}
