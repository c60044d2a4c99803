// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:48:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package runner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// shelf is a platform whose marks are kept.
type shelf struct {
	platform
	at    hybridcore.Platform
	mu    *sync.Mutex
	marks map[string][]string // by platform and name of the object
	fails *string             // part of the name whose next mark fails, after it was made; may be empty
}

func (s shelf) Mark(_ context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(s.at) + " " + of.Name
	if slices.Contains(s.marks[key], mark.Release+": "+mark.Text()) {
		return false, nil
	}
	s.marks[key] = append(s.marks[key], mark.Release+": "+mark.Text())
	if part := *s.fails; part != "" && strings.Contains(mark.Text(), part) {
		*s.fails = ""
		return true, errors.New("403 Permission check failed")
	}
	return true, nil
}

// shop is the fixture project with debian-12 built on two platforms.
type shop struct {
	*sandbox
	shelf
	built hybridcore.Record
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{sandbox: newPair(t), shelf: shelf{mu: &sync.Mutex{}, marks: map[string][]string{}, fails: new("")}}
	s.stock(nil)
	s.built = s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	return s
}

// stock sets what the platforms do not have.
func (s *shop) stock(lacks map[hybridcore.Platform]bool) {
	s.Connect = func(_ context.Context, t hybridcore.Target) (project.Client, error) {
		there := s.shelf
		there.at = t.Platform
		if lacks[t.Platform] {
			there.lacks = []string{"debian"}
		}
		return there, nil
	}
}

func (s *shop) publish(t *testing.T, change ...func(*hybridcore.Request)) (hybridcore.Record, error) {
	t.Helper()
	req := s.request(hybridcore.ActionPublish, "debian-12")
	req.Release = "v1.0.0"
	for _, c := range change {
		c(&req)
	}
	plan, err := s.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return s.releaser().Publish(t.Context(), plan)
}

func (s *shop) runs(t *testing.T) int {
	t.Helper()
	all, err := s.State.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func messages(rec hybridcore.Record) string {
	var all []string
	for _, r := range rec.Results {
		if r.Failure != nil {
			all = append(all, r.Target+": "+r.Failure.Message)
		}
	}
	return strings.Join(all, "\n")
}

func TestPublish(t *testing.T) {
	s := newShop(t)
	rec, err := s.publish(t)
	if err != nil || rec.Status != hybridcore.Published ||
		statuses(rec) != "debian-12@proxmox=published debian-12@vsphere=published" {
		t.Fatalf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
	name := project.ArtifactName("debian-12", s.built.RunID)
	said := []string{"v1.0.0: debian-12, run " + s.built.RunID}
	if diff := cmp.Diff(map[string][]string{"proxmox " + name: said, "vsphere " + name: said}, s.marks); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	r := rec.Release
	if r.Name != "v1.0.0" || r.Env != "lab" || r.RunID != rec.RunID || len(r.Images) != 1 ||
		len(r.Images[0].Artifacts) != 2 || len(r.Images[0].Parity) != 2 || r.Images[0].Recipe == "" {
		t.Errorf("%+v", r)
	}
	if a := r.Find("debian-12", hybridcore.VSphere); a == nil || a.RunID != s.built.RunID ||
		a.Artifact.URIs[0].Name != name || a.Inventory == nil {
		t.Errorf("%+v", a)
	}
	now, err := s.State.Read(t.Context())
	if err != nil || now.Releases["lab/v1.0.0"].RunID != rec.RunID ||
		now.Targets["lab/debian-12@proxmox"].Release != "v1.0.0" {
		t.Errorf("%+v, %v", now, err)
	}
	// Once more changes nothing, and says the same.
	runs := s.runs(t)
	again, err := s.publish(t)
	if err != nil || again.Status != hybridcore.UnchangedDone || s.runs(t) != runs || cmp.Diff(r, again.Release) != "" {
		t.Errorf("again: %s, %v, %d records, %+v", statuses(again), err, s.runs(t), again.Release)
	}
	// The same images under a second name keep the first.
	if rec, err = s.publish(t, func(r *hybridcore.Request) { r.Release = "v1.1.0" }); err != nil ||
		rec.Status != hybridcore.Published {
		t.Errorf("%s, %v", statuses(rec), err)
	}
	// What was built since is not put under a name that is taken.
	s.build(t.Context(), t, hybridcore.Request{
		ID: "20991102t000000-00000001", Action: hybridcore.ActionBuild,
		Images: []string{"debian-12"}, Rebuild: true,
	})
	if _, err = s.publish(t); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "a release never changes") {
		t.Errorf("%v", err)
	}
	if _, err := s.Plan(t.Context(),
		hybridcore.Request{
			Action:      hybridcore.ActionBuild,
			RetryFailed: rec.RunID,
		}); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("retrying a publish: %v", err)
	}
}

func TestPublishNothingOrEverything(t *testing.T) {
	s := newShop(t)
	tests := []struct {
		name   string
		change func(*hybridcore.Request)
		lacks  map[hybridcore.Platform]bool
		status hybridcore.Status
		want   []string
	}{
		{"never built", func(r *hybridcore.Request) { r.Images = nil }, nil, hybridcore.Failed, []string{
			"debian-13@proxmox: it is not built from this tree: never built in lab; build it first",
			"debian-12@vsphere: not released, because of debian-13@proxmox, debian-13@vsphere",
		}},
		{
			"deleted", func(*hybridcore.Request) {},
			map[hybridcore.Platform]bool{hybridcore.Proxmox: true},
			hybridcore.Failed,
			[]string{
				"debian-12@proxmox: Proxmox VE has no vm-template debian-12-" + s.built.RunID + " (vm-1) any more",
				"debian-12@vsphere: not released, because of debian-12@proxmox",
			},
		},
	}
	for _, tt := range tests {
		s.stock(tt.lacks)
		rec, err := s.publish(t, tt.change)
		if err != nil || rec.Status != tt.status || rec.Release != nil || len(s.marks) != 0 {
			t.Errorf("%s: %s, %v, marks %v", tt.name, statuses(rec), err, s.marks)
		}
		for _, w := range tt.want {
			if !strings.Contains(messages(rec), w) {
				t.Errorf("%s: no %q in\n%s", tt.name, w, messages(rec))
			}
		}
	}
	s.stock(nil)
	runs := s.runs(t)
	rec, err := s.publish(t, func(r *hybridcore.Request) { r.DryRun = true })
	if err != nil || rec.Status != hybridcore.Validated || len(s.marks) != 0 || s.runs(t) != runs ||
		!strings.Contains(strings.Join(rec.Results[0].Notes, " "), "would be marked as release v1.0.0") {
		t.Errorf("dry run: %s, %v, marks %v", statuses(rec), err, s.marks)
	}
	if rec, err = s.publish(t, func(r *hybridcore.Request) { r.Release = "" }); err != nil ||
		rec.Status != hybridcore.Published ||
		rec.Release.Name != s.built.At.UTC().Format("2006.01.02")+"-"+s.built.RunID[16:] {
		t.Errorf("without a name: %s, %v, %+v", statuses(rec), err, rec.Release)
	}
}

// TestPublishEdited publishes nothing of which one template was changed after the build.
func TestPublishEdited(t *testing.T) {
	s := newShop(t)
	for _, artifact := range s.built.Results {
		if f := artifact.Artifact.Fingerprints; len(f) != 1 || f[0].Facts["memory"] != "2048 MiB" {
			t.Fatalf("%s was built with the fingerprint %+v", artifact.Target, f)
		}
	}
	s.memory = "512 MiB"
	rec, err := s.publish(t)
	if err != nil || rec.Status != hybridcore.Failed || rec.Release != nil || len(s.marks) != 0 ||
		!strings.Contains(messages(rec), "memory: 2048 MiB → 512 MiB") {
		t.Errorf("%s, %v, marks %v\n%s", statuses(rec), err, s.marks, messages(rec))
	}
	var accepted strings.Builder
	for _, target := range []string{"proxmox", "vsphere"} {
		accepted.WriteString("waiver \"drift\" {\n  subject = \"lab/debian-12@" + target + "\"\n  rule = \"drift-edited\"\n" +
			"  accepts = \"memory: 512 MiB\"\n  owner = \"images@example.com\"\n" +
			"  reason = \"the host is full\"\n  expires = \"2099-01-31\"\n}\n")
	}
	put(t, s.dir, "waivers.hcl", accepted.String())
	if err := s.sandbox.Close(); err != nil { // the waivers were read
		t.Fatal(err)
	}
	rec, err = s.publish(t, func(r *hybridcore.Request) { r.Release, r.DryRun = "v0.9.0", true })
	if err != nil || rec.Status != hybridcore.Validated {
		t.Errorf("waived: %s, %v\n%s", statuses(rec), err, messages(rec))
	}
	s.memory = "2048 MiB"
	if rec, err = s.publish(t); err != nil || rec.Status != hybridcore.Published {
		t.Errorf("put right: %s, %v\n%s", statuses(rec), err, messages(rec))
	}
}

func TestPublishWithBrokenParity(t *testing.T) {
	s := newShop(t)
	s.inventory(t, "vsphere", "wget", "1.22")
	s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	rec, err := s.publish(t)
	if err != nil || rec.Status != hybridcore.BlockedStatus || len(s.marks) != 0 ||
		!strings.Contains(messages(rec), "the parity of debian-12") {
		t.Errorf("%s, %v, marks %v\n%s", statuses(rec), err, s.marks, messages(rec))
	}
}

func TestPublishIsCompleted(t *testing.T) {
	s := newShop(t)
	*s.fails = "debian-12"
	rec, err := s.publish(t)
	if err != nil || rec.Status != hybridcore.Failed || rec.Release != nil ||
		!strings.Contains(messages(rec), "Permission check failed; run publish again: it completes the release v1.0.0") {
		t.Fatalf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
	if now, err := s.State.Read(t.Context()); err != nil || len(now.Releases) != 0 {
		t.Errorf("half a release is in the state: %+v, %v", now.Releases, err)
	}
	if rec, err = s.publish(t); err != nil || rec.Status != hybridcore.Published || rec.Release == nil {
		t.Errorf("%s, %v\n%s", statuses(rec), err, messages(rec))
	}
}

func TestPublishIsCalledLikeTheTag(t *testing.T) {
	s := newShop(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git",
			append([]string{"-C", s.dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.RemoveAll(filepath.Join(s.dir, ".git")); err != nil {
		t.Fatal(err)
	}
	git("init", "-q", "-b", "main", "--template=")
	git("add", "templates")
	git("commit", "-q", "-m", "one")
	rec, err := s.publish(t, func(r *hybridcore.Request) { r.Release, r.DryRun = "", true })
	if want := s.built.At.UTC().Format("2006.01.02") + "-" + git("rev-parse", "HEAD")[:12]; err != nil ||
		rec.Request.Release != want {
		t.Errorf("without a tag: %q, %v", rec.Request.Release, err)
	}
	git("tag", "-a", "-m", "x", "v2.0.0")
	if rec, err = s.publish(t, func(r *hybridcore.Request) { r.Release, r.DryRun = "", true }); err != nil ||
		rec.Request.Release != "v2.0.0" {
		t.Errorf("with a tag: %q, %v", rec.Request.Release, err)
	}
	git("tag", "latest")
	if _, err = s.publish(t, func(r *hybridcore.Request) { r.Release = "" }); hybridcore.ExitCode(
		err) != hybridcore.ExitUsage || !strings.Contains(err.Error(), "several tags (latest, v2.0.0)") {
		t.Errorf("with two: %v", err)
	}
}
