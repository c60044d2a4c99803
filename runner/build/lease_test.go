// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:50:00Z
// Spec: openspec/specs/leases/spec.md#requirement-an-overtaken-run-changes-nothing
// Diagram: openspec/specs/leases/diagram.md#reap

package build

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

const leaseKey = "lab/debian-12@vsphere"

// stage is a stage on a state in the folder that it returns.
func stage(t *testing.T) (Stage, string) {
	t.Helper()
	dir := t.TempDir()
	store, err := directory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return Stage{Project: &project.Project{State: store, Log: slog.New(slog.DiscardHandler)}}, dir
}

// overtake puts the second lease of the target, of another run, into a state.
func overtake(t *testing.T, dir string) {
	t.Helper()
	other := t.TempDir()
	store, err := directory.Open(other)
	if err != nil {
		t.Fatal(err)
	}
	taker := hybridcore.Lease{Key: leaseKey, RunID: "20261103t000000-taker000", Owner: "ci@host-b"}
	var text []byte
	for range 2 { // a serial after this run's
		held, err := store.Acquire(t.Context(), taker)
		if err != nil {
			t.Fatal(err)
		}
		all, err := filepath.Glob(filepath.Join(other, filepath.FromSlash(state.LeaseFolder(leaseKey)), "*"))
		if err == nil {
			text, err = os.ReadFile(slices.Max(all))
		}
		if err := errors.Join(err, held.Release(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	in, err := directory.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Put(t.Context(), state.Generation(state.LeaseFolder(leaseKey), 2), text); err != nil {
		t.Fatal(err)
	}
}

func TestOvertakenBetweenRecordAndSnapshot(t *testing.T) {
	s, dir := stage(t)
	held, err := s.Project.State.Acquire(t.Context(), hybridcore.Lease{Key: leaseKey, RunID: "20261102t000000-sleeper0"})
	if err != nil {
		t.Fatal(err)
	}
	x := &run{stage: s, project: s.Project, held: map[string]*state.Held{"debian-12@vsphere": held}}
	rec := hybridcore.Record{
		Request: hybridcore.Request{Env: "lab"},
		Results: []hybridcore.Result{{Target: "debian-12@vsphere", Status: hybridcore.Built}},
	}
	var current hybridcore.Snapshot
	if err := x.apply(t.Context(), &current, rec); err != nil || len(current.Targets) != 1 {
		t.Errorf("while it is held: %+v, %v", current.Targets, err)
	}
	overtake(t, dir)
	current = hybridcore.Snapshot{}
	if err := x.apply(t.Context(), &current, rec); err == nil || len(current.Targets) != 0 {
		t.Errorf("overtaken: %+v, %v", current.Targets, err)
	}
}

func TestLeaseIsRenewed(t *testing.T) {
	s, _ := stage(t)
	s.Renewal = 5 * time.Millisecond
	held, err := s.Project.State.Acquire(t.Context(), hybridcore.Lease{Key: leaseKey, RunID: "20261102t000000-alive000"})
	if err != nil {
		t.Fatal(err)
	}
	expires := func() time.Time {
		all, err := s.Project.State.Leases(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		return all[0].Expires
	}
	first := expires()
	ctx, cancel := context.WithCancel(t.Context())
	p := s.beat(ctx)
	cancel() // a run that is cancelled is still at work
	p.hold(t.Context(), held)
	for giveUp := time.Now().Add(10 * time.Second); !expires().After(first) && time.Now().Before(giveUp); {
		time.Sleep(5 * time.Millisecond)
	}
	p.stop()
	last := expires()
	if !last.After(first) {
		t.Error("the lease was not renewed")
	}
	time.Sleep(20 * time.Millisecond)
	if !expires().Equal(last) {
		t.Error("it is renewed after the end")
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
