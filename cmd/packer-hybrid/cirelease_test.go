// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:30:44Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// phases is a run of a simulated workflow: each of its jobs has a checkout of its own.
type phases struct {
	site
	head  string
	lines []string
	state string // of the machine that has it
	night bool   // it is of a schedule
}

func newPhases(t *testing.T, lines ...string) phases {
	t.Helper()
	s := site{t, t.TempDir()}
	if code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: t.Output(), Err: t.Output()},
		[]string{"init", s.dir}, nil); code != 0 {
		t.Fatalf("init: exit code %d", code)
	}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("add", "-A")
	s.git("commit", "-q", "-m", "base")
	return phases{site: s, head: s.head(), lines: lines, state: t.TempDir()}
}

// decision is what the first job of the run decided.
func (p phases) decision(t *testing.T) string {
	t.Helper()
	text, err := ci.Decision{
		Run: "11", Until: time.Now().Add(time.Hour), SHA: p.head, Policy: p.head, Merged: true, Env: "lab", Lines: p.lines,
		Rule: "merged into main", Scheduled: p.night,
		Platforms: []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure},
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// environ is that of a job, whose summary and outputs go into a folder.
func (p phases) environ(t *testing.T, dir, folder string) []string {
	t.Helper()
	return []string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=push", "GITHUB_REPOSITORY=o/r", "GITHUB_RUN_ID=11",
		"GITHUB_RUN_ATTEMPT=1", "GITHUB_WORKSPACE=" + dir,
		"GITHUB_OUTPUT=" + filepath.Join(folder, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(folder, "summary"),
		ci.DecisionVariable + "=" + p.decision(t),
	}
}

// job runs one job, and returns its exit code, its log and its checkout.
func (p phases) job(t *testing.T, environ []string, args ...string) (int, string, string) {
	t.Helper()
	s, folder := site{t, t.TempDir()}, t.TempDir()
	s.git("clone", "-q", p.dir, ".")
	for _, name := range []string{"output", "summary"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	all := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "PACKER_HYBRID_CACHE=" + toolCache(t),
		stored.Variable + "=" + p.state,
	}, p.environ(t, s.dir, folder)...)
	code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: &log, Err: &log}, append([]string{
		"ci", "-C",
		s.dir,
	}, args...), append(all, environ...))
	summary, err := os.ReadFile(filepath.Join(folder, "summary"))
	if err != nil {
		t.Fatal(err)
	}
	return code, log.String() + string(summary), s.dir
}

func TestCIPhasesAreOneJobEach(t *testing.T) {
	t.Parallel()
	p := newPhases(t, "publish --env lab --release v1.0.0", "reap --env lab")
	for _, tt := range []struct {
		environ []string
		args    []string
		code    int
		want    string
	}{
		{nil, []string{"--release", "prepared", "--from", "x"}, hybridcore.ExitUsage, `did you mean "prepare"`},
		{nil, []string{"--release", "prepare"}, hybridcore.ExitUsage, "--release prepare needs --from"},
		{nil, []string{"--release", "plan", "--from", "x"}, hybridcore.ExitUsage, "--from is for the jobs"},
		{nil, []string{"--release", "plan", "--reap"}, hybridcore.ExitUsage, "are for different jobs"},
		{nil, []string{"--plan", "--from", "x"}, hybridcore.ExitUsage, "--from is for the jobs"},
		{nil, []string{"--reap"}, hybridcore.ExitBlocked, `PACKER_HYBRID_PLATFORM is ""`},
		{
			[]string{"PACKER_HYBRID_PLATFORM=kubernetes"},
			[]string{"--reap"},
			hybridcore.ExitBlocked,
			"no platform of this run's decision",
		},
		{
			[]string{"PACKER_HYBRID_PLATFORM=azure"},
			[]string{"--release", "prepare", "--from", "none"},
			hybridcore.ExitBlocked, "no plan of a release",
		},
		{[]string{"GITHUB_RUN_ID=12"}, []string{"--reap"}, hybridcore.ExitBlocked, "for the run 11"},
	} {
		code, log, _ := p.job(t, tt.environ, tt.args...)
		if code != tt.code || !strings.Contains(log, tt.want) {
			t.Errorf("ci %v: exit %d, want %d and %q\n%s", tt.args, code, tt.code, tt.want, log)
		}
	}
	idle := newPhases(t, "plan --env lab")
	if code, log, _ := idle.job(t, nil, "--release", "plan"); code != 0 || !strings.Contains(log, "nothing to do: ") {
		t.Errorf("without a publish: exit %d\n%s", code, log)
	}
}

// A release of what is not built is recorded by the job that plans it, and there
// is nothing for others to do.
func TestCIReleaseRefused(t *testing.T) {
	t.Parallel()
	p := newPhases(t, "publish debian-12 --env lab --release v1.0.0")
	code, log, dir := p.job(t, nil, "--release", "plan")
	if code != hybridcore.ExitFailed || !strings.Contains(log, "it is not built from this tree: never built in lab") ||
		!strings.Contains(log, "**Not released**") {
		t.Errorf("exit %d\n%s", code, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "artifacts", "release", "plan.json")); err == nil {
		t.Error("there is a plan for other jobs")
	}
	store, err := directory.View(p.state)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := store.Records(t.Context())
	if s, readErr := store.Read(t.Context()); err != nil || readErr != nil || len(runs) != 1 || len(s.Releasing) != 0 {
		t.Errorf("records %v, under way %v, %v, %v", runs, s.Releasing, err, readErr)
	}
}

// dead leaves the lease of a run that died on another host long ago.
func dead(t *testing.T, dir string, platform hybridcore.Platform) {
	t.Helper()
	store, err := directory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := "lab/debian-12@" + string(platform)
	held, err := store.Acquire(t.Context(), hybridcore.Lease{
		Key: key, RunID: hybridcore.NewRunID(time.Now()),
		Owner: "ci@runner", Artifact: "debian-12-x", Phase: hybridcore.PhaseRunning,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Update(t.Context(), hybridcore.PhaseUncleaned); err != nil {
		t.Fatal(err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCIReapInParts(t *testing.T) {
	t.Parallel()
	p := newPhases(t, "reap --env lab --dry-run")
	parts := t.TempDir()
	for _, platform := range []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere} {
		machine := p
		machine.state = t.TempDir()
		want, wantCode := "no dead run: nothing to reap", 0
		if platform == hybridcore.VSphere { // whose platform cannot be asked: there are no credentials
			dead(t, machine.state, platform)
			want, wantCode = "lab/debian-12@vsphere", hybridcore.ExitFailed
		}
		code, log, dir := machine.job(t, []string{"PACKER_HYBRID_PLATFORM=" + string(platform)}, "--reap")
		if code != wantCode || !strings.Contains(log, want) {
			t.Errorf("%s: exit %d\n%s", platform, code, log)
		}
		if err := os.CopyFS(filepath.Join(parts, "reaped-"+string(platform)), os.DirFS(filepath.Join(dir,
			"artifacts"))); err != nil {
			t.Fatal(err)
		}
	}
	code, log, dir := p.job(t, nil, "--reap", "--from", parts)
	if code != hybridcore.ExitFailed {
		t.Errorf("exit %d\n%s", code, log)
	}
	want(t, log, "Proxmox VE:\n    no dead run: nothing to reap", "lab/debian-12@vsphere  run ",
		"Microsoft Azure:\n    error: not looked at, because its job left no answer")
	text, err := os.ReadFile(filepath.Join(dir, "artifacts", "reaped.json"))
	var doc hybridcore.Answer
	if err != nil || json.Unmarshal(text, &doc) != nil || doc.ReapedOn == nil || len(*doc.ReapedOn) != 3 {
		t.Fatalf("%v: %s", err, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "state")); err == nil {
		t.Error("the job that reports made a state")
	}
	p.refusesAnswers(t, parts, (*doc.ReapedOn)[0])
}

// refusesAnswers changes one answer after the other.
func (p phases) refusesAnswers(t *testing.T, parts string, good hybridcore.ReapPart) {
	t.Helper()
	file := filepath.Join(parts, "reaped-proxmox", "reaped-proxmox.json")
	for name, change := range map[string]func(*hybridcore.ReapPart){
		"of the run":                   func(r *hybridcore.ReapPart) { r.Run = "12" },
		"it was made at commit":        func(r *hybridcore.ReapPart) { r.Commit = strings.Repeat("ab", 20) },
		"for the environment \"prod\"": func(r *hybridcore.ReapPart) { r.Env = "prod" },
		"dry run false":                func(r *hybridcore.ReapPart) { r.DryRun = false },
		"its name says proxmox":        func(r *hybridcore.ReapPart) { r.Platform = hybridcore.Azure },
		"is not asked about": func(r *hybridcore.ReapPart) {
			r.Reaped = []hybridcore.Reaped{{Lease: hybridcore.Lease{Key: "prod/debian-12@proxmox"}}}
		},
	} {
		part := good
		change(&part)
		_, data, err := build.SealReapPart(part)
		if err != nil {
			t.Fatal(err)
		}
		p.refusesAnswer(t, parts, file, data, name)
	}
	p.refusesAnswer(t, parts, file, []byte("null"), "is null")
	_, data, err := build.SealReapPart(good)
	if err != nil {
		t.Fatal(err)
	}
	p.refusesAnswer(t, parts, file, bytes.Replace(data, []byte("proxmox"), []byte("proxmoz"), 1),
		"changed after it was written")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/proc/self/environ", file); err != nil {
		t.Fatal(err)
	}
	if code, log, _ := p.job(t, nil, "--reap", "--from", parts); code != hybridcore.ExitBlocked || !strings.Contains(log,
		"not a regular file") {
		t.Errorf("a link: exit %d\n%s", code, log)
	}
}

func (p phases) refusesAnswer(t *testing.T, parts, file string, data []byte, why string) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, log, _ := p.job(t, nil, "--reap", "--from", parts)
	if code != hybridcore.ExitBlocked || !strings.Contains(log, why) || !strings.Contains(log,
		"lab/debian-12@vsphere  run ") {
		t.Errorf("%s: exit %d\n%s", why, code, log)
	}
}
