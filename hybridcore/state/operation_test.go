// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:43:08Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// operation is something that a helper process does to a state directory, and
// what must hold whether it was done or not.
type operation struct {
	mode    string
	prepare func(t *testing.T, d *Dir)
	// done says whether the operation was done; it fails the test when the
	// state is anything else than as before or as after.
	done func(t *testing.T, d *Dir) bool
	// again is the operation; it must succeed when it was not done.
	again func(t *testing.T, d *Dir) error
}

func operations() []operation {
	return []operation{
		{mode: "update", prepare: prepareUpdate, done: updateDone, again: func(t *testing.T, d *Dir) error {
			t.Helper()
			return d.Update(t.Context(), put("lab/new@vsphere"))
		}},
		{mode: "append", prepare: prepareAppend, done: appendDone(attachments()), again: func(t *testing.T, d *Dir) error {
			t.Helper()
			return d.Append(t.Context(), record("run-new"), attachments())
		}},
		{mode: "append-bare", prepare: func(*testing.T, *Dir) {}, done: appendDone(nil), again: func(t *testing.T, d *Dir) error {
			t.Helper()
			return d.Append(t.Context(), record("run-new"), nil)
		}},
		{mode: "acquire", prepare: prepareAcquire, done: acquireDone, again: func(t *testing.T, d *Dir) error {
			t.Helper()
			_, err := d.Acquire(t.Context(), lease("run-again"))
			return err
		}},
		{mode: "release", prepare: prepareAcquire, done: releaseDone, again: func(t *testing.T, d *Dir) error {
			t.Helper()
			held, err := d.Acquire(t.Context(), lease("run-again"))
			if err != nil {
				return err
			}
			if held.mine.serial < 2 {
				t.Errorf("serial %d: it began anew", held.mine.serial)
			}
			return held.Release(t.Context())
		}},
	}
}

func prepareUpdate(t *testing.T, d *Dir) {
	t.Helper()
	for i := range 4 {
		if err := d.Update(t.Context(), put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
}

func updateDone(t *testing.T, d *Dir) bool {
	t.Helper()
	s, err := d.Read(t.Context())
	if err != nil {
		t.Error(err)
		return false
	}
	_, there := s.Targets["lab/new@vsphere"]
	if (s.Serial > 4) != there || s.Serial < 4 || s.Serial > 6 {
		t.Errorf("serial %d, the new entry is there: %t", s.Serial, there)
	}
	for g := 1; g <= generations; g++ {
		text, err := os.ReadFile(filepath.Join(d.path, generation(g)))
		if err != nil {
			continue // a kill may cost a generation
		}
		if _, err := decodeSnapshot(text); err != nil {
			t.Errorf("generation %d: %v", g, err)
		}
	}
	return there
}

// prepareAppend leaves a log with the torn line of a killed writer.
func prepareAppend(t *testing.T, d *Dir) {
	t.Helper()
	for i := range 3 {
		if err := d.Append(t.Context(), record(fmt.Sprintf("run-%d", i)), attachments()); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(filepath.Join(d.path, logName), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(linePrefix + `run-torn","sha256":"`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func appendDone(files map[string][]byte) func(*testing.T, *Dir) bool {
	return func(t *testing.T, d *Dir) bool {
		t.Helper()
		ids, err := d.Records(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, id := range ids {
			if _, err := d.Record(t.Context(), id); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
		if files != nil && (len(ids) < 3 || ids[0] != "run-0" || ids[2] != "run-2") {
			t.Errorf("records %v: the former ones are not all there", ids)
		}
		done := slices.Contains(ids, "run-new")
		for name, want := range files {
			got, err := d.Attachment(t.Context(), "records/run-new/"+name)
			if done && (err != nil || !bytes.Equal(got, want)) {
				t.Errorf("the record is there, its attachment %s is %q, %v", name, got, err)
			}
		}
		return done
	}
}

// prepareAcquire leaves the lease of a dead holder, which must not get lost.
func prepareAcquire(t *testing.T, d *Dir) {
	t.Helper()
	held, err := d.Acquire(t.Context(), lease("run-dead"))
	if err != nil {
		t.Fatal(err)
	}
	if err := held.lock.Unlock(); err != nil {
		t.Fatal(err)
	}
}

func acquireDone(t *testing.T, d *Dir) bool {
	t.Helper()
	all, err := d.Leases(t.Context())
	if err != nil {
		t.Error(err)
	}
	if len(all) != 1 || all[0].Live {
		t.Errorf("leases %+v", all)
		return false
	}
	past := runs(all[0].Ended())
	if past != "run-dead" && past != "run-dead run-new" {
		t.Errorf("past %q: the dead run is lost", past)
	}
	return past == "run-dead run-new"
}

// releaseDone checks that the dead run is known all the time.
func releaseDone(t *testing.T, d *Dir) bool {
	t.Helper()
	all, err := d.Leases(t.Context())
	if err != nil || len(all) != 1 || all[0].Live || all[0].RunID != "run-new" {
		t.Errorf("leases %+v, %v", all, err)
		return false
	}
	past := runs(all[0].Ended())
	if past != "run-dead" && past != "run-dead run-new" {
		t.Errorf("past %q: the dead run is lost", past)
	}
	return past == "run-dead"
}

// lease says that the operation is one of a lease, whose temporary file only
// the next holder removes, and which the next holder changes again.
func (op operation) lease() bool { return op.mode == "acquire" || op.mode == "release" }
