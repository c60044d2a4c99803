// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:31:00Z
// Spec: openspec/specs/leases/spec.md#requirement-cds-without-a-machine
// Diagram: openspec/specs/leases/diagram.md#reap

package runner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// scratchWith makes a scratch directory with files in its TMPDIR.
func scratchWith(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ph-abcdefgh27")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(filepath.Join(dir, "tmp"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, "tmp", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestReapReadsTheScratchDirectory(t *testing.T) {
	s := newSandbox(t)
	dead := deadLease()
	dead.Scratch = scratchWith(t, "packer12.iso", "packer3.iso", "packer-log99", "packer.iso", "packer4.iso.txt",
		"debian.iso")
	abandon(t, s.dir, dead)
	var asked []hybridcore.Remains
	s.connect(platform{lacks: []string{"debian"}, asked: &asked})
	for _, step := range []struct {
		name  string
		dry   bool
		stays bool
	}{{"dry run", true, true}, {"for real", false, false}, {"second look", false, false}} {
		dry := hybridcore.Caution{DryRun: step.dry}
		if reaped, err := s.Reap(t.Context(), hybridcore.Request{Caution: dry}); err != nil || len(reaped) != 1 ||
			reaped[0].Error != "" {
			t.Fatalf("%s: %+v, %v", step.name, reaped, err)
		}
		if there(dead.Scratch) != step.stays {
			t.Errorf("%s: the scratch directory is there: %v", step.name, !step.stays)
		}
	}
	want := hybridcore.Remains{Name: dead.Artifact, RunID: dead.RunID, Media: []string{"packer12.iso", "packer3.iso"}}
	if diff := cmp.Diff([]hybridcore.Remains{want, want, want}, asked); diff != "" {
		t.Errorf("the platform was asked for (-want +got):\n%s", diff)
	}
}

func TestNamesOfCDsOutliveTheScratchDirectory(t *testing.T) {
	s := newSandbox(t)
	s.set(t, "debian-12", "script", `"touch $TMPDIR/packer5.iso; exit 7"`)
	req := s.request(hybridcore.ActionBuild, "debian-12")
	var asked []hybridcore.Remains
	s.connect(platform{reapErr: errors.New("connection refused"), asked: &asked})
	if rec := s.build(t.Context(), t, req); rec.Status != hybridcore.Failed {
		t.Fatal(rec.Status)
	}
	leases, err := s.State.Leases(t.Context())
	if err != nil || len(leases) != 1 || len(leases[0].Ended()) != 1 {
		t.Fatalf("%+v, %v", leases, err)
	}
	if past := leases[0].Ended()[0]; past.Scratch == "" || there(past.Scratch) {
		t.Errorf("the scratch directory %q is there", past.Scratch)
	}
	s.connect(platform{lacks: []string{"debian"}, asked: &asked})
	if reaped, err := s.Reap(t.Context(), hybridcore.Request{}); err != nil || len(reaped) != 1 || reaped[0].Error != "" {
		t.Errorf("%+v, %v", reaped, err)
	}
	if len(asked) != 2 || !cmp.Equal(asked[0], asked[1]) || !cmp.Equal(asked[1].Media, []string{"packer5.iso"}) {
		t.Errorf("the platform was asked for %+v", asked)
	}
}

func TestRecordedImageIsNotLeft(t *testing.T) {
	for name, status := range map[string]hybridcore.Status{"built": hybridcore.Built, "failed": hybridcore.Failed} {
		s := newSandbox(t)
		dead := deadLease()
		abandon(t, s.dir, dead)
		image := hybridcore.URI{Kind: "vm-template", Name: dead.Artifact, ID: "vm-1"}
		err := s.State.Append(t.Context(), hybridcore.Record{
			RunID: dead.RunID, Request: hybridcore.Request{Env: "lab", Action: hybridcore.ActionBuild}, At: time.Now(),
			Status: status,
			Results: []hybridcore.Result{{
				Target: "debian-12@vsphere", Status: status,
				Artifact: &hybridcore.Artifact{URIs: []hybridcore.URI{image}},
			}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.connect(platform{})
		reaped, err := s.Reap(t.Context(), hybridcore.Request{Caution: hybridcore.Caution{DryRun: true}})
		if err != nil || len(reaped) != 1 || reaped[0].Error != "" ||
			(len(reaped[0].Kept) == 0) != (status == hybridcore.Built) {
			t.Errorf("%s: %+v, %v", name, reaped, err)
		}
	}
}
