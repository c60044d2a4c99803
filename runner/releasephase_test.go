// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:10:28Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package runner

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// ciRun is the run of the CI system that the jobs of a test are of.
const ciRun = "4711"

// jobs is a release that several machines make: one has the state, each of the
// others the credentials of one platform, and files go from one to the next.
type jobs struct {
	*sandbox
	shelf
	on    map[hybridcore.Platform]*sandbox // the machine of each platform: a checkout of its own, and no state
	lacks map[hybridcore.Platform]bool     // platforms whose image was deleted
	built hybridcore.Record
	head  string // the commit of all of them
	files string // folder of what was handed over
}

func newJobs(t *testing.T) *jobs {
	t.Helper()
	j := &jobs{
		sandbox: newThree(t), files: t.TempDir(), lacks: map[hybridcore.Platform]bool{},
		shelf: shelf{mu: &sync.Mutex{}, marks: map[string][]string{}, fails: new("")},
	}
	j.head = j.sandbox.at(t)
	j.reach(t, j.sandbox, hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure)
	j.built = j.build(t.Context(), t, j.request(hybridcore.ActionBuild, "debian-12"))
	if j.built.Status != hybridcore.Built {
		t.Fatal(statuses(j.built))
	}
	j.Connect = nil // from here on it has the state and no credentials
	j.on = map[hybridcore.Platform]*sandbox{}
	for _, platform := range everywhere {
		m := j.machine(t)
		m.State = nil
		j.reach(t, m, platform)
		j.on[platform] = m
	}
	return j
}

// reach says which platforms a machine has the credentials of.
func (j *jobs) reach(t *testing.T, m *sandbox, platforms ...hybridcore.Platform) {
	t.Helper()
	m.Connect = func(_ context.Context, target hybridcore.Target) (project.Client, error) {
		if !slices.Contains(platforms, target.Platform) {
			t.Errorf("a job for %v reaches for %s", platforms, target.Platform)
		}
		there := j.shelf
		if there.at = target.Platform; j.lacks[target.Platform] {
			there.lacks = []string{"debian"}
		}
		return there, nil
	}
}

func (j *jobs) pin() project.JobPin {
	asked := j.asked()
	asked.Env = "lab"
	return project.JobPin{Run: ciRun, Commit: j.head, Asked: asked}
}

// asked is the request that all jobs have of the event.
func (j *jobs) asked() hybridcore.Request {
	req := j.request(hybridcore.ActionPublish, "debian-12")
	req.Release = "v1.0.0"
	return req
}

func (j *jobs) hand(t *testing.T, folder, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(j.files, folder, "release"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, j.files, folder+"/release/"+name, string(data))
}

// plans does the job that plans, on the machine with the state.
func (j *jobs) plans(t *testing.T, change ...func(*hybridcore.Request)) (hybridcore.ReleasePlan, error) {
	t.Helper()
	req := j.asked()
	for _, c := range change {
		c(&req)
	}
	plan, err := j.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	draft, err := j.releaser().Plan(t.Context(), plan, ciRun)
	if err != nil || draft.Refused() {
		return draft, err
	}
	name, data, _, err := release.SealPlan(draft)
	if err != nil {
		t.Fatal(err)
	}
	j.hand(t, "plan", name, data)
	return draft, nil
}

// phase does the job of a phase on one platform, on a machine without a state.
func (j *jobs) phase(t *testing.T, phase hybridcore.ReleasePhase, platform hybridcore.Platform,
	change ...func(*hybridcore.Request),
) error {
	t.Helper()
	m := j.on[platform]
	pin := j.pin()
	for _, c := range change {
		c(&pin.Asked)
	}
	files, err := m.releaser().Read(j.files, pin)
	if err != nil {
		return err
	}
	targets, err := m.releaser().Targets(t.Context(), pin.Asked, files.Plan, platform)
	if err != nil {
		return err
	}
	var parts []hybridcore.ReleasePart
	if phase == hybridcore.Prepared {
		parts, err = m.releaser().Prepare(t.Context(), files.Plan, targets)
	} else {
		parts, err = m.releaser().Mark(t.Context(), files.Plan, files.Prepared, targets)
	}
	if err != nil {
		return err
	}
	if len(parts) != 1 || parts[0].Platform != platform {
		t.Fatalf("parts %+v", parts)
	}
	name, data, err := release.SealPart(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	j.hand(t, string(phase)+"-"+string(platform), name, data)
	return nil
}

// records does the job that records, on the machine with the state.
func (j *jobs) records(t *testing.T, change ...func(*hybridcore.Request)) (hybridcore.Record, error) {
	t.Helper()
	req := j.asked()
	for _, c := range change {
		c(&req)
	}
	plan, err := j.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	pin := j.pin()
	for _, c := range change {
		c(&pin.Asked)
	}
	files, err := j.releaser().Read(j.files, pin)
	if err != nil {
		return hybridcore.Record{}, err
	}
	return j.releaser().Record(t.Context(), plan, files)
}

func (j *jobs) snapshot(t *testing.T) hybridcore.Snapshot {
	t.Helper()
	s, err := j.State.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var everywhere = []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}

// all does a phase on all platforms.
func (j *jobs) all(t *testing.T, phase hybridcore.ReleasePhase, change ...func(*hybridcore.Request)) {
	t.Helper()
	for _, platform := range everywhere {
		if err := j.phase(t, phase, platform, change...); err != nil {
			t.Fatalf("%s on %s: %v", phase, platform, err)
		}
	}
}

// twin is the same project with the same state.
func (j *jobs) twin(t *testing.T) *sandbox {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(j.dir)); err != nil {
		t.Fatal(err)
	}
	m := openSandbox(t, dir)
	other := *j
	other.marks = map[string][]string{}
	other.reach(t, m, everywhere...)
	return m
}

func TestReleaseInPhasesIsOnePublish(t *testing.T) {
	j := newJobs(t)
	whole := j.twin(t)
	plan, err := whole.Plan(t.Context(), j.asked())
	if err != nil {
		t.Fatal(err)
	}
	want, err := whole.releaser().Publish(t.Context(), plan)
	if err != nil || want.Status != hybridcore.Published {
		t.Fatalf("%s, %v", statuses(want), err)
	}
	draft, err := j.plans(t)
	if err != nil {
		t.Fatal(err)
	}
	if s := j.snapshot(t); s.Releasing["lab/v1.0.0"].RunID != draft.Release.RunID ||
		len(s.Releasing["lab/v1.0.0"].Builds) != 3 || len(j.marks) > 0 {
		t.Errorf("after the plan %+v is under way, marks %v", s.Releasing, j.marks)
	}
	j.all(t, hybridcore.Prepared)
	if len(j.marks) > 0 {
		t.Errorf("preparing marked %v", j.marks)
	}
	j.all(t, hybridcore.Marked)
	got, err := j.records(t)
	if err != nil {
		t.Fatal(err)
	}
	stored := func(m *sandbox, id string) string {
		rec, err := m.State.Record(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return timeless(t, rec)
	}
	if diff := cmp.Diff(stored(whole, want.RunID), stored(j.sandbox, got.RunID)); diff != "" {
		t.Errorf("the records differ (-one process +jobs):\n%s", diff)
	}
	s := j.snapshot(t)
	if s.Releases["lab/v1.0.0"].RunID != got.RunID || len(s.Releasing) > 0 ||
		s.Targets["lab/debian-12@azure"].Release != "v1.0.0" || len(j.marks) != 3 {
		t.Errorf("releases %+v, under way %+v, marks %v", s.Releases, s.Releasing, j.marks)
	}
	runs, err := j.State.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := j.records(t)
	if err != nil || again.Status != hybridcore.UnchangedDone || cmp.Diff(got.Release, again.Release) != "" {
		t.Errorf("recorded again: %s, %v", statuses(again), err)
	}
	if now, err := j.State.Records(t.Context()); err != nil || len(now) != len(runs) {
		t.Errorf("recording again made a record: %v, %v", now, err)
	}
}

// Nothing is marked anywhere unless everything is prepared everywhere, whatever
// is missing on the platforms and whichever files arrive.
func TestReleaseMarksAllOrNone(t *testing.T) {
	j := newJobs(t)
	for lacking := range 8 {
		for lost := range 8 {
			has := func(bits, i int) bool { return bits&(1<<i) != 0 }
			if err := os.RemoveAll(j.files); err != nil {
				t.Fatal(err)
			}
			clear(j.marks)
			for i, platform := range everywhere {
				j.lacks[platform] = has(lacking, i)
			}
			if _, err := j.plans(t); err != nil {
				t.Fatal(err)
			}
			for i, platform := range everywhere {
				if err := j.phase(t, hybridcore.Prepared, platform); err != nil {
					t.Fatal(err)
				}
				if has(lost, i) {
					if err := os.RemoveAll(filepath.Join(j.files, "prepared-"+string(platform))); err != nil {
						t.Fatal(err)
					}
				}
			}
			whole := lacking == 0 && lost == 0
			for _, platform := range everywhere {
				err := j.phase(t, hybridcore.Marked, platform)
				if whole != (err == nil) || !whole && hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
					t.Errorf("lacking %03b, lost %03b: marking on %s: %v", lacking, lost, platform, err)
				}
			}
			if whole != (len(j.marks) > 0) {
				t.Errorf("lacking %03b, lost %03b: marks %v", lacking, lost, j.marks)
			}
			if whole { // begin anew with a state in which it is not complete
				continue
			}
			rec, err := j.records(t)
			if err != nil || rec.Status != hybridcore.Failed || rec.Release != nil {
				t.Errorf("lacking %03b, lost %03b: recorded %s, %v", lacking, lost, statuses(rec), err)
			}
			for i, platform := range everywhere {
				if message := messages(rec); has(lacking, i) && !has(lost, i) && !strings.Contains(message,
					platform.Info().Title+" has no vm-template") ||
					has(lost, i) && !strings.Contains(message,
						"debian-12@"+string(platform)+": it was not looked up: its job did not start") {
					t.Errorf("lacking %03b, lost %03b: %s", lacking, lost, message)
				}
			}
		}
	}
}
