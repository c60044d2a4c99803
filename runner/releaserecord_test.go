// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:15:03Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-under-way-is-known
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package runner

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// publishes does a publish at a terminal, on a machine that reaches everything.
func (j *jobs) publishes(t *testing.T, change ...func(*hybridcore.Request)) (hybridcore.Record, error) {
	t.Helper()
	m := openSandbox(t, j.dir)
	j.reach(t, m, everywhere...)
	req := j.asked()
	for _, c := range change {
		c(&req)
	}
	plan, err := m.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return m.releaser().Publish(t.Context(), plan)
}

func (j *jobs) loses(t *testing.T, phase hybridcore.ReleasePhase, platform hybridcore.Platform) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(j.files, string(phase)+"-"+string(platform))); err != nil {
		t.Fatal(err)
	}
}

// Whatever phase is the last one before everything dies: the state says that the
// release is under way, and the next publish completes it.
func TestReleaseInterrupted(t *testing.T) {
	for name, phases := range map[string][]hybridcore.ReleasePhase{
		"after the plan": nil, "after the preparation": {hybridcore.Prepared}, "after the marks": {
			hybridcore.Prepared,
			hybridcore.Marked,
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJobs(t)
			draft, err := j.plans(t)
			if err != nil {
				t.Fatal(err)
			}
			for _, phase := range phases {
				j.all(t, phase)
			}
			if s := j.snapshot(t); s.Releasing["lab/v1.0.0"].RunID != draft.Release.RunID || len(s.Releases) > 0 {
				t.Errorf("under way %+v, releases %+v", s.Releasing, s.Releases)
			}
			rec, err := j.publishes(t)
			if err != nil || rec.Status != hybridcore.Published || len(j.marks) != 3 {
				t.Errorf("%s, %v, marks %v", statuses(rec), err, j.marks)
			}
			if s := j.snapshot(t); len(s.Releasing) > 0 || s.Releases["lab/v1.0.0"].RunID != rec.RunID {
				t.Errorf("under way %+v, releases %+v", s.Releasing, s.Releases)
			}
		})
	}
}

// A job that marks dies, and is run again with the one that records.
func TestReleaseRunAgain(t *testing.T) {
	j := newJobs(t)
	if _, err := j.plans(t); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared)
	j.all(t, hybridcore.Marked)
	j.loses(t, hybridcore.Marked, hybridcore.VSphere)
	first, err := j.records(t)
	if err != nil ||
		statuses(first) != "debian-12@proxmox=published debian-12@vsphere=failed debian-12@azure=published" ||
		first.Status != hybridcore.Failed ||
		!strings.Contains(messages(first), "it is not known to be marked: its job did not start") ||
		!strings.Contains(messages(first), "run publish again") {
		t.Fatalf("%s, %v\n%s", statuses(first), err, messages(first))
	}
	if s := j.snapshot(t); len(s.Releasing) != 1 || len(s.Releases) > 0 {
		t.Errorf("under way %+v, releases %+v", s.Releasing, s.Releases)
	}
	if err := j.phase(t, hybridcore.Marked, hybridcore.VSphere); err != nil {
		t.Fatal(err)
	}
	second, err := j.records(t)
	if err != nil || second.Status != hybridcore.Published || second.RunID == first.RunID ||
		second.Release.RunID != second.RunID {
		t.Fatalf("%s, %v, %s after %s", statuses(second), err, second.RunID, first.RunID)
	}
	if s := j.snapshot(t); len(s.Releasing) > 0 || s.Releases["lab/v1.0.0"].RunID != second.RunID {
		t.Errorf("under way %+v, releases %+v", s.Releasing, s.Releases)
	}
	if third, err := j.records(t); err != nil || third.Status != hybridcore.UnchangedDone {
		t.Errorf("%s, %v", statuses(third), err)
	}
}

// A job that prepares fails, and is run again: its first record has ended what was
// under way, and the plan is still what would be planned.
func TestReleasePreparedAgain(t *testing.T) {
	j := newJobs(t)
	j.lacks[hybridcore.Azure] = true
	if _, err := j.plans(t); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared)
	if rec, err := j.records(t); err != nil || rec.Status != hybridcore.Failed || !strings.Contains(messages(rec),
		"Microsoft Azure has no vm-template") ||
		!strings.Contains(messages(rec), "debian-12@vsphere: not released, because of debian-12@azure") {
		t.Fatalf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
	if s := j.snapshot(t); len(s.Releasing) > 0 {
		t.Errorf("nothing was marked, and %+v is under way", s.Releasing)
	}
	j.lacks[hybridcore.Azure] = false
	if err := j.phase(t, hybridcore.Prepared, hybridcore.Azure); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Marked)
	if rec, err := j.records(t); err != nil || rec.Status != hybridcore.Published {
		t.Errorf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
}

// Images that were built again are not put under the name of a release that may
// have marked the former ones; nor are they refused when nothing can be marked.
func TestReleaseBuiltAgainMeanwhile(t *testing.T) {
	j := newJobs(t)
	rebuild := func() hybridcore.Record {
		m := openSandbox(t, j.dir)
		j.reach(t, m, everywhere...)
		req := m.request(hybridcore.ActionBuild, "debian-12")
		req.Rebuild = true
		return m.build(t.Context(), t, req)
	}
	j.lacks[hybridcore.Azure] = true
	if rec, err := j.publishes(t); err != nil || rec.Status != hybridcore.Failed {
		t.Fatalf("%s, %v", statuses(rec), err)
	}
	j.lacks[hybridcore.Azure] = false
	second := rebuild()
	*j.fails = "debian-12" // the first mark
	if rec, err := j.publishes(t); err != nil || rec.Status != hybridcore.Failed || len(j.marks) != 3 {
		t.Fatalf("%s, %v, marks %v", statuses(rec), err, j.marks)
	}
	third := rebuild()
	_, err := j.publishes(t)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), second.RunID) ||
		!strings.Contains(err.Error(), third.RunID) || len(j.marks) != 3 {
		t.Errorf("%v, marks %v", err, j.marks)
	}
	if rec, err := j.publishes(t, func(r *hybridcore.Request) { r.Release = "v1.0.1" }); err != nil ||
		rec.Status != hybridcore.Published {
		t.Errorf("%s, %v", statuses(rec), err)
	}
	if s := j.snapshot(t); len(s.Releasing) != 1 || s.Releasing["lab/v1.0.0"].Builds["debian-12@azure"] != second.RunID {
		t.Errorf("under way %+v", s.Releasing)
	}
}

// A dry run in jobs leaves nothing in the state.
func TestReleaseDryRunInPhases(t *testing.T) {
	j := newJobs(t)
	dry := func(r *hybridcore.Request) { r.DryRun = true }
	was := j.snapshot(t)
	if _, err := j.plans(t, dry); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared, dry)
	rec, err := j.records(t, dry)
	if err != nil || rec.Status != hybridcore.Validated || j.snapshot(t).Serial != was.Serial || len(j.marks) > 0 {
		t.Errorf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
}

// What speaks against a release already is not handed to other jobs.
func TestReleaseRefusedByThePlan(t *testing.T) {
	j := newJobs(t)
	draft, err := j.plans(t, func(r *hybridcore.Request) { r.Images = nil })
	if err != nil || !draft.Refused() || len(j.snapshot(t).Releasing) > 0 {
		t.Fatalf("%+v, %v", draft.Targets, err)
	}
	m := openSandbox(t, j.dir)
	m.Connect = nil
	rec, err := m.releaser().Refuse(t.Context(), draft, hybridcore.Origin{Kind: "github"})
	if err != nil || rec.Status != hybridcore.Failed || !strings.Contains(messages(rec),
		"debian-13@azure: it is not built from this tree") ||
		rec.Request.Origin.Kind != "github" {
		t.Errorf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
	if stored, err := j.State.Record(t.Context(), rec.RunID); err != nil || stored.Status != hybridcore.Failed {
		t.Errorf("%v, %v", stored.Status, err)
	}
}

// A run that is cancelled while it prepares marks nothing, and is recorded.
func TestPublishCancelled(t *testing.T) {
	j := newJobs(t)
	ctx, cancel := context.WithCancel(t.Context())
	m := openSandbox(t, j.dir)
	m.Connect = func(ctx context.Context, target hybridcore.Target) (project.Client, error) {
		if target.Platform == hybridcore.VSphere {
			cancel()
			return nil, ctx.Err()
		}
		there := j.shelf
		there.at = target.Platform
		return there, nil
	}
	plan, err := m.Plan(ctx, j.asked())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := m.releaser().Publish(ctx, plan)
	if err != nil || rec.Status != hybridcore.Cancelled || len(j.marks) > 0 {
		t.Errorf("%s, %v, marks %v", statuses(rec), err, j.marks)
	}
	if s := j.snapshot(t); len(s.Releasing) > 0 {
		t.Errorf("under way %+v", s.Releasing)
	}
	if stored, err := j.State.Record(t.Context(), rec.RunID); err != nil || stored.Status != hybridcore.Cancelled {
		t.Errorf("%v, %v", stored.Status, err)
	}
}
