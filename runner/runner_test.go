// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:20:00Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

const canary = "Canary-3f9a-build-password"

// events collects what a runner reports.
type events struct {
	mu  sync.Mutex
	all []hybridcore.Event
}

func (e *events) Event(ev hybridcore.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func (e *events) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var b strings.Builder
	for _, ev := range e.all {
		b.WriteString(ev.Target + " " + string(ev.Kind) + " " + ev.Text + "\n")
	}
	return b.String()
}

// platform is a client of a platform that has every name but those listed, and
// machines of the runs in machines.
type platform struct {
	lacks    []string
	err      error
	machines map[string]bool // by run ID; reaping removes
	reapErr  error
	asked    *[]hybridcore.Remains // what reap was asked for; may be nil
	foreign  []hybridcore.URI      // of the same name, found beside what is lacking
	memory   string                // of every machine; empty for what it had at first
	lookErr  error                 // of looking at objects
}

func (p platform) Reap(_ context.Context, left hybridcore.Remains, dry bool) ([]hybridcore.URI, error) {
	if p.asked != nil {
		*p.asked = append(*p.asked, left)
	}
	if !p.machines[left.RunID] || p.reapErr != nil {
		return nil, p.reapErr
	}
	if !dry {
		delete(p.machines, left.RunID)
	}
	return []hybridcore.URI{{Kind: "vm", Name: left.Name, ID: "vm-2"}}, nil
}

func (p platform) Find(_ context.Context, name string) ([]hybridcore.URI, error) {
	for _, l := range p.lacks {
		if strings.Contains(name, l) {
			return p.foreign, p.err
		}
	}
	return []hybridcore.URI{{Kind: "vm-template", Name: name, ID: "vm-1"}}, p.err
}

// Look implements project.Looker.
func (p platform) Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return p.Fingerprint(ctx, of)
}

// Fingerprint implements project.Looker.
func (p platform) Fingerprint(_ context.Context, of []hybridcore.URI) (seen []hybridcore.Seen, err error) {
	for _, uri := range of {
		one := hybridcore.Seen{Of: uri, Now: uri, Facts: map[string]string{"memory": "2048 MiB"}}
		for _, l := range p.lacks {
			if strings.Contains(uri.Name, l) {
				one.Now = hybridcore.URI{}
			}
		}
		if one.There() && p.memory != "" {
			one.Facts["memory"] = p.memory
		}
		if !one.There() && len(p.foreign) > 0 {
			one.Twin = p.foreign[0]
		}
		seen = append(seen, one)
	}
	return seen, errors.Join(p.err, p.lookErr)
}

func (p platform) Close(context.Context) error { return nil }

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/project")); err != nil {
		t.Fatal(err)
	}
	return openSandbox(t, dir)
}

func openSandbox(t *testing.T, dir string) *sandbox {
	t.Helper()
	found, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	store, err := directory.Open(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	redactor, _ := redact.New()
	log, _, err := logs.New(logs.Options{Redactor: redactor})
	if err != nil {
		t.Fatal(err)
	}
	ev := &events{}
	opened := &project.Project{
		Config: found, State: store, Redactor: redactor, Log: log, Now: time.Now,
		Environ: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PKR_VAR_build_password=" + canary},
		Connect: func(context.Context, hybridcore.Target) (project.Client, error) { return platform{}, nil },
	}
	opened.Tools.FindPacker = func(ctx context.Context) (packer.Tool, error) {
		tool, err := packer.Find(ctx, []string{"packer", filepath.Join(cache(), "bin", "packer")}, project.MinPacker)
		if err != nil {
			t.Errorf("no packer (run: make tools): %v", err)
		}
		tool.Grace = found.Build.CancelGrace
		return tool, err
	}
	return &sandbox{
		Project: opened, dir: dir, events: ev, reporter: ev,
		folders: build.Folders{Logs: filepath.Join(dir, "logs")},
	}
}

func cache() string {
	if dir := os.Getenv("PACKER_HYBRID_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "packer-hybrid")
}

// set writes one variable of the lab environment.
func (s *sandbox) set(t *testing.T, image, name, value string) {
	t.Helper()
	text := name + " = " + value + "\n"
	if err := os.WriteFile(filepath.Join(s.dir, "configs", "lab", image+".pkrvars.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *sandbox) request(action hybridcore.Action, images ...string) hybridcore.Request {
	return hybridcore.Request{ID: hybridcore.NewRunID(time.Now()), Action: action, Images: images}
}

// build plans and builds, and fails the test when either cannot run.
func (s *sandbox) build(ctx context.Context, t *testing.T, req hybridcore.Request) hybridcore.Record {
	t.Helper()
	plan, err := s.Plan(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := s.Build(ctx, plan)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func statuses(rec hybridcore.Record) string {
	var all []string
	for _, r := range rec.Results {
		all = append(all, r.Target+"="+string(r.Status))
	}
	return strings.Join(all, " ")
}

func TestBuildRecordsAndThenFindsUnchanged(t *testing.T) {
	s := newSandbox(t)
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild))
	if got, want := statuses(rec), "debian-12@vsphere=built debian-13@vsphere=built"; got != want {
		t.Fatalf("got %s, want %s\n%s", got, want, s.events.text())
	}
	r := rec.Results[0]
	if r.Artifact == nil || r.Artifact.URIs[0].ID != "vm-1" || r.Inventory == nil || r.Inventory.Packages != 1 {
		t.Errorf("result %+v", r)
	}
	stored, err := s.State.Record(t.Context(), rec.RunID)
	if err != nil || statuses(stored) != statuses(rec) {
		t.Errorf("stored %v, %v", stored, err)
	}
	if _, err := s.State.Attachment(t.Context(), r.Inventory.File); err != nil {
		t.Error(err)
	}
	again := s.build(t.Context(), t, s.request(hybridcore.ActionBuild))
	if got, want := statuses(again), "debian-12@vsphere=unchanged debian-13@vsphere=unchanged"; got != want {
		t.Errorf("second build: got %s, want %s", got, want)
	}
	if runs, err := s.State.Records(t.Context()); err != nil || len(runs) != 1 {
		t.Errorf("records %v, %v: an unchanged run leaves none", runs, err)
	}
	forced := s.request(hybridcore.ActionBuild, "debian-12")
	forced.Rebuild = true
	if got, want := statuses(s.build(t.Context(), t, forced)), "debian-12@vsphere=built"; got != want {
		t.Errorf("forced: got %s, want %s", got, want)
	}
	s.noSecret(t)
	s.nothingLeft(t)
}

// noSecret looks for the canary in everything that was written.
func (s *sandbox) noSecret(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), canary) {
			t.Errorf("%s holds the password", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(s.events.text(), canary) {
		t.Error("an event shows the password")
	}
}

// nothingLeft checks that nobody holds a lease and that the ended runs which
// will be looked for once more are these.
func (s *sandbox) nothingLeft(t *testing.T, ended ...string) {
	t.Helper()
	leases, err := s.State.Leases(t.Context())
	if err != nil {
		t.Error(err)
	}
	var got []string
	for _, l := range leases {
		if l.Live {
			t.Errorf("held: %+v", l)
		}
		for _, past := range l.Ended() {
			if past.QuietSince.IsZero() {
				t.Errorf("not looked for: %+v", past)
			}
			got = append(got, past.RunID)
		}
	}
	if !slices.Equal(got, ended) {
		t.Errorf("ended runs %q, want %q", got, ended)
	}
}

func TestOneFailureDoesNotStopTheOther(t *testing.T) {
	s := newSandbox(t)
	s.set(t, "debian-12", "script", `"echo about to fail; exit 7"`)
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild))
	if got, want := statuses(rec), "debian-12@vsphere=failed debian-13@vsphere=built"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	failure := rec.Results[0].Failure
	if failure == nil || !strings.Contains(strings.Join(failure.Tail, "\n"), "about to fail") {
		t.Errorf("failure %+v lacks the last lines", failure)
	}
	if rec.Status.Exit() != hybridcore.ExitFailed {
		t.Errorf("exit code %d", rec.Status.Exit())
	}
	snapshot, err := s.State.Read(t.Context())
	if _, ok := snapshot.Targets["lab/debian-12@vsphere"]; ok || err != nil {
		t.Errorf("a failed build became the current one: %v", err)
	}
	s.nothingLeft(t, rec.RunID)
}

func TestBuildIsVerifiedOnThePlatform(t *testing.T) {
	tests := []struct {
		name    string
		connect func(context.Context, hybridcore.Target) (project.Client, error)
		want    string
	}{
		{"not there", func(context.Context, hybridcore.Target) (project.Client, error) {
			return platform{lacks: []string{"debian"}}, nil
		}, "has nothing of that name"},
		{"lookup fails", func(context.Context, hybridcore.Target) (project.Client, error) {
			return platform{err: errors.New("503")}, nil
		}, "built, but not verified: 503"},
		{"no connection", func(context.Context, hybridcore.Target) (project.Client, error) {
			return nil, errors.New("refused " + canary)
		}, "built, but not verified: refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandbox(t)
			s.Connect = tt.connect
			rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
			if rec.Status != hybridcore.Failed || !strings.Contains(rec.Results[0].Failure.Message, tt.want) {
				t.Errorf("got %s %+v, want %q", rec.Status, rec.Results[0].Failure, tt.want)
			}
			s.noSecret(t)
		})
	}
}

func TestInventory(t *testing.T) {
	tests := []struct{ name, variable, value, status, want string }{
		{"not JSON", "inventory", `"oops"`, "failed", "inventory is not usable"},
		{
			"missing", "script", `"rm -f \"$TMPDIR\"/../inventory.json \"$TMPDIR\"/inventory.json"`, "built",
			"left no guest inventory",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandbox(t)
			s.set(t, "debian-12", tt.variable, tt.value)
			rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
			r := rec.Results[0]
			text := ""
			if r.Failure != nil {
				text = r.Failure.Message
			}
			for _, f := range r.Findings {
				text += f.Message
			}
			if string(r.Status) != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("got %s %q, want %s %q", r.Status, text, tt.status, tt.want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	s := newSandbox(t)
	s.set(t, "debian-12", "script", `"echo started; sleep 60"`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for !strings.Contains(s.events.text(), "started") {
			time.Sleep(20 * time.Millisecond)
		}
		cancel()
	}()
	begun := time.Now()
	req := s.request(hybridcore.ActionBuild, "debian-12")
	plan, err := s.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := s.Build(ctx, plan)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Status != hybridcore.Cancelled || rec.Status.Exit() != hybridcore.ExitCancelled {
		t.Errorf("status %s: %+v", rec.Status, rec.Results[0].Failure)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("cancelling took %s", took)
	}
	stored, err := s.State.Record(t.Context(), rec.RunID)
	if err != nil || stored.Status != hybridcore.Cancelled {
		t.Errorf("stored %s, %v", stored.Status, err)
	}
	if !strings.Contains(s.events.text(), "cancelling: ") {
		t.Error("the cancel was not told")
	}
	s.nothingLeft(t, rec.RunID)
}

func TestTwoBuildsOfOneTarget(t *testing.T) {
	s := newSandbox(t)
	s.set(t, "debian-12", "script", `"echo started; sleep 3"`)
	first := make(chan hybridcore.Record)
	go func() { first <- s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12")) }()
	for !strings.Contains(s.events.text(), "started") {
		time.Sleep(20 * time.Millisecond)
	}
	other := openSandbox(t, s.dir)
	rec := other.build(t.Context(), t, other.request(hybridcore.ActionBuild, "debian-12"))
	if rec.Status.Exit() != hybridcore.ExitBlocked || !strings.Contains(rec.Results[0].Failure.Message, "is held by run") {
		t.Errorf("second: %s %+v", rec.Status, rec.Results[0].Failure)
	}
	if rec := <-first; rec.Status != hybridcore.Built {
		t.Errorf("first: %s", rec.Status)
	}
}

// deadLease is the lease of a run that was killed.
func deadLease() hybridcore.Lease {
	return hybridcore.Lease{
		Key: "lab/debian-12@vsphere", RunID: "20261101t000000-dead0000", Artifact: "debian-12-20261101t000000-dead0000",
	}
}

func (s *sandbox) connect(p platform) {
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return p, nil }
}

func TestNextBuildReapsADeadRun(t *testing.T) {
	s := newSandbox(t)
	dead := deadLease()
	abandon(t, s.dir, dead)
	left := platform{machines: map[string]bool{dead.RunID: true}}
	s.connect(left)
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if rec.Status != hybridcore.Built {
		t.Fatalf("%s %+v", rec.Status, rec.Results[0].Failure)
	}
	notes := strings.Join(rec.Results[0].Notes, "\n")
	for _, want := range []string{
		"interrupted run: " + dead.RunID + " by ci@gone",
		"left behind: vm " + dead.Artifact + " (vm-2) was removed from VMware vSphere",
		"left behind: vm-template " + dead.Artifact + " (vm-1) on VMware vSphere is complete and stays",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if len(left.machines) != 0 {
		t.Error("the machine is still there")
	}
	s.nothingLeft(t, dead.RunID)
}

func TestLeftoverThatStaysBlocks(t *testing.T) {
	s := newSandbox(t)
	dead := deadLease()
	abandon(t, s.dir, dead)
	s.connect(platform{machines: map[string]bool{dead.RunID: true}, reapErr: errors.New("no permission")})
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if rec.Status != hybridcore.BlockedStatus || !strings.Contains(rec.Results[0].Failure.Message, "no permission") {
		t.Errorf("%s %+v", rec.Status, rec.Results[0].Failure)
	}
	leases, err := s.State.Leases(t.Context())
	if err != nil || len(leases) != 1 || leases[0].Live || len(leases[0].Ended()) != 1 ||
		leases[0].Ended()[0].Artifact != dead.Artifact {
		t.Errorf("the dead run's lease is lost: %+v, %v", leases, err)
	}
}

func TestReap(t *testing.T) {
	s := newSandbox(t)
	dead := deadLease()
	abandon(t, s.dir, dead)
	left := platform{
		lacks:    []string{"debian"},
		machines: map[string]bool{dead.RunID: true, "20261102t000000-alive000": true},
	}
	left.foreign = []hybridcore.URI{
		{Kind: "vm", Name: dead.Artifact, ID: "vm-9"},
		{Kind: "incomplete-managed-image", Name: dead.Artifact, ID: "/i"},
	}
	s.connect(left)
	steps := []struct {
		name    string
		req     hybridcore.Request
		removed int
		found   int
	}{
		{"another image", hybridcore.Request{Images: []string{"debian-13"}}, 0, 0},
		{"another environment", hybridcore.Request{Env: "prod"}, 0, 0},
		{"another platform", hybridcore.Request{Platforms: []hybridcore.Platform{hybridcore.Proxmox}}, 0, 0},
		{"dry run", hybridcore.Request{Caution: hybridcore.Caution{DryRun: true}}, 1, 1},
		{"dry run again", hybridcore.Request{
			Caution: hybridcore.Caution{DryRun: true}, Env: "lab", Images: []string{"debian-12"},
		}, 1, 1},
		{"for real", hybridcore.Request{}, 1, 1},
		{"second look", hybridcore.Request{}, 0, 1},
	}
	for _, step := range steps {
		reaped, err := s.Reap(t.Context(), step.req)
		removed := 0
		for _, r := range reaped {
			removed += len(r.Removed)
			if len(r.Kept) != 0 {
				t.Errorf("%s: %+v counts as a complete image", step.name, r.Kept)
			}
			if r.Error != "" || r.LookAgain.IsZero() != step.req.DryRun {
				t.Errorf("%s: error %q, look again at %s", step.name, r.Error, r.LookAgain)
			}
		}
		if err != nil || len(reaped) != step.found || removed != step.removed {
			t.Errorf("%s: %d found, %d removed, %v; want %d, %d", step.name, len(reaped), removed, err, step.found, step.removed)
		}
	}
	if !left.machines["20261102t000000-alive000"] || len(left.machines) != 1 {
		t.Errorf("machines left: %v, want the other run's alone", left.machines)
	}
	s.nothingLeft(t, dead.RunID)
}

// TestReapOfOneEnvironment reaps on a runner that keeps leases of two: what leads
// to a platform is that of one.
func TestReapOfOneEnvironment(t *testing.T) {
	s := newSandbox(t)
	dead := deadLease()
	dead.Key = strings.Replace(dead.Key, "lab/", "prod/", 1)
	abandon(t, s.dir, dead)
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) {
		t.Error("a platform is asked")
		return nil, errors.New("nobody is to be asked")
	}
	for _, c := range []struct {
		env   string
		found int
	}{{"", 1}, {"lab", 0}} {
		reaped, err := s.Reap(t.Context(), hybridcore.Request{Env: c.env})
		if err != nil || len(reaped) != c.found {
			t.Fatalf("%q: %+v, %v", c.env, reaped, err)
		}
		for _, r := range reaped {
			if !strings.Contains(r.Elsewhere, "packer-hybrid reap --env prod") || len(r.Removed) > 0 {
				t.Errorf("%q: %+v", c.env, r)
			}
		}
	}
}

func TestRetryFailed(t *testing.T) {
	s := newSandbox(t)
	s.set(t, "debian-12", "script", `"exit 7"`)
	first := s.build(t.Context(), t, s.request(hybridcore.ActionBuild))
	s.set(t, "debian-12", "script", `"true"`)
	again := s.request(hybridcore.ActionBuild)
	again.RetryFailed, again.Rebuild = first.RunID, true
	second := s.build(t.Context(), t, again)
	if got, want := statuses(second), "debian-12@vsphere=built"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, req := range map[string]hybridcore.Request{
		"another environment": {RetryFailed: first.RunID, Env: "prod"},
		"unknown run":         {RetryFailed: "20261101t000000-00000000"},
	} {
		if _, err := s.Plan(t.Context(), req); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("%s: %v, want a usage error", name, err)
		}
	}
	if _, err := s.Plan(t.Context(),
		hybridcore.Request{RetryFailed: second.RunID}); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("a run without failures: %v, want a usage error", err)
	}
}

func TestCleanUpAfterPacker(t *testing.T) {
	for _, tt := range []struct {
		name    string
		reapErr error
		note    string
		looked  bool
	}{
		{"removed", nil, "left by Packer: vm ", true},
		{"platform gone", errors.New("connection refused"), "left by Packer: not known", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandbox(t)
			s.set(t, "debian-12", "script", `"exit 7"`)
			req := s.request(hybridcore.ActionBuild, "debian-12")
			left := platform{machines: map[string]bool{req.ID: true}, reapErr: tt.reapErr}
			s.connect(left)
			rec := s.build(t.Context(), t, req)
			if rec.Status != hybridcore.Failed || !strings.Contains(strings.Join(rec.Results[0].Notes, "\n"), tt.note) {
				t.Errorf("%s, notes %q, want %q", rec.Status, rec.Results[0].Notes, tt.note)
			}
			leases, err := s.State.Leases(t.Context())
			if err != nil || len(leases) != 1 || leases[0].Live || len(leases[0].Ended()) != 1 {
				t.Fatalf("leases %+v, %v; want this run's, to look again", leases, err)
			}
			if past := leases[0].Ended()[0]; past.RunID != req.ID || past.QuietSince.IsZero() == tt.looked {
				t.Errorf("past %+v", past)
			}
		})
	}
}

func TestReapLeavesALivingRunAlone(t *testing.T) {
	s := newSandbox(t)
	held, err := s.State.Acquire(t.Context(),
		hybridcore.Lease{Key: "lab/debian-12@vsphere", RunID: "20261102t000000-alive000", Artifact: "x"})
	if err != nil {
		t.Fatal(err)
	}
	left := platform{machines: map[string]bool{"20261102t000000-alive000": true}}
	s.connect(left)
	reaped, err := s.Reap(t.Context(), hybridcore.Request{})
	if err != nil || len(reaped) != 0 || len(left.machines) != 1 {
		t.Errorf("reaped %+v, %v", reaped, err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name string
		req  hybridcore.Request
		want string
	}{
		{"image", hybridcore.Request{Images: []string{"debain-12"}}, `did you mean "debian-12"`},
		{"environment", hybridcore.Request{Env: "lap"}, `did you mean "lab"`},
		{
			"platform of the environment",
			hybridcore.Request{Platforms: []hybridcore.Platform{hybridcore.Azure}},
			"has no Microsoft Azure",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newSandbox(t).Plan(t.Context(), tt.req)
			if err == nil || !strings.Contains(err.Error(), tt.want) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("error %v, want usage error with %q", err, tt.want)
			}
		})
	}
}

func TestMissingVariableBlocks(t *testing.T) {
	s := newSandbox(t)
	s.Environ = s.Environ[:2]
	plan, err := s.Plan(t.Context(), s.request(hybridcore.ActionBuild, "debian-12"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Build(t.Context(), plan)
	if hybridcore.ExitCode(err) != hybridcore.ExitUsage ||
		!strings.Contains(err.Error(), "export PKR_VAR_build_password") {
		t.Errorf("error %v", err)
	}
	plan, err = s.Plan(t.Context(), s.request(hybridcore.ActionPlan, "debian-12"))
	if err != nil || hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		t.Errorf("a plan needs no password: %v %v", err, plan.Findings)
	}
}
