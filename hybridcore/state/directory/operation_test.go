// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:43:08Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// operation is something that a helper process does to a state directory, and
// what must hold whether it was done or not.
type operation struct {
	mode    string
	prepare func(t *testing.T, d *opened)
	// done says whether the operation was done; it fails the test when the
	// state is anything else than as before or as after.
	done func(t *testing.T, d *opened) bool
	// again is the operation; it must succeed when it was not done.
	again func(t *testing.T, d *opened) error
}

func operations() []operation {
	return []operation{
		{mode: "update", prepare: prepareUpdate, done: updateDone, again: func(t *testing.T, d *opened) error {
			t.Helper()
			return d.Update(t.Context(), statetest.Put("lab/new@vsphere"))
		}},
		{
			mode: "append", prepare: prepareAppend, done: appendDone(statetest.Attachments()),
			again: func(t *testing.T, d *opened) error {
				t.Helper()
				return d.Append(t.Context(), statetest.Record("run-new"), statetest.Attachments())
			},
		},
		{
			mode: "append-bare", prepare: func(*testing.T, *opened) {}, done: appendDone(nil),
			again: func(t *testing.T, d *opened) error {
				t.Helper()
				return d.Append(t.Context(), statetest.Record("run-new"), nil)
			},
		},
		{mode: "acquire", prepare: prepareAcquire, done: acquireDone, again: func(t *testing.T, d *opened) error {
			t.Helper()
			_, err := d.Acquire(t.Context(), statetest.Lease("run-again"))
			return err
		}},
		{mode: "upgrade", prepare: prepareUpgrade, done: upgradeDone, again: func(t *testing.T, d *opened) error {
			t.Helper()
			_, err := Open(d.path)
			return err
		}},
		{mode: "release", prepare: prepareAcquire, done: releaseDone, again: func(t *testing.T, d *opened) error {
			t.Helper()
			held, err := d.Acquire(t.Context(), statetest.Lease("run-again"))
			if err != nil {
				return err
			}
			if serial := leaseSerial(t, d); serial < 3 {
				t.Errorf("serial %d: it began anew", serial)
			}
			return held.Release(t.Context())
		}},
	}
}

func prepareUpdate(t *testing.T, d *opened) {
	t.Helper()
	for i := range 4 {
		if err := d.Update(t.Context(), statetest.Put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
}

func updateDone(t *testing.T, d *opened) bool {
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
	left, err := filepath.Glob(filepath.Join(d.path, "snapshot", "*"))
	if err != nil || len(left) < 4 || len(left) > 6 {
		t.Errorf("generations %v, %v", left, err)
	}
	return there
}

// prepareAppend leaves three records, and an attachment of the fourth run, whose
// process was killed before it had recorded the run.
func prepareAppend(t *testing.T, d *opened) {
	t.Helper()
	for i := range 3 {
		if err := d.Append(t.Context(), statetest.Record(fmt.Sprintf("run-%d", i)), statetest.Attachments()); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(d.path, "records", "run-new")
	if err := errors.Join(os.Mkdir(left, 0o700),
		os.WriteFile(filepath.Join(left, "steps.txt"), []byte("left"), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func appendDone(files map[string][]byte) func(*testing.T, *opened) bool {
	return func(t *testing.T, d *opened) bool {
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
func prepareAcquire(t *testing.T, d *opened) {
	t.Helper()
	die(t, d.path)
}

// leaseSerial is the serial of the newest lease.
func leaseSerial(t *testing.T, d *opened) uint64 {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(d.path, "leases", "*", "*"))
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	text, err := os.ReadFile(slices.Max(all))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Lease hybridcore.Lease }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Lease.Serial
}

func runs(leases []hybridcore.Lease) string {
	var ids []string
	for _, l := range leases {
		ids = append(ids, l.RunID)
	}
	return strings.Join(ids, " ")
}

func acquireDone(t *testing.T, d *opened) bool {
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
func releaseDone(t *testing.T, d *opened) bool {
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
