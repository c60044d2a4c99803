// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:21:35Z
// Spec: openspec/specs/state/spec.md#requirement-a-state-moves-to-another-backend
// Diagram: openspec/specs/state/diagram.md#migrate

package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/checkup"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/transfer"
)

// place opens one state, as often as it is called.
type place func(t *testing.T) *state.Store

func inDirectory(t *testing.T) place {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	return func(t *testing.T) *state.Store {
		t.Helper()
		s, err := directory.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func inGit(t *testing.T) place {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state.git")
	if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "--bare", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return func(t *testing.T) *state.Store {
		t.Helper()
		b, err := gitref.New(t.Context(), gitref.Options{
			Repository: dir, Local: true, Dir: t.TempDir(), Environ: os.Environ(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return state.New(b, state.Capabilities{Guide: b})
	}
}

var places = map[string]func(*testing.T) place{"directory": inDirectory, "git": inGit}

func quiet(string, int, int) {}

// fill records runs, and releases a lease.
func fill(t *testing.T, s *state.Store, runs int) {
	t.Helper()
	for i := range runs {
		statetest.Built(t, s, fmt.Sprintf("run-%d", i), "lab/debian-12@vsphere")
	}
	held, err := s.Acquire(t.Context(), statetest.Lease("run-0"))
	if err == nil {
		err = held.Release(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// clean says that a state is one in which nothing is wrong, with so many records.
func clean(t *testing.T, s *state.Store, records int) {
	t.Helper()
	found, err := checkup.Check(t.Context(), s, func(int, int) {})
	if err != nil || len(found.Findings) > 0 || found.Objects[state.KindRecord] != records {
		t.Errorf("%d records wanted: %+v, %v", records, found, err)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for from, source := range places {
		for to, target := range places {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				migrate(t, source(t), target(t))
			})
		}
	}
}

// migrate moves a state, twice, and goes on in the new place.
func migrate(t *testing.T, source, target place) {
	t.Helper()
	if _, err := transfer.Migrate(t.Context(), source(t), target(t), quiet); hybridcore.ExitCode(err) != 2 {
		t.Errorf("nothing to migrate: %v", err)
	}
	fill(t, source(t), 5)
	for i, put := range []int{16, 0} { // 5 records, 5 attachments, 4 snapshots, 2 of a lease
		came, err := transfer.Migrate(t.Context(), source(t), target(t), quiet)
		if err != nil || came.Put != put || came.Objects != 16 {
			t.Fatalf("time %d: %+v, %v", i+1, came, err)
		}
	}
	if err := transfer.Verify(t.Context(), source(t), target(t), quiet); err != nil {
		t.Error(err)
	}
	clean(t, source(t), 5)
	clean(t, target(t), 5)

	statetest.Built(t, target(t), "run-9", "lab/debian-12@azure")
	_, err := transfer.Migrate(t.Context(), source(t), target(t), quiet)
	statetest.WantBlocked(t, err, "the target has", "which the source has not")
}

// failing is a backend that takes so many objects.
type failing struct {
	state.Backend
	left int
}

var errFull = errors.New("full")

// Put fails when there is no room left.
func (f *failing) Put(ctx context.Context, name string, data []byte) error {
	if f.left--; f.left < 0 {
		return errFull
	}
	return f.Backend.Put(ctx, name, data)
}

// TestMigrateIsInterrupted ends a migration after any number of objects, and goes on.
func TestMigrateIsInterrupted(t *testing.T) {
	t.Parallel()
	source := inDirectory(t)(t)
	fill(t, source, 3)
	for room := range 12 {
		target := inDirectory(t)
		some := state.New(&failing{target(t).Objects(), room}, state.Capabilities{})
		if _, err := transfer.Migrate(t.Context(), source, some, quiet); !errors.Is(err, errFull) && room < 11 {
			t.Fatalf("room for %d: %v", room, err)
		}
		found, err := checkup.Check(t.Context(), target(t), func(int, int) {})
		for _, f := range found.Findings {
			if err != nil || f.Rule != checkup.RuleUnreferenced {
				t.Errorf("room for %d: %+v, %v", room, f, err)
			}
		}
		statetest.Built(t, source, fmt.Sprintf("run-%d", 10+room), "lab/debian-12@vsphere") // it is used meanwhile
		came, err := transfer.Migrate(t.Context(), source, target(t), quiet)
		if err != nil {
			t.Fatalf("room for %d, once more: %+v, %v", room, came, err)
		}
		if err := transfer.Verify(t.Context(), source, target(t), quiet); err != nil {
			t.Error(err)
		}
		clean(t, target(t), 4+room)
	}
}

func TestMigrateIsRefused(t *testing.T) {
	t.Parallel()
	source, target := inDirectory(t), inDirectory(t)
	fill(t, source(t), 1)
	fill(t, target(t), 1)
	_, err := transfer.Migrate(t.Context(), source(t), target(t), quiet)
	statetest.WantBlocked(t, err, "another state, of lineage")

	records := inGit(t)
	if err := records(t).Append(t.Context(), statetest.Record("run-x"), nil); err != nil {
		t.Fatal(err)
	}
	_, err = transfer.Migrate(t.Context(), source(t), records(t), quiet)
	statetest.WantBlocked(t, err, "runs/run-x.json, which the source has not")

	for which, stores := range map[string][2]place{"source": {source, inGit(t)}, "target": {source, target}} {
		of := stores[0]
		if which == "target" {
			empty := inDirectory(t)
			if _, err := transfer.Migrate(t.Context(), source(t), empty(t), quiet); err != nil {
				t.Fatal(err)
			}
			of, stores[1] = empty, empty
		}
		held, err := of(t).Acquire(t.Context(), statetest.Lease("run-held"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = transfer.Migrate(t.Context(), stores[0](t), stores[1](t), quiet)
		statetest.WantBlocked(t, err, "at work in the "+which, "run-held")
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerify finds a byte that is another one.
func TestVerify(t *testing.T) {
	t.Parallel()
	source, target := inGit(t)(t), inDirectory(t)(t)
	fill(t, source, 2)
	if _, err := transfer.Migrate(t.Context(), source, target, quiet); err != nil {
		t.Fatal(err)
	}
	const name = "runs/run-1.json"
	exchange(t, target, name, "other")
	statetest.WantBlocked(t, transfer.Verify(t.Context(), source, target, quiet), name, "another one")
	if err := target.Objects().Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	statetest.WantBlocked(t, transfer.Verify(t.Context(), source, target, quiet), name, "not in the copy")
}

func exchange(t *testing.T, s *state.Store, name, text string) {
	t.Helper()
	b := s.Objects()
	if err := errors.Join(b.Delete(t.Context(), name), b.Put(t.Context(), name, []byte(text))); err != nil {
		t.Fatal(err)
	}
}

// TestRepair pulls a state, damages it, and pushes the copy.
func TestRepair(t *testing.T) {
	t.Parallel()
	for name, where := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repair(t, where(t), inDirectory(t))
		})
	}
}

func repair(t *testing.T, where, copied place) {
	t.Helper()
	s := where(t)
	fill(t, s, 3)
	if _, err := transfer.Pull(t.Context(), s, copied(t), quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Pull(t.Context(), s, copied(t), quiet); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("pulled into a copy: %v", err)
	}
	clean(t, copied(t), 3)

	newest := state.Generation(state.SnapshotFolder, 3)
	exchange(t, s, newest, "cut")
	exchange(t, s, "runs/run-0.json", "cut")
	for _, gone := range []string{"runs/run-1.json", "records/run-2/debian-12@vsphere.inventory.json"} {
		if err := s.Objects().Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	_, err := where(t).Read(t.Context())
	statetest.WantBlocked(t, err, newest)
	came, err := transfer.Push(t.Context(), copied(t), where(t), quiet)
	if err != nil || !slices.Equal(came.Kept, []string{"runs/run-0.json"}) || len(came.Refused) > 0 ||
		!slices.Equal(came.Put, []string{"records/run-2/debian-12@vsphere.inventory.json", "runs/run-1.json"}) ||
		!slices.Equal(came.Repaired, []string{state.Generation(state.SnapshotFolder, 4)}) {
		t.Errorf("%+v, %v", came, err)
	}
	now, err := where(t).Read(t.Context())
	if err != nil || now.Serial != 3 {
		t.Errorf("repaired: serial %d, %v", now.Serial, err)
	}
	if data, err := where(t).Objects().Get(t.Context(), newest); err != nil || string(data) != "cut" {
		t.Errorf("what was there was written over: %q, %v", data, err)
	}
	came, err = transfer.Push(t.Context(), copied(t), where(t), quiet)
	if err != nil || len(came.Put)+len(came.Repaired) > 0 {
		t.Errorf("pushed again: %+v, %v", came, err)
	}
	statetest.Built(t, where(t), "run-9", "lab/debian-12@azure")

	exchange(t, copied(t), "runs/run-2.json", "damaged copy")
	came, err = transfer.Push(t.Context(), copied(t), where(t), quiet)
	if err != nil || !slices.Equal(came.Refused, []string{"runs/run-2.json"}) || len(came.Put) > 0 {
		t.Errorf("a damaged copy: %+v, %v", came, err)
	}
	other := inDirectory(t)
	fill(t, other(t), 1)
	_, err = transfer.Push(t.Context(), other(t), where(t), quiet)
	statetest.WantBlocked(t, err, "another state", "lineage")
}

func TestCopy(t *testing.T) {
	t.Parallel()
	s := inGit(t)(t)
	fill(t, s, 2)
	for _, of := range []struct {
		from, to string
		code     int
		says     string
	}{
		{"snapshot/00000001", "snapshot/00000003", 0, ""},
		{"snapshot/00000001", "snapshot/00000003", 3, "nothing is written over"},
		{"snapshot/00000009", "snapshot/00000010", 2, "there is no object"},
		{"snapshot/1", "snapshot/00000010", 2, "is no object of a state"},
		{"snapshot/00000001", "../../etc/passwd", 2, "is no object of a state"},
		{"snapshot/00000001", "runs/run-9.json", 2, "would be a record"},
		{"runs/run-1.json", "runs/run-9.json", 3, "would not be usable"},
	} {
		err := transfer.Copy(t.Context(), s, of.from, of.to)
		if hybridcore.ExitCode(err) != of.code || err != nil && !strings.Contains(err.Error(), of.says) {
			t.Errorf("%s to %s: %v", of.from, of.to, err)
		}
	}
	if s, err := s.Read(t.Context()); err != nil || s.Serial != 1 {
		t.Errorf("restored: %+v, %v", s, err)
	}
}

// TestFormer migrates a state of the format before objects, which stays as it is.
func TestFormer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "directory", "testdata", "former"))); err != nil {
		t.Fatal(err)
	}
	from, err := directory.View(dir)
	if err != nil {
		t.Fatal(err)
	}
	to := inGit(t)
	if _, err := transfer.Migrate(t.Context(), from, to(t), quiet); err != nil {
		t.Fatal(err)
	}
	if err := transfer.Verify(t.Context(), from, to(t), quiet); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "runs")); err == nil {
		t.Error("the source was upgraded")
	}
}
