// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:16Z
// Spec: openspec/specs/runner/spec.md#requirement-parts-of-a-release-are-not-trusted
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package runner

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// refusesAll fails unless a job that marks and the one that records both end with
// exit code 3 for the reason, and leave platforms and state as they were.
func (j *jobs) refusesAll(t *testing.T, want string) {
	t.Helper()
	was := j.snapshot(t).Serial
	for _, platform := range everywhere {
		err := j.phase(t, hybridcore.Marked, platform)
		if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), want) {
			t.Errorf("marking on %s: want %q, got %v", platform, want, err)
		}
	}
	rec, err := j.records(t)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || rec.RunID != "" || !strings.Contains(err.Error(), want) {
		t.Errorf("recording: want %q, got %v, record of run %q", want, err, rec.RunID)
	}
	if len(j.marks) > 0 || j.snapshot(t).Serial != was {
		t.Errorf("marks %v, serial %d after %d", j.marks, j.snapshot(t).Serial, was)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sealedPart is the file of a part with a change, and a checksum that fits.
func sealedPart(t *testing.T, data []byte, change func(*hybridcore.ReleasePart)) []byte {
	t.Helper()
	part, _, err := state.Unseal[hybridcore.ReleasePart]("release-part", data)
	if err != nil {
		t.Fatal(err)
	}
	change(&part)
	data, _, err = state.Seal("release-part", part)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sealedPlan is the same of a plan.
func sealedPlan(t *testing.T, data []byte, change func(*hybridcore.ReleasePlan)) []byte {
	t.Helper()
	plan, _, err := state.Unseal[hybridcore.ReleasePlan]("release-plan", data)
	if err != nil {
		t.Fatal(err)
	}
	change(&plan)
	data, _, err = state.Seal("release-plan", plan)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReleaseRefusesParts(t *testing.T) {
	j := newJobs(t)
	if _, err := j.plans(t); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared)
	file := filepath.Join(j.files, "prepared-azure", "release", "prepared-azure.json")
	good := read(t, file)
	change := func(c func(*hybridcore.ReleasePart)) []byte { return sealedPart(t, good, c) }
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"another run", "it is of the run \"4712\"", change(func(p *hybridcore.ReleasePart) { p.Run = "4712" })},
		{
			"another commit", "it was made at commit \"cdcdcdcdcdcd\"",
			change(func(p *hybridcore.ReleasePart) { p.Commit = strings.Repeat("cd", 20) }),
		},
		{
			"another environment", "it is for the environment \"prod\"",
			change(func(p *hybridcore.ReleasePart) { p.Env = "prod" }),
		},
		{
			"another platform", "its name says prepared-azure.json",
			change(func(p *hybridcore.ReleasePart) { p.Platform = hybridcore.VSphere }),
		},
		{"no platform", "its name says prepared-azure.json", change(func(p *hybridcore.ReleasePart) { p.Platform = "" })},
		{
			"another phase", "its name says prepared-azure.json",
			change(func(p *hybridcore.ReleasePart) { p.Phase = hybridcore.Marked }),
		},
		{
			"another plan", "it is a part of the plan \"000000000000\"",
			change(func(p *hybridcore.ReleasePart) { p.Plan = strings.Repeat("0", 64) }),
		},
		{"no targets", "it is about 0 targets", change(func(p *hybridcore.ReleasePart) { p.Steps = nil })},
		{
			"another target", "it says nothing of debian-12@azure",
			change(func(p *hybridcore.ReleasePart) { p.Steps[0].Target = "debian-13@azure" }),
		},
		{
			"from the future", "not over yet",
			change(func(p *hybridcore.ReleasePart) { p.Steps[0].Started = time.Now().Add(time.Hour) }),
		},
		{
			"cancelled for nothing", "does not say how",
			change(func(p *hybridcore.ReleasePart) { p.Steps[0].Cancelled = true }),
		},
		{"one bit", "it was changed after it was written", bytes.Replace(good, []byte("debian-12@azure"),
			[]byte("debian-13@azure"), 1)},
		{"null", "is null", []byte("null")},
		{"null inside", "is null", bytes.Replace(good, []byte(`"content":{`), []byte(`"content":null,"x":{`), 1)},
		{"cut short", "cut short", good[:len(good)-3]},
		{"twice", "is there twice", bytes.Replace(good, []byte("{"), []byte(`{"kind":"release-part",`), 1)},
		{"more than is known", "not a name of this format", bytes.Replace(good, []byte(`"content":{`),
			[]byte(`"content":{"extra":1,`), 1)},
		{"a plan", "it is no release-part", read(t, filepath.Join(j.files, "plan", "release", "plan.json"))},
		{"empty", "it is empty", nil},
		{"huge", "at most 16777216 (16 MiB)", bytes.Repeat([]byte(" "), state.MaxSealed+1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(file, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			j.refusesAll(t, tt.want)
		})
	}
	replace := func(with func() error) {
		t.Helper()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := with(); err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(t.TempDir(), "prepared-azure.json")
	if err := os.WriteFile(kept, good, 0o600); err != nil {
		t.Fatal(err)
	}
	replace(func() error { return os.Symlink(kept, file) })
	j.refusesAll(t, "not a regular file")
	replace(func() error { return os.Symlink("../../prepared-vsphere/release/prepared-vsphere.json", file) })
	j.refusesAll(t, "not a regular file")
	replace(func() error { return fifo(file) })
	j.refusesAll(t, "not a regular file")
	replace(func() error { return os.WriteFile(file, good, 0o600) })
	j.hand(t, "elsewhere", "prepared-azure.json", good)
	j.refusesAll(t, "handed over twice")
	if err := os.RemoveAll(filepath.Join(j.files, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("prepared-azure", filepath.Join(j.files,
		"elsewhere")); err != nil { // a linked folder is not looked into
		t.Fatal(err)
	}
	j.all(t, hybridcore.Marked)
	if rec, err := j.records(t); err != nil || rec.Status != hybridcore.Published {
		t.Errorf("with everything in order: %s, %v", statuses(rec), err)
	}
}

func TestReleaseRefusesPlans(t *testing.T) {
	j := newJobs(t)
	if _, err := j.plans(t); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared)
	file := filepath.Join(j.files, "plan", "release", "plan.json")
	good := read(t, file)
	change := func(c func(*hybridcore.ReleasePlan)) []byte { return sealedPlan(t, good, c) }
	both := func(p *hybridcore.ReleasePlan, c func(*hybridcore.Artifact)) {
		c(p.Targets[0].Artifact)
		c(&p.Release.Images[0].Artifacts[0].Artifact)
	}
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"another run", "it is of the run \"4712\"", change(func(p *hybridcore.ReleasePlan) { p.Run = "4712" })},
		{"another commit", "it was made at commit", change(func(p *hybridcore.ReleasePlan) { p.Release.Commit = "" })},
		{
			"another environment", "it is for the environment \"prod\"",
			change(func(p *hybridcore.ReleasePlan) { p.Release.Env = "prod" }),
		},
		{"another release", "this job is about another", change(func(p *hybridcore.ReleasePlan) {
			p.Release.Name,
				p.Request.Release = "v2", "v2"
		})},
		{"a dry run", "this job is about another", change(func(p *hybridcore.ReleasePlan) { p.Request.DryRun = true })},
		{"an image that is not asked for", "which this job is not asked about", change(func(p *hybridcore.ReleasePlan) {
			p.Targets[0].Image, p.Targets[0].Target, p.Release.Images[0].Image = "debian-13", "debian-13@proxmox", "debian-13"
			p.Targets = p.Targets[:1]
			both(p, func(a *hybridcore.Artifact) { a.URIs[0].Name = "debian-13-x" })
		})},
		{
			"a build", "it is the plan of a \"build\"",
			change(func(p *hybridcore.ReleasePlan) { p.Request.Action = hybridcore.ActionBuild }),
		},
		{"a name with a path", "is not a name", change(func(p *hybridcore.ReleasePlan) {
			p.Release.Name,
				p.Request.Release = "../x", "../x"
		})},
		{"an image that is none", "is not a name", change(func(p *hybridcore.ReleasePlan) { p.Targets[0].Image = "a\nb" })},
		{
			"a platform that is none", "unknown platform",
			change(func(p *hybridcore.ReleasePlan) { p.Targets[0].Platform = "x" }),
		},
		{
			"a target that is another", "its target",
			change(func(p *hybridcore.ReleasePlan) { p.Targets[0].Target = "x@azure" }),
		},
		{"a target twice", "twice", change(func(p *hybridcore.ReleasePlan) { p.Targets = append(p.Targets, p.Targets[0]) })},
		{"no targets", "nothing is to be prepared", change(func(p *hybridcore.ReleasePlan) { p.Targets = nil })},
		{
			"a target that failed", "nothing is to be prepared",
			change(func(p *hybridcore.ReleasePlan) { p.Targets[0].Failure = &hybridcore.Failure{Message: "x"} }),
		},
		{"no artifact", "no artifact", change(func(p *hybridcore.ReleasePlan) { p.Targets[0].Artifact = nil })},
		{
			"another artifact in one place", "as its targets do",
			change(func(p *hybridcore.ReleasePlan) { p.Targets[0].Artifact.URIs[0].ID = "vm-2" }),
		},
		{"a machine of somebody else", "no image that a build of debian-12 made", change(func(p *hybridcore.ReleasePlan) {
			both(p, func(a *hybridcore.Artifact) { a.URIs[0].Name = "payroll" })
		})},
		{"a machine of a build", "no image that a build of debian-12 made", change(func(p *hybridcore.ReleasePlan) {
			both(p, func(a *hybridcore.Artifact) { a.URIs[0].Kind = hybridcore.KindVM })
		})},
		{"another object with all checksums right", "it is a part of the plan", change(func(p *hybridcore.ReleasePlan) {
			both(p, func(a *hybridcore.Artifact) { a.URIs[0].ID = "vm-2" })
		})},
		{"null", "is null", []byte("null")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(file, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			j.refusesAll(t, tt.want)
		})
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	j.refusesAll(t, "no plan of a release (plan.json) is below")
}

// One who writes all files of all jobs anew, with another object in the plan and
// checksums that fit, is refused by the state.
func TestReleaseForgedAsAWhole(t *testing.T) {
	j := newJobs(t)
	if _, err := j.plans(t); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(j.files, "plan", "release", "plan.json")
	forged := sealedPlan(t, read(t, file), func(p *hybridcore.ReleasePlan) {
		p.Targets[0].Artifact.ID, p.Release.Images[0].Artifacts[0].Artifact.ID = "vm-2", "vm-2"
	})
	if err := os.WriteFile(file, forged, 0o600); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared)
	j.all(t, hybridcore.Marked)
	runs, err := j.State.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	was := j.snapshot(t)
	rec, err := j.records(t)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || rec.RunID != "" || !strings.Contains(err.Error(),
		"it was altered, or another publish has begun since") {
		t.Errorf("%s, %v", statuses(rec), err)
	}
	if now, err := j.State.Records(t.Context()); err != nil || len(now) != len(runs) ||
		j.snapshot(t).Serial != was.Serial {
		t.Errorf("records %v, serial %d after %d, %v", now, j.snapshot(t).Serial, was.Serial, err)
	}
}

// The digest of the plan that came to the job in another way counts.
func TestReleasePinnedToAPlan(t *testing.T) {
	j := newJobs(t)
	draft, err := j.plans(t)
	if err != nil {
		t.Fatal(err)
	}
	_, _, digest, err := release.SealPlan(draft)
	if err != nil {
		t.Fatal(err)
	}
	pin := j.pin()
	pin.Plan = digest
	if _, err := j.releaser().Read(j.files, pin); err != nil {
		t.Error(err)
	}
	pin.Plan = strings.Repeat("0", 64)
	if _, err := j.releaser().Read(j.files, pin); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "this job is about the plan") {
		t.Error(err)
	}
}

// What a part says is inert in the record.
func TestReleaseTextIsInert(t *testing.T) {
	j := newJobs(t)
	if _, err := j.plans(t); err != nil {
		t.Fatal(err)
	}
	j.all(t, hybridcore.Prepared)
	file := filepath.Join(j.files, "prepared-azure", "release", "prepared-azure.json")
	evil := sealedPart(t, read(t, file), func(p *hybridcore.ReleasePart) {
		p.Steps[0].Failure = "x\x1b]0;owned\x07\r\u202ey " + canary
	})
	if err := os.WriteFile(file, evil, 0o600); err != nil {
		t.Fatal(err)
	}
	rec, err := j.records(t)
	if err != nil || rec.Status != hybridcore.Failed {
		t.Fatalf("%s, %v", statuses(rec), err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\r", "\u202e", canary} {
		if strings.Contains(messages(rec), bad) {
			t.Errorf("the record has %q: %q", bad, messages(rec))
		}
	}
}

// Fuzzrelease.Files feeds the readers of what other jobs hand over.
func FuzzReleaseFiles(f *testing.F) {
	at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	artifact := hybridcore.Artifact{ID: "vm-1", Builder: "x", URIs: []hybridcore.URI{{
		Kind: "vm-template",
		Name: "debian-12-r", ID: "vm-1",
	}}}
	draft := hybridcore.ReleasePlan{
		Run: ciRun, Request: hybridcore.Request{Action: hybridcore.ActionPublish, Env: "lab", Release: "v1"},
		Release: hybridcore.Release{
			Name: "v1", Env: "lab", RunID: "20261130t000000-00000000", At: at,
			Images: []hybridcore.ReleasedImage{{
				Image:     "debian-12",
				Artifacts: []hybridcore.ReleasedArtifact{{Platform: hybridcore.Azure, RunID: "r", Artifact: artifact}},
			}},
		},
		Targets: []hybridcore.Result{{
			Target: "debian-12@azure", Image: "debian-12", Platform: hybridcore.Azure,
			Artifact: &artifact,
		}},
	}
	planName, plan, digest, err := release.SealPlan(draft)
	if err != nil {
		f.Fatal(err)
	}
	_, part, err := release.SealPart(hybridcore.ReleasePart{
		Phase: hybridcore.Prepared, Run: ciRun, Env: "lab", Platform: hybridcore.Azure, Plan: digest,
		Steps: []hybridcore.ReleaseStep{{Target: "debian-12@azure", Started: at}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plan, part)
	f.Add([]byte("null"), []byte("null"))
	f.Add(plan, []byte(`{"format_version":1,"kind":"release-part","sha256":"","content":{"steps":[null]}}`))
	redactor, _ := redact.New()
	r := &sandbox{Project: &project.Project{Redactor: redactor, Now: func() time.Time { return at }}}
	pin := project.JobPin{Run: ciRun, Asked: hybridcore.Request{Env: "lab"}}
	f.Fuzz(func(t *testing.T, plan, part []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{planName: plan, "prepared-azure.json": part} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		files, err := r.releaser().Read(dir, pin)
		if err != nil {
			if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("exit code %d for %v", hybridcore.ExitCode(err), err)
			}
			return
		}
		if files.Plan.Refused() || files.Plan.Run != ciRun || len(files.Plan.Platforms()) == 0 {
			t.Errorf("taken: %+v", files.Plan)
		}
		_, _ = r.releaser().Mark(t.Context(), files.Plan, files.Prepared, nil)
	})
}

func fifo(path string) error { return syscall.Mkfifo(path, 0o600) }
