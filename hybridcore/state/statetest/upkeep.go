// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:18:14Z
// Spec: openspec/specs/state/spec.md#requirement-a-look-at-every-object
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/checkup"
)

// built is the record of a run that built a target, with its inventory.
func built(run string) (rec hybridcore.Record, files map[string][]byte) {
	const name = "debian-12@vsphere.inventory.json"
	data := []byte(`{"of":"` + run + `"}`)
	sum := sha256.Sum256(data)
	rec = Record(run)
	rec.Status, rec.Results[0].Status, rec.Results[0].Failure = hybridcore.Built, hybridcore.Built, nil
	rec.Results[0].Inventory = &hybridcore.Inventory{
		File: "records/" + run + "/" + name, SHA256: hex.EncodeToString(sum[:]), Packages: 1,
	}
	return rec, map[string][]byte{name: data}
}

// Built records a run that built a target, with its inventory, as builds do.
func Built(t *testing.T, s *state.Store, run, key string) {
	t.Helper()
	rec, files := built(run)
	if err := s.Append(t.Context(), rec, files); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(s *hybridcore.Snapshot) error {
		s.Targets[key] = hybridcore.Current{
			RunID: run, At: At(), Digest: "d1", Recipe: "r1", Inventory: rec.Results[0].Inventory,
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newer leaves what a newer packer-hybrid wrote as it is.
func newer(t *testing.T, o opened) {
	Built(t, o.Store, "run-1", "lab/debian-12@vsphere")
	put(t, o.b, "snapshot/00000007", `{"format_version": 2, "anything": true}`)
	again := o.again()
	_, err := again.Read(t.Context())
	WantBlocked(t, err, "newer packer-hybrid", "update packer-hybrid")
	WantBlocked(t, again.Update(t.Context(), Put("lab/debian-12@azure")), "newer packer-hybrid")
	if got := names(t, o.b, "snapshot/"); !slices.Equal(got, []string{"snapshot/00000001", "snapshot/00000007"}) {
		t.Errorf("after an update: %v", got)
	}
}

// checked finds what is wrong with a state, and nothing where nothing is.
func checked(t *testing.T, o opened) {
	for _, run := range []string{"run-1", "run-2"} {
		Built(t, o.Store, run, "lab/debian-12@vsphere")
	}
	held, err := o.Acquire(t.Context(), Lease("run-3"))
	if err == nil {
		err = errors.Join(held.Release(t.Context()), o.UseTicket(t.Context(), "request-1", "job 1", At().AddDate(90, 0, 0)))
	}
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	found, err := checkup.Check(t.Context(), o.again(), func(done, all int) { told = all - done })
	if err != nil || len(found.Findings) > 0 || told != 0 || found.Objects[state.KindRecord] != 2 ||
		found.Objects[state.KindLease] != 2 || found.Objects[state.KindTicket] != 1 {
		t.Fatalf("nothing is wrong: %+v, %v", found, err)
	}
	attached := "records/run-1/debian-12@vsphere.inventory.json"
	for _, name := range []string{attached, "runs/run-2.json"} {
		if err := o.b.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	put(t, o.b, attached, "another one")
	put(t, o.b, "records/run-9/steps.txt", "")
	put(t, o.b, "runs/run-4.json", `{"run_id":"run-4"}`)
	put(t, o.b, "leases/lab+debian-12@azure/00000001", "<<<<<<< ours")
	put(t, o.b, "leases/nobody/00000001", "{}")
	put(t, o.b, "notes/of-mine", "")
	found, err = checkup.Check(t.Context(), o.again(), func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found.Findings {
		got = append(got, f.Rule+" "+f.Subject)
		if f.Blocking == (f.Rule == checkup.RuleUnreferenced) || !strings.HasPrefix(f.Message, f.Subject+": ") {
			t.Errorf("%+v", f)
		}
	}
	slices.Sort(got)
	want := []string{
		"state-changed " + attached, "state-damaged leases/lab+debian-12@azure/00000001", "state-damaged runs/run-4.json",
		"state-missing runs/run-2.json", "state-unknown leases/nobody/00000001", "state-unknown notes/of-mine",
		"state-unreferenced records/run-2/debian-12@vsphere.inventory.json", "state-unreferenced records/run-9/steps.txt",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q\nwant %q", got, want)
	}
}

// freed releases a lease by hand: of a holder that is known to live never, of one that
// may live by force only; it learns of that.
func freed(t *testing.T, o opened) {
	const key = "lab/debian-12@vsphere"
	by := hybridcore.Freed{By: "ann@desk", At: At(), Reason: "host ci-3 is gone", RunID: "run-free"}
	if _, err := o.Free(t.Context(), key, by, true); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("nobody holds it: %v", err)
	}
	var shown state.Hold
	knows := o.can.Liveness != nil
	if knows {
		o.can.Liveness = &caught{o.can.Liveness, &shown}
	}
	holder := o.again()
	held, err := holder.Acquire(t.Context(), Lease("run-1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Free(t.Context(), key, by, false)
	WantBlocked(t, err, "run-1")
	if knows {
		if _, err = o.Free(t.Context(), key, by, true); err == nil {
			t.Fatal("a holder that is known to live lost its lease")
		}
		if err := shown.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	was, err := o.Free(t.Context(), key, by, true)
	if err != nil || was.RunID != "run-1" || was.Freed != nil {
		t.Fatalf("%+v, %v", was, err)
	}
	learns(t, o, held)
}

// learns is what the former holder of a lease and others see of its release.
func learns(t *testing.T, o opened, held *state.Held) {
	_, lost := errors.AsType[*state.LostError](held.Renew(t.Context()))
	if err := held.Check(t.Context()); !lost || !strings.Contains(err.Error(), "by ann@desk") ||
		!strings.Contains(err.Error(), "host ci-3 is gone") {
		t.Errorf("the holder learns: %v", err)
	}
	all, err := o.Leases(t.Context())
	if err != nil || len(all) != 1 || all[0].Live || len(all[0].Ended()) != 1 || all[0].Ended()[0].RunID != "run-1" ||
		all[0].Ended()[0].Freed == nil || all[0].Ended()[0].Freed.By != "ann@desk" {
		t.Errorf("leases %+v, %v", all, err)
	}
	next, err := o.Acquire(t.Context(), Lease("run-2"))
	if err != nil || len(next.Past()) != 1 || next.Past()[0].RunID != "run-1" {
		t.Fatalf("the next run: %v", err)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
