// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:39Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#directory

package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Snapshots, Records, Attachments and Leases are what every backend does.
type (
	Snapshots interface {
		Read(context.Context) (hybridcore.Snapshot, error)
		Update(context.Context, func(*hybridcore.Snapshot) error) error
	}
	Records interface {
		Append(context.Context, hybridcore.Record, map[string][]byte) error
		Record(context.Context, string) (hybridcore.Record, error)
		Records(context.Context) ([]string, error)
	}
	Attachments interface {
		Attachment(context.Context, string) ([]byte, error)
	}
	// History is what runs leave.
	History interface {
		Records
		Attachments
	}
	Leases interface {
		Acquire(context.Context, hybridcore.Lease) (*Held, error)
		Leases(context.Context) ([]LeaseStatus, error)
	}
	Backend interface {
		Snapshots
		History
		Leases
	}
)

// Suite is what every backend must do. Open gives a backend without state.
func Suite(t *testing.T, open func() Backend) {
	t.Run("snapshot", func(t *testing.T) { suiteSnapshot(t, open()) })
	t.Run("failed change", func(t *testing.T) { suiteFailedChange(t, open()) })
	t.Run("foreign lineage", func(t *testing.T) { suiteLineage(t, open()) })
	t.Run("parallel updates", func(t *testing.T) { suiteParallel(t, open()) })
	t.Run("records", func(t *testing.T) { suiteRecords(t, open()) })
	t.Run("attachments", func(t *testing.T) { suiteAttachments(t, open()) })
	t.Run("leases", func(t *testing.T) { suiteLeases(t, open()) })
	t.Run("cancelled", func(t *testing.T) { suiteCancelled(t, open()) })
}

func TestDir(t *testing.T) {
	Suite(t, func() Backend { return openNew(t) })
}

func openNew(t *testing.T) *Dir { return open(t, t.TempDir()+"/a/b/state") }

func suiteSnapshot(t *testing.T, b Backend) {
	ctx := t.Context()
	empty, err := b.Read(ctx)
	if err != nil || empty.Serial != 0 || empty.Lineage == "" || empty.Targets == nil || len(empty.Targets) != 0 {
		t.Fatalf("empty state: %+v, %v", empty, err)
	}
	for _, key := range []string{"lab/debian-12@vsphere", "prod/debian-12@azure"} {
		if err := b.Update(ctx, put(key)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := hybridcore.Snapshot{FormatVersion: 1, Lineage: empty.Lineage, Serial: 2, Targets: map[string]hybridcore.Current{}}
	for _, key := range []string{"lab/debian-12@vsphere", "prod/debian-12@azure"} {
		if err := put(key)(&want); err != nil {
			t.Fatal(err)
		}
		c := want.Targets[key]
		c.Versions = map[string]string{}
		want.Targets[key] = c
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

func suiteFailedChange(t *testing.T, b Backend) {
	ctx := t.Context()
	if err := b.Update(ctx, put("lab/debian-12@vsphere")); err != nil {
		t.Fatal(err)
	}
	before, err := b.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the change's own error")
	err = b.Update(ctx, func(s *hybridcore.Snapshot) error {
		s.Targets["lab/other@vsphere"] = hybridcore.Current{}
		return cause
	})
	if !errors.Is(err, cause) {
		t.Errorf("error %v, want the change's", err)
	}
	for name, change := range map[string]func(*hybridcore.Snapshot) error{
		"serial":  func(s *hybridcore.Snapshot) error { s.Serial = 9; return nil },
		"version": func(s *hybridcore.Snapshot) error { s.FormatVersion = 2; return nil },
		"key":     put("debian-12"),
	} {
		if err := b.Update(ctx, change); err == nil {
			t.Errorf("a change of the %s was accepted", name)
		}
	}
	after, err := b.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a refused change was stored:\n%s", diff)
	}
}

func suiteLineage(t *testing.T, b Backend) {
	ctx := t.Context()
	if err := b.Update(ctx, put("lab/debian-12@vsphere")); err != nil {
		t.Fatal(err)
	}
	err := b.Update(ctx, func(s *hybridcore.Snapshot) error {
		s.Lineage = "00000000000000000000000000000000"
		return nil
	})
	wantBlocked(t, err, "lineage", "another state")
}

func suiteParallel(t *testing.T, b Backend) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := b.Update(t.Context(), put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
				t.Error(err)
			}
			if err := b.Append(t.Context(), record(fmt.Sprintf("run-%d", i)), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s, err := b.Read(t.Context())
	if err != nil || s.Serial != 8 || len(s.Targets) != 8 {
		t.Errorf("serial %d with %d targets, %v; want 8 of each", s.Serial, len(s.Targets), err)
	}
	if ids, err := b.Records(t.Context()); err != nil || len(ids) != 8 {
		t.Errorf("records %v, %v; want 8", ids, err)
	}
}

func suiteRecords(t *testing.T, b Backend) {
	ctx := t.Context()
	if ids, err := b.Records(ctx); err != nil || len(ids) != 0 {
		t.Fatalf("records of an empty state: %v, %v", ids, err)
	}
	_, err := b.Record(ctx, "run-0")
	if !errors.Is(err, fs.ErrNotExist) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("missing record: %v", err)
	}
	for _, id := range []string{"run-2", "run-1", "run-3"} {
		if err := b.Append(ctx, record(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := b.Records(ctx)
	if diff := cmp.Diff([]string{"run-1", "run-2", "run-3"}, ids); diff != "" || err != nil {
		t.Errorf("records %v: %s", err, diff)
	}
	got, err := b.Record(ctx, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	want := record("run-1")
	want.FormatVersion = 1
	want.Request.Images = []string{}
	want.Results[0].Failure.Tail[1] = "bad \ufffd byte"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	changed := record("run-1")
	changed.Status = hybridcore.Built
	if err := b.Append(ctx, changed, nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("second record of a run: %v", err)
	}
	if again, err := b.Record(ctx, "run-1"); err != nil || again.Status != hybridcore.Failed {
		t.Errorf("the record was changed: %s, %v", again.Status, err)
	}
	for _, id := range []string{"", "../x", "a/b", "Run", "a b"} {
		if err := b.Append(ctx, record(id), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("run %q: %v", id, err)
		}
		if _, err := b.Record(ctx, id); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("run %q: %v", id, err)
		}
	}
}

func suiteAttachments(t *testing.T, b Backend) {
	ctx := t.Context()
	if err := b.Append(ctx, record("run-1"), attachments()); err != nil {
		t.Fatal(err)
	}
	err := b.Append(ctx, record("run-1"), map[string][]byte{"steps.txt": []byte("changed")})
	if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("second record of a run: %v", err)
	}
	for name, want := range attachments() {
		got, err := b.Attachment(ctx, "records/run-1/"+name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	_, err = b.Attachment(ctx, "records/run-1/missing.json")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing attachment: %v", err)
	}
	for _, file := range []string{"", "/etc/passwd", "../x", "records/../../x", "records/run-1", "packer-hybrid.json", "records//x"} {
		if _, err := b.Attachment(ctx, file); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("attachment %q: %v", file, err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "-x", ".hidden", "A", "a\n"} {
		err := b.Append(ctx, record("run-2"), map[string][]byte{name: nil})
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("attachment name %q: %v", name, err)
		}
	}
}

func suiteLeases(t *testing.T, b Backend) {
	ctx := t.Context()
	if all, err := b.Leases(ctx); err != nil || len(all) != 0 {
		t.Fatalf("leases of an empty state: %v, %v", all, err)
	}
	held, err := b.Acquire(ctx, lease("run-1"))
	if err != nil || len(held.Past()) != 0 {
		t.Fatal(err)
	}
	if err := held.Update(ctx, "running"); err != nil {
		t.Fatal(err)
	}
	if err := held.Update(ctx, "sleeping"); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("unknown phase: %v", err)
	}
	_, err = b.Acquire(ctx, lease("run-2"))
	var heldError *HeldError
	if !errors.As(err, &heldError) || heldError.Lease.RunID != "run-1" || heldError.Lease.Phase != "running" {
		t.Fatalf("second lease: %v", err)
	}
	wantBlocked(t, err, "lab/debian-12@vsphere", "run-1", heldError.Lease.Owner, "kill -TERM")
	all, err := b.Leases(ctx)
	if err != nil || len(all) != 1 || !all[0].Live || all[0].RunID != "run-1" {
		t.Errorf("leases %+v, %v", all, err)
	}
	for range 2 {
		if err := held.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := held.Update(ctx, "running"); err == nil {
		t.Error("a released lease was updated")
	}
	if all, err := b.Leases(ctx); err != nil || len(all) != 0 {
		t.Errorf("leases after release %+v, %v", all, err)
	}
	again, err := b.Acquire(ctx, lease("run-3"))
	if err != nil || len(again.Past()) != 0 {
		t.Fatalf("after release: %v", err)
	}
	if err := again.Release(ctx); err != nil {
		t.Error(err)
	}
	if _, err := b.Acquire(ctx, hybridcore.Lease{Key: "../x", RunID: "run-1"}); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("hostile key: %v", err)
	}
}

func suiteCancelled(t *testing.T, b Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Update(ctx, put("lab/debian-12@vsphere")); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if err := b.Append(ctx, record("run-1"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if _, err := b.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if _, err := b.Acquire(ctx, lease("run-1")); !errors.Is(err, context.Canceled) {
		t.Errorf("acquire: %v", err)
	}
}
