// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:39Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

func snapshot(t *testing.T, o opened) {
	ctx := t.Context()
	empty, err := o.Read(ctx)
	if err != nil || empty.Serial != 0 || empty.Lineage == "" || empty.Targets == nil || len(empty.Targets) != 0 {
		t.Fatalf("empty state: %+v, %v", empty, err)
	}
	for _, key := range []string{"lab/debian-12@vsphere", "prod/debian-12@azure"} {
		if err := o.Update(ctx, Put(key)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := o.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := hybridcore.Snapshot{
		FormatVersion: 1, Lineage: empty.Lineage, Serial: 2,
		Targets: map[string]hybridcore.Current{},
	}
	for _, key := range []string{"lab/debian-12@vsphere", "prod/debian-12@azure"} {
		if err := Put(key)(&want); err != nil {
			t.Fatal(err)
		}
		c := want.Targets[key]
		c.Versions = map[string]string{}
		want.Targets[key] = c
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("snapshot: want, got\n%+v\n%+v", want, got)
	}
}

func failedChange(t *testing.T, o opened) {
	ctx := t.Context()
	if err := o.Update(ctx, Put("lab/debian-12@vsphere")); err != nil {
		t.Fatal(err)
	}
	before, err := o.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the change's own error")
	err = o.Update(ctx, func(s *hybridcore.Snapshot) error {
		s.Targets["lab/other@vsphere"] = hybridcore.Current{}
		return cause
	})
	if !errors.Is(err, cause) {
		t.Errorf("error %v, want the change's", err)
	}
	for name, change := range map[string]func(*hybridcore.Snapshot) error{
		"serial":  func(s *hybridcore.Snapshot) error { s.Serial = 9; return nil },
		"version": func(s *hybridcore.Snapshot) error { s.FormatVersion = 2; return nil },
		"key":     Put("debian-12"),
	} {
		if err := o.Update(ctx, change); err == nil {
			t.Errorf("a change of the %s was accepted", name)
		}
	}
	after, err := o.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("a refused change was stored: before, after\n%+v\n%+v", before, after)
	}
}

func foreignLineage(t *testing.T, o opened) {
	ctx := t.Context()
	if err := o.Update(ctx, Put("lab/debian-12@vsphere")); err != nil {
		t.Fatal(err)
	}
	err := o.Update(ctx, func(s *hybridcore.Snapshot) error {
		s.Lineage = "00000000000000000000000000000000"
		return nil
	})
	WantBlocked(t, err, "lineage", "another state")
}

func parallel(t *testing.T, o opened) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := o.Update(t.Context(), Put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
				t.Error(err)
			}
			if err := o.Append(t.Context(), Record(fmt.Sprintf("run-%d", i)), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s, err := o.Read(t.Context())
	if err != nil || s.Serial != 8 || len(s.Targets) != 8 {
		t.Errorf("serial %d with %d targets, %v; want 8 of each", s.Serial, len(s.Targets), err)
	}
	if ids, err := o.Records(t.Context()); err != nil || len(ids) != 8 {
		t.Errorf("records %v, %v; want 8", ids, err)
	}
}

// generations checks that the newest snapshots are kept, and a number of them.
func generations(t *testing.T, o opened) {
	for i := range 9 {
		if err := o.Update(t.Context(), Put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"snapshot/00000006", "snapshot/00000007", "snapshot/00000008", "snapshot/00000009"}
	if got := names(t, o.b, state.SnapshotFolder); !reflect.DeepEqual(got, want) {
		t.Errorf("generations %v, want %v", got, want)
	}
}

// slow is a backend whose caller falls asleep before it puts something.
type slow struct {
	state.Backend
	asleep func()
}

func (s *slow) Put(ctx context.Context, name string, data []byte) error {
	if sleep := s.asleep; sleep != nil {
		s.asleep = nil
		sleep()
	}
	return s.Backend.Put(ctx, name, data)
}

// sleeper lets a writer fall asleep before it puts its snapshot, while others put
// so many that its number is free again: what it found out is found out anew.
func sleeper(t *testing.T, o opened) {
	for _, others := range []int{1, 3, 4, 5, 12, 40} {
		before, err := o.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := &slow{Backend: o.b}
		b.asleep = func() {
			other := o.again()
			for i := range others {
				if err := other.Update(t.Context(), Put(fmt.Sprintf("lab/o%d@vsphere", i))); err != nil {
					t.Error(err)
				}
			}
		}
		calls := 0
		key := fmt.Sprintf("lab/mine-%d@vsphere", others)
		err = state.New(b, o.can).Update(t.Context(), func(s *hybridcore.Snapshot) error {
			calls++
			return Put(key)(s)
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := o.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, there := s.Targets[key]; !there || calls != 2 || s.Serial != before.Serial+uint64(others)+1 {
			t.Errorf("%d others: %d calls, it is there: %t, serial %d after %d", others, calls, there, s.Serial, before.Serial)
		}
		if got := names(t, o.b, state.SnapshotFolder); len(got) > 4 {
			t.Errorf("%d others: left %v", others, got)
		}
	}
}
