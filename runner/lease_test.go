// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:03:00Z
// Spec: openspec/specs/leases/spec.md#requirement-an-overtaken-run-changes-nothing
// Diagram: openspec/specs/leases/diagram.md#fencing

package runner

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

const leaseKey = "lab/debian-12@vsphere"

// newestLease is the file of the newest lease in a state, and its text.
func newestLease(t *testing.T, dir string) (file, text string) {
	t.Helper()
	for range 100 { // a renewal may remove it meanwhile
		all, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(state.LeaseFolder(leaseKey)), "*"))
		if err != nil || len(all) == 0 {
			t.Fatalf("%v, %v", all, err)
		}
		file = slices.Max(all)
		data, err := os.ReadFile(file)
		if err == nil {
			return file, string(data)
		}
	}
	t.Fatal("the lease is removed again and again")
	return "", ""
}

// overtake puts the lease of another run in place, as another host does that
// does not see this one's lock on the target. It returns its text.
func (s *sandbox) overtake(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	other, err := directory.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	taker := hybridcore.Lease{Key: leaseKey, RunID: "20261103t000000-taker000", Owner: "ci@host-b"}
	for range 2 { // a serial after this run's
		held, err := other.Acquire(t.Context(), taker)
		if err == nil {
			err = held.Release(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	held, err := other.Acquire(t.Context(), taker)
	if err != nil {
		t.Fatal(err)
	}
	_, text := newestLease(t, dir)
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	in, err := directory.New(filepath.Join(s.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	for err = fs.ErrExist; errors.Is(err, fs.ErrExist); { // as Acquire does, until no renewal is faster
		file, _ := newestLease(t, filepath.Join(s.dir, "state"))
		n, notNumber := strconv.ParseUint(filepath.Base(file), 10, 64)
		if notNumber != nil {
			t.Fatal(notNumber)
		}
		err = in.Put(t.Context(), state.Generation(state.LeaseFolder(leaseKey), n+1), []byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// failure is why the only target of a record failed.
func failure(rec hybridcore.Record) string {
	if f := rec.Results[0].Failure; f != nil {
		return f.Message
	}
	return ""
}

// isTakers checks that the taker's lease is untouched and that nothing became
// current.
func (s *sandbox) isTakers(t *testing.T, want string) {
	t.Helper()
	if _, got := newestLease(t, filepath.Join(s.dir, "state")); got != want {
		t.Errorf("the other run's lease was changed:\n%s", got)
	}
	if snapshot, err := s.State.Read(t.Context()); err != nil || len(snapshot.Targets) != 0 {
		t.Errorf("current: %+v, %v", snapshot.Targets, err)
	}
}

func TestOvertakenWhilePackerRuns(t *testing.T) {
	s := newSandbox(t)
	s.renewal = 20 * time.Millisecond
	s.set(t, "debian-12", "script", `"echo started; sleep 60"`)
	taken := make(chan string, 1)
	go func() {
		defer close(taken) // also when the test fails here
		for !strings.Contains(s.events.text(), "started") {
			time.Sleep(20 * time.Millisecond)
		}
		taken <- s.overtake(t)
	}()
	req := s.request(hybridcore.ActionBuild, "debian-12")
	left := platform{machines: map[string]bool{req.ID: true}}
	s.connect(left)
	begun := time.Now()
	rec := s.build(t.Context(), t, req)
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %s to notice", took)
	}
	message := failure(rec)
	if rec.Status != hybridcore.Failed || !strings.Contains(message, "run 20261103t000000-taker000 of ci@host-b") ||
		!strings.Contains(message, "build it again") {
		t.Errorf("%s: %s", rec.Status, message)
	}
	if len(left.machines) != 0 {
		t.Error("what the overtaken run made is still there")
	}
	s.isTakers(t, <-taken)
}

func TestOvertakenAfterTheBuild(t *testing.T) {
	s := newSandbox(t)
	var taken string
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { // to verify
		taken = s.overtake(t)
		return platform{}, nil
	}
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	message := failure(rec)
	if rec.Status != hybridcore.Failed || !strings.Contains(message, "20261103t000000-taker000") ||
		!strings.Contains(message, "these artifacts exist without a record: ") {
		t.Errorf("%s: %s", rec.Status, message)
	}
	stored, err := s.State.Record(t.Context(), rec.RunID)
	if err != nil || stored.Status != hybridcore.Failed {
		t.Errorf("stored %s, %v", stored.Status, err)
	}
	s.isTakers(t, taken)
}

func TestLateArrival(t *testing.T) {
	s := newSandbox(t)
	dead := deadLease()
	abandon(t, s.dir, dead)
	there := platform{lacks: []string{"debian"}, machines: map[string]bool{}}
	s.connect(there)
	look := func() hybridcore.Reaped {
		t.Helper()
		all, err := s.Reap(t.Context(), hybridcore.Request{})
		if err != nil || len(all) != 1 || all[0].Error != "" || all[0].Lease.RunID != dead.RunID {
			t.Fatalf("%+v, %v", all, err)
		}
		return all[0]
	}
	first := look()
	if len(first.Removed) != 0 || time.Until(first.LookAgain) > hybridcore.LateWindow ||
		time.Until(first.LookAgain) < hybridcore.LateWindow/2 {
		t.Errorf("first look: %+v", first)
	}
	if again := look(); !again.LookAgain.Equal(first.LookAgain) {
		t.Errorf("too early: look again at %s, want %s", again.LookAgain, first.LookAgain)
	}
	there.machines[dead.RunID] = true // the clone appears
	if late := look(); len(late.Removed) != 1 || !late.LookAgain.After(first.LookAgain) {
		t.Errorf("late arrival: %+v", late)
	}
	there.machines[dead.RunID] = true // another one, and a build finds it
	s.connect(platform{machines: there.machines})
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if notes := strings.Join(rec.Results[0].Notes, "\n"); rec.Status != hybridcore.Built || len(there.machines) != 0 ||
		!strings.Contains(notes, "left behind: vm ") {
		t.Errorf("%s, notes %q", rec.Status, notes)
	}
	s.nothingLeft(t, dead.RunID)

	// While a run holds the target its platform is left alone.
	held, err := s.State.Acquire(t.Context(), hybridcore.Lease{Key: leaseKey, RunID: "20261102t000000-alive000"})
	if err != nil {
		t.Fatal(err)
	}
	there.machines[dead.RunID] = true
	if one := look(); len(one.Removed) != 0 || one.LookAgain.IsZero() {
		t.Errorf("held: %+v", one)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
