// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:10:00Z
// Spec: openspec/specs/runner/spec.md#requirement-one-record-of-many-parts
// Diagram: openspec/specs/runner/diagram.md#fan-out

package runner

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

// newThree is the fixture project with debian-12 on three platforms, and with a
// commit.
func newThree(t *testing.T) *sandbox {
	t.Helper()
	s := newPair(t)
	template, err := os.ReadFile(filepath.Join(s.dir, "templates/platforms/vsphere.pkr.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s.dir, "templates/platforms/azure.pkr.hcl",
		strings.ReplaceAll(string(template), "vsphere_folder", "azure_location"))
	for name, old := range map[string]string{
		"packer-hybrid.hcl":    `["proxmox", "vsphere"]`,
		"templates/images.hcl": `["proxmox", "vsphere"]`,
	} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all := strings.ReplaceAll(string(text), old, `["proxmox", "vsphere", "azure"]`)
		all = strings.ReplaceAll(all,
			"  unsupported \"azure\" {\n    reason = \"no Marketplace image in this fixture\"\n  }\n", "")
		put(t, s.dir, name, all)
	}
	commit(t, s.dir)
	s = openSandbox(t, s.dir)
	s.inventory(t, "azure", "wget", "1.21")
	return s
}

// machine is another machine with the same checkout and a state of its own.
func (s *sandbox) machine(t *testing.T) *sandbox {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	return openSandbox(t, dir)
}

// buildPart builds a target as a part on another machine and hands it over to
// the folder.
func (s *sandbox) buildPart(t *testing.T, target hybridcore.Target, to string) hybridcore.Record {
	t.Helper()
	m := s.machine(t)
	req := m.request(hybridcore.ActionBuild, target.Image.Name)
	req.Platforms, req.Part, req.Heads = []hybridcore.Platform{target.Platform}, target.Digest, []string{m.at(t)}
	rec := m.build(t.Context(), t, req)
	if err := os.CopyFS(to, os.DirFS(filepath.Join(m.dir, filepath.FromSlash(hybridcore.PartsDir)))); err != nil {
		t.Fatal(err)
	}
	if runs, err := m.State.Records(t.Context()); err != nil || len(runs) > 0 {
		t.Errorf("the state of the part's machine has the records %v, %v", runs, err)
	}
	return rec
}

// collect plans and collects.
func (s *sandbox) collect(ctx context.Context, t *testing.T, from ...string) (hybridcore.Record, error) {
	t.Helper()
	req := s.request(hybridcore.ActionCollect, "debian-12")
	req.From = from
	plan, err := s.Plan(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return s.builder().Collect(ctx, plan)
}

func (s *sandbox) planned(t *testing.T) []hybridcore.PlannedTarget {
	t.Helper()
	plan, err := s.Plan(t.Context(), hybridcore.Request{Action: hybridcore.ActionPlan, Images: []string{"debian-12"}})
	if err != nil || len(plan.Targets) != 3 {
		t.Fatalf("%+v, %v", plan.Targets, err)
	}
	return plan.Targets
}

var (
	runIDs   = regexp.MustCompile(`\d{8}t\d{6}-[0-9a-f]{8}`)
	scratch  = regexp.MustCompile(`/ph-[a-z0-9]+/tmp/packer-shell\d+`)
	moments  = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]+Z?"`)
	duration = regexp.MustCompile(`"duration_ns": \d+`)
)

// timeless is a record without times, identifiers and temporary names.
func timeless(t *testing.T, rec hybridcore.Record) string {
	t.Helper()
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	out := scratch.ReplaceAllString(runIDs.ReplaceAllString(string(text), "RUN"), "SCRATCH")
	return duration.ReplaceAllString(moments.ReplaceAllString(out, `"TIME"`), `"duration_ns": N`)
}

func TestCollectIsOneBuild(t *testing.T) {
	s := newThree(t)
	planned := s.planned(t)
	whole := s.machine(t)
	want := whole.build(t.Context(), t, whole.request(hybridcore.ActionBuild, "debian-12"))
	parts := filepath.Join(t.TempDir(), "parts")
	first := time.Now()
	for _, p := range planned {
		s.buildPart(t, p.Target, parts)
	}
	got, err := s.collect(t.Context(), t, parts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(timeless(t, want), timeless(t, got)); diff != "" {
		t.Errorf("the records differ (-one command +collected):\n%s", diff)
	}
	if len(got.Results) != 3 || len(got.Parity) != 1 || len(got.Parity[0].Manifests) != 3 || got.At.Before(first) ||
		got.Duration <= 0 {
		t.Errorf("%d results, parity %+v, at %s for %s", len(got.Results), got.Parity, got.At, got.Duration)
	}
	stored, err := s.State.Record(t.Context(), got.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Results, stored.Results); diff != "" || stored.PlanDigest != want.PlanDigest {
		t.Errorf("stored (-returned +stored):\n%s", diff)
	}
	for _, res := range stored.Results {
		if _, err := s.State.Attachment(t.Context(), res.Inventory.File); err != nil {
			t.Error(err)
		}
	}
	// What is collected is current, and the same parts change nothing.
	again, err := s.collect(t.Context(), t, parts)
	if err != nil || again.Status != hybridcore.UnchangedDone {
		t.Errorf("again: %s, %v", statuses(again), err)
	}
	runs, err := s.State.Records(t.Context())
	if err != nil || len(runs) != 1 {
		t.Errorf("records %v, %v", runs, err)
	}
	if rec := s.build(t.Context(), t,
		s.request(hybridcore.ActionBuild, "debian-12")); rec.Status != hybridcore.UnchangedDone {
		t.Errorf("a build after it: %s", statuses(rec))
	}
}

func TestCollectWithoutAPart(t *testing.T) {
	s := newThree(t)
	planned := s.planned(t)
	parts := t.TempDir()
	for _, p := range planned[:2] {
		s.buildPart(t, p.Target, parts)
	}
	rec, err := s.collect(t.Context(), t, parts, filepath.Join(parts, "none"))
	if err != nil || rec.Status != hybridcore.Failed ||
		statuses(rec) != "debian-12@proxmox=built debian-12@vsphere=built debian-12@azure=failed" {
		t.Fatalf("%s, %v", statuses(rec), err)
	}
	if message := rec.Results[2].Failure.Message; !strings.Contains(message, "no part of debian-12@azure is in "+parts) {
		t.Error(message)
	}
	// The job is run again: what was collected stays, and is compared.
	s.buildPart(t, planned[2].Target, parts)
	rec, err = s.collect(t.Context(), t, parts)
	if err != nil || statuses(rec) != "debian-12@proxmox=unchanged debian-12@vsphere=unchanged debian-12@azure=built" ||
		len(rec.Parity) != 1 || len(rec.Parity[0].Manifests) != 3 {
		t.Errorf("%s, %v, parity %+v", statuses(rec), err, rec.Parity)
	}
}

func TestCollectOvertaken(t *testing.T) {
	s := newThree(t)
	parts := t.TempDir()
	s.buildPart(t, s.planned(t)[0].Target, parts)
	req := s.request(hybridcore.ActionBuild, "debian-12")
	req.Platforms = []hybridcore.Platform{hybridcore.Proxmox}
	later := s.build(t.Context(), t, req)
	_, err := s.collect(t.Context(), t, parts)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "by run "+later.RunID+", which stays current") {
		t.Errorf("%v", err)
	}
	now, err := s.State.Read(t.Context())
	if err != nil || now.Targets["lab/debian-12@proxmox"].RunID != later.RunID {
		t.Errorf("current is %+v, %v", now.Targets, err)
	}
}

func TestPartOfAnotherTarget(t *testing.T) {
	s := newThree(t)
	target := s.planned(t)[0].Target
	req := s.request(hybridcore.ActionBuild, "debian-12")
	req.Platforms, req.Part = []hybridcore.Platform{target.Platform}, target.Digest
	s.set(t, "debian-12", "size", "2")
	plan, err := s.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := s.Build(t.Context(), plan)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || rec.RunID != "" ||
		!strings.Contains(err.Error(), target.Digest[:12]) || s.events.text() != "" {
		t.Errorf("%+v, %v\n%s", rec, err, s.events.text())
	}
}

// Parts that are not what they should be: each is refused by name, and nothing
// is recorded.
func TestCollectRefuses(t *testing.T) {
	s := newThree(t)
	planned := s.planned(t)
	good := t.TempDir()
	made := s.buildPart(t, planned[0].Target, good)
	folder := filepath.Join(good, "debian-12@proxmox")
	inventory, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(made.Results[0].Inventory.File)))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*hybridcore.Record)
		want   string
	}{
		{
			"another commit", func(r *hybridcore.Record) { r.Commit = strings.Repeat("cd", 20) },
			"built from commit \"cdcdcdcdcdcd\"",
		},
		{"another environment", func(r *hybridcore.Record) { r.Request.Env = "prod" }, `for the environment "prod"`},
		{"a whole build", func(r *hybridcore.Record) { r.Request.Part = "" }, "not a part of a build"},
		{
			"another digest", func(r *hybridcore.Record) { r.Results[0].Digest = strings.Repeat("0", 64) },
			"was built with the digest",
		},
		{"another recipe", func(r *hybridcore.Record) { r.Results[0].Recipe = "x" }, "was built with the digest"},
		{
			"an unknown target", func(r *hybridcore.Record) { r.Results[0].Target = "../../x@proxmox" },
			`"../../x@proxmox" is no target of this plan`,
		},
		{
			"another platform", func(r *hybridcore.Record) { r.Results[0].Platform = hybridcore.Azure },
			"its name says debian-12@proxmox",
		},
		{"two results", func(r *hybridcore.Record) { r.Results = append(r.Results, r.Results[0]) }, "2 results"},
		{"unchanged", func(r *hybridcore.Record) { r.Results[0].Status = hybridcore.UnchangedDone }, "no part has"},
		{"built without artifact", func(r *hybridcore.Record) { r.Results[0].Artifact = nil }, "without an artifact"},
		{
			"a fingerprint of something else",
			func(r *hybridcore.Record) {
				a := *r.Results[0].Artifact
				a.Fingerprints = []hybridcore.Fingerprint{{Of: hybridcore.URI{Kind: "vm", ID: "1"}}}
				r.Results[0].Artifact = &a
			},
			"a fingerprint of something that it has not built",
		},
		{
			"a fingerprint without an end",
			func(r *hybridcore.Record) {
				a := *r.Results[0].Artifact
				a.Fingerprints = []hybridcore.Fingerprint{{
					Of: a.URIs[0], Facts: map[string]string{"memory": strings.Repeat("x", 1<<20)},
				}}
				r.Results[0].Artifact = &a
			},
			"a fact of more than 1024 bytes",
		},
		{"from the future", func(r *hybridcore.Record) { r.Results[0].Started = time.Now().Add(time.Hour) }, "not over yet"},
		{
			"inventory elsewhere", func(r *hybridcore.Record) { r.Results[0].Inventory.File = "records/../../../etc/passwd" },
			"is not a path records/RUN/NAME",
		},
		{
			"another inventory", func(r *hybridcore.Record) { r.Results[0].Inventory.SHA256 = strings.Repeat("0", 64) },
			"is not what its record says",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := made
			rec.Results = append([]hybridcore.Result(nil), made.Results...)
			kept := *made.Results[0].Inventory
			rec.Results[0].Inventory = &kept
			tt.change(&rec)
			dir := t.TempDir()
			s.part(t, filepath.Join(dir, "job", "part"), rec, inventory)
			s.refuses(t, tt.want, dir)
		})
	}
	other := t.TempDir()
	s.part(t, other, made, inventory)
	s.refuses(t, "debian-12@proxmox has two parts, in "+folder, good, other)
	s.refuses(t, "debian-12@proxmox has two parts", good, good)
	name := filepath.FromSlash(state.RecordName(made.RunID))
	put(t, other, name, `{"run_id":"`+made.RunID+`","sha256":"0","record":{}}`+"\n")
	s.refuses(t, "the part in "+other+" is refused", other)
	if err := os.Truncate(filepath.Join(other, name), (80<<20)+1); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, "has more than 80 MiB", other)
	runs, err := s.State.Records(t.Context())
	if err != nil || len(runs) > 0 {
		t.Errorf("recorded: %v, %v", runs, err)
	}
	if err := os.Remove(filepath.Join(other, name)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, name), filepath.Join(other, name)); err != nil {
		t.Fatal(err)
	}
	if rec, err := s.collect(t.Context(), t, other); err != nil || !strings.Contains(failure(rec), "no part of") {
		t.Errorf("a link was followed: %s, %v", statuses(rec), err)
	}
}

// part writes a part as another machine might.
func (s *sandbox) part(t *testing.T, dir string, rec hybridcore.Record, inventory []byte) {
	t.Helper()
	store, err := directory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Append(t.Context(), rec,
		map[string][]byte{"debian-12@proxmox.inventory.json": inventory}); err != nil {
		t.Fatal(err)
	}
}

func (s *sandbox) refuses(t *testing.T, want string, from ...string) {
	t.Helper()
	rec, err := s.collect(t.Context(), t, from...)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || rec.RunID != "" || !strings.Contains(err.Error(), want) {
		t.Errorf("want %q, got %v, record of run %q", want, err, rec.RunID)
	}
}

func TestCollectedTextIsInert(t *testing.T) {
	s := newThree(t)
	made := s.buildPart(t, s.planned(t)[0].Target, t.TempDir())
	res := &made.Results[0]
	evil := "x\x1b]0;owned\x07\r\u202ey " + canary
	res.Status, res.Artifact, res.Inventory = hybridcore.Failed, nil, nil
	res.Failure = &hybridcore.Failure{Step: evil, File: evil, Message: evil, Tail: []string{evil}}
	res.Notes, res.Log = []string{evil}, "/etc/passwd"
	res.Findings = []hybridcore.Finding{{Kind: evil, Subject: evil, Message: evil, Hint: evil, File: evil, Source: evil}}
	dir := t.TempDir()
	s.part(t, dir, made, nil)
	rec, err := s.collect(t.Context(), t, dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(rec.Results[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`\u001b`, `\u0007`, `\r`, "\u202e", canary, "/etc/passwd", "owned"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("the record has %q: %s", bad, text)
		}
	}
}

// commit makes a repository of a folder, with all of its files in one commit, and
// returns that.
func commit(t *testing.T, dir string) string {
	t.Helper()
	git := func(args ...string) string {
		t.Helper()
		args = append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)
		out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "x")
	return git("rev-parse", "HEAD")
}

// at is the commit of a sandbox.
func (s *sandbox) at(t *testing.T) string {
	t.Helper()
	at, err := s.Head(t.Context())
	if err != nil || at == "" {
		t.Fatalf("the commit of the sandbox is not known: %q %v", at, err)
	}
	return at
}
