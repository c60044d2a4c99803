// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:29:17Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// inventoryOf is a complete inventory with one package beside curl.
func inventoryOf(name, version string) string {
	return fmt.Sprintf(`{"format":1,"errors":[],"packages":[{"name":"curl","version":"1"},{"name":%q,"version":%q}],`+
		`"image":{"IMAGE_RUN":"x"},"os_release":{"ID":"debian","VERSION_ID":"12"},"kernel":{"running":"6.1"},"units":{"default":"graphical.target"},"users":[],`+
		`"groups":[],"sshd":{},"sysctl":{"files":{},"values":{}},"certificates":[],"listening":[],"files":{"/etc/a":{"sha256":"aa"}},"filesystems":{}}`,
		name, version)
}

// newPair is the fixture project with debian-12 on two platforms.
func newPair(t *testing.T) *sandbox {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/project")); err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile(filepath.Join(dir, "templates/platforms/vsphere.pkr.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "templates/platforms/proxmox.pkr.hcl",
		strings.ReplaceAll(string(template), "vsphere_folder", "proxmox_pool"))
	for _, name := range []string{"packer-hybrid.hcl", "templates/images.hcl"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, name, strings.ReplaceAll(string(text), `platforms = ["vsphere"]`, `platforms = ["proxmox", "vsphere"]`))
	}
	s := openSandbox(t, dir)
	s.inventory(t, "vsphere", "wget", "1.21")
	s.inventory(t, "proxmox", "wget", "1.21")
	return s
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// inventory sets what the guests of a platform say of themselves.
func (s *sandbox) inventory(t *testing.T, platform, name, version string) {
	t.Helper()
	put(t, s.dir, "configs/lab/"+platform+".pkrvars.hcl",
		fmt.Sprintf("# %s %s\ninventory = %q\n", name, version, inventoryOf(name, version)))
}

func TestIdenticalOnTwoPlatforms(t *testing.T) {
	s := newPair(t)
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if rec.Status != hybridcore.Built || len(rec.Parity) != 1 {
		t.Fatalf("%s, parity %+v", rec.Status, rec.Parity)
	}
	p := rec.Parity[0]
	if len(p.Manifests) != 2 || p.Manifests[0].SHA256 == "" || p.Manifests[0].SHA256 != p.Manifests[1].SHA256 ||
		len(p.Pairs) > 0 {
		t.Errorf("parity %+v", p)
	}
	stored, err := s.State.Record(t.Context(), rec.RunID)
	if err != nil || len(stored.Parity) != 1 {
		t.Errorf("stored %+v, %v", stored.Parity, err)
	}
}

func TestUnexpectedDifferenceBlocks(t *testing.T) {
	s := newPair(t)
	s.inventory(t, "proxmox", "wget", "1.20")
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if rec.Status.Exit() != hybridcore.ExitBlocked || statuses(rec) != "debian-12@proxmox=built debian-12@vsphere=built" {
		t.Fatalf("%s: %s", rec.Status, statuses(rec))
	}
	d := rec.Parity[0].Unexpected
	if len(d) != 1 || d[0].Key != "wget" || d[0].InA != "1.20" || d[0].InB != "1.21" ||
		!strings.HasPrefix(d[0].Cause, "configs/lab/") {
		t.Fatalf("unexpected %+v", d)
	}

	put(t, s.dir, "templates/parity.hcl", "allow \"packages\" \"wget\" {\n  platforms = [\"proxmox\", \"vsphere\"]\n  "+
		"reason = \"r\"\n  owner = \"o\"\n}\n"+
		"allow \"packages\" \"gone\" {\n  platforms = [\"proxmox\"]\n  reason = \"r\"\n  owner = \"o\"\n}\n")
	report, err := s.comparer().Parity(t.Context(), s.request(hybridcore.ActionParity))
	if err != nil || report.Blocked() || len(report.Parity) != 1 || len(report.Parity[0].Expected) != 1 {
		t.Fatalf("allowed: %+v, %v", report, err)
	}
	if f := report.Parity[0].Findings; len(f) != 1 || f[0].Line != 6 || !strings.Contains(f[0].Message, "stale") {
		t.Errorf("findings %+v", f)
	}
}

func TestOnlyOnePlatformIsRebuilt(t *testing.T) {
	s := newPair(t)
	first := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	s.inventory(t, "vsphere", "wget", "1.22")
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if got := statuses(rec); got != "debian-12@proxmox=unchanged debian-12@vsphere=built" ||
		rec.Status != hybridcore.BlockedStatus {
		t.Fatalf("%s: %s", rec.Status, got)
	}
	if m := rec.Parity[0].Manifests; m[0].Run != first.RunID || m[1].Run != rec.RunID {
		t.Errorf("runs %+v", m)
	}
	req := s.request(hybridcore.ActionParity, "debian-12")
	req.Against = first.RunID
	report, err := s.comparer().Parity(t.Context(), req)
	if err != nil || len(report.Changes) != 2 || len(report.Changes[0].Changes) != 0 ||
		len(report.Changes[1].Changes) != 1 {
		t.Fatalf("report %+v, %v", report, err)
	}
	if c := report.Changes[1].Changes[0]; c.Was != "1.21" || c.Now != "1.22" {
		t.Errorf("change %+v", c)
	}
	if since, err := s.comparer().Since(t.Context(), rec); err != nil || len(since) != 1 ||
		since[0].Platform != hybridcore.VSphere || len(since[0].Changes) != 1 || since[0].From != first.RunID {
		t.Errorf("since the last build: %+v, %v", since, err)
	}
	if since, err := s.comparer().Since(t.Context(), first); err != nil || len(since) != 0 {
		t.Errorf("since nothing: %+v, %v", since, err)
	}
	req.Record, req.Against = first.RunID, ""
	if report, err = s.comparer().Parity(t.Context(), req); err != nil || report.Blocked() ||
		len(report.Parity[0].Unexpected) > 0 {
		t.Errorf("of the first run: %+v, %v", report, err)
	}
	req.Platforms = []hybridcore.Platform{hybridcore.VSphere}
	req.Record = ""
	if report, err = s.comparer().Parity(t.Context(), req); err != nil || len(report.Parity[0].Manifests) != 1 ||
		len(report.Changes) != 1 || len(report.Notes) != 1 {
		t.Errorf("one platform: %+v, %v", report, err)
	}
}

func TestParityRefuses(t *testing.T) {
	s := newPair(t)
	if _, err := s.comparer().Parity(t.Context(),
		s.request(hybridcore.ActionParity)); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("nothing built: %v", err)
	}
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	put(t, s.dir, "state/"+rec.Results[0].Inventory.File, inventoryOf("wget", "9"))
	if _, err := s.comparer().Parity(t.Context(),
		s.request(hybridcore.ActionParity)); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("an edited inventory: %v", err)
	}
	put(t, s.dir, "templates/parity.hcl", "polici = 1\n")
	s = openSandbox(t, s.dir)
	plan, err := s.Plan(t.Context(), hybridcore.Request{ID: "r2", Images: []string{"debian-12"}, Rebuild: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Build(t.Context(), plan); hybridcore.ExitCode(err) != hybridcore.ExitUsage ||
		strings.Contains(s.events.text(), "debian") {
		t.Errorf("a bad allow-list: %v\n%s", err, s.events.text())
	}
}
