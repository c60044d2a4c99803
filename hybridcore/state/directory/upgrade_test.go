// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:30:14Z
// Spec: openspec/specs/state/spec.md#requirement-the-former-format
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// former copies a state that commit af05a17 has written: five updates, records
// with and without attachments, a dead run's lease, a released one, a ticket.
func formerState(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "former"))); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, formerLeases, safefile.TempPrefix+"lab+debian-12@vsphere")
	for _, name := range []string{filepath.Join(dir, formerIndex), left} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func prepareUpgrade(t *testing.T, d *opened) {
	t.Helper()
	if err := os.RemoveAll(d.path); err != nil {
		t.Fatal(err)
	}
	formerState(t, d.path)
	// Less of it takes as many ways.
	file := filepath.Join(d.path, formerRecords)
	text, err := os.ReadFile(file)
	if err == nil {
		lines := bytes.SplitAfter(text, []byte("\n"))
		err = os.WriteFile(file, bytes.Join(lines[:2], nil), 0o600)
	}
	err = errors.Join(err, os.Remove(filepath.Join(d.path, formerSnapshot+".3")),
		os.Remove(filepath.Join(d.path, formerSnapshot+".2")),
		os.Remove(filepath.Join(d.path, leaseFile("lab/debian-13@vsphere"))))
	if err != nil {
		t.Fatal(err)
	}
}

// upgradeDone checks all that the former state held, in whatever format it is.
func upgradeDone(t *testing.T, d *opened) bool {
	t.Helper()
	before, err := view(d.path)
	if err != nil {
		t.Fatal(err)
	}
	former, err := before.isFormer()
	if err != nil {
		t.Fatal(err)
	}
	s, err := View(d.path)
	if err != nil {
		t.Fatal(err)
	}
	holdsAll(t, s, "run-0", "run-1")
	return !former
}

func holdsAll(t *testing.T, s *state.Store, records ...string) {
	t.Helper()
	snapshot, err := s.Read(t.Context())
	if err != nil || snapshot.Serial != 5 || len(snapshot.Targets) != 5 {
		t.Errorf("serial %d, %d targets, %v", snapshot.Serial, len(snapshot.Targets), err)
	}
	ids, err := s.Records(t.Context())
	if diff := cmp.Diff(records, ids); diff != "" || err != nil {
		t.Errorf("records: %v\n%s", err, diff)
	}
	for _, id := range ids {
		rec, err := s.Record(t.Context(), id)
		if err != nil || rec.PlanDigest != "p1" {
			t.Errorf("%s: %v", id, err)
		}
	}
	for name, want := range statetest.Attachments() {
		if got, err := s.Attachment(t.Context(), "records/run-1/"+name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	all, err := s.Leases(t.Context())
	if err != nil || len(all) != 1 || all[0].Live || runs(all[0].Ended()) != "run-dead" || all[0].Serial != 1 {
		t.Errorf("leases %+v, %v", all, err)
	}
}

// tree is every file below a directory with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, at) // both come from the walk
		text, err := os.ReadFile(at)
		all[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	formerState(t, dir)
	before := tree(t, dir)
	was, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	holdsAll(t, was, "run-0", "run-1", "run-2", "run-3")
	statetest.WantBlocked(t, was.Update(t.Context(), statetest.Put("lab/x@vsphere")), "opened to read it only")
	_, err = was.Acquire(t.Context(), statetest.Lease("run-x"))
	statetest.WantBlocked(t, err, "opened to read it only")
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Fatalf("looking at it changed it:\n%s", diff)
	}

	var told []string
	s, err := Open(dir, func(backup string) { told = append(told, backup) })
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(dir, BackupFolder)
	if diff := cmp.Diff([]string{backup}, told); diff != "" {
		t.Errorf("told: %s", diff)
	}
	holdsAll(t, s, "run-0", "run-1", "run-2", "run-3")
	kept := tree(t, backup)
	for name, text := range before {
		inPlace := strings.HasPrefix(name, "records/") || strings.HasPrefix(name, "tickets/")
		derived := name == formerIndex || strings.HasSuffix(name, formerLock) || strings.Contains(name, safefile.TempPrefix)
		if !inPlace && !derived && kept[name] != text {
			t.Errorf("%s is not in the backup", name)
		}
	}
	after := tree(t, dir)
	if _, err := Open(dir, func(string) { t.Error("upgraded twice") }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, tree(t, dir)); diff != "" {
		t.Errorf("changed by the next open:\n%s", diff)
	}
	held, err := s.Acquire(t.Context(), statetest.Lease("run-new"))
	if err != nil || runs(held.Past()) != "run-dead" {
		t.Fatalf("past %v, %v", runs(held.Past()), err)
	}
	err = errors.Join(s.Update(t.Context(), statetest.Put("lab/new@vsphere")),
		s.Append(t.Context(), statetest.Record("run-4"), nil))
	if err != nil {
		t.Error(err)
	}
	if snapshot, err := s.Read(t.Context()); err != nil || snapshot.Serial < 6 || len(snapshot.Targets) != 6 {
		t.Errorf("serial %d, %v", snapshot.Serial, err)
	}
	statetest.WantBlocked(t, s.UseTicket(t.Context(), "r1", "github 2", statetest.At()), "used by another run, github 1")
	if err := s.Append(t.Context(), statetest.Record("run-1"), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("a second record of a run: %v", err)
	}
}

// What an older packer-hybrid reads in an upgraded state says that a newer one
// wrote it.
func TestUpgradedStateForAnOlderVersion(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	formerState(t, dir)
	open(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, formerSnapshot))
	if err != nil || !strings.Contains(string(text), `"format_version": 2`) {
		t.Errorf("%s, %v", text, err)
	}
}

// A state that cannot be trusted is refused as it is, with the way back in its own
// format, and is not upgraded.
func TestFormerStateIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(dir string) error
		says  []string
	}{
		"flipped": {func(dir string) error {
			return edit(filepath.Join(dir, formerSnapshot), `"digest": "d1"`, `"digest": "e1"`)
		}, []string{"packer-hybrid.json cannot be used", "changed after it was written", "serial 4, 4 targets", "cp "}},
		"missing": {func(dir string) error {
			return os.Remove(filepath.Join(dir, formerSnapshot))
		}, []string{"it is missing", "serial 4, 4 targets"}},
		"empty": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, formerSnapshot), 0)
		}, []string{"it is empty"}},
		"newer": {func(dir string) error {
			return edit(filepath.Join(dir, formerSnapshot), `"format_version": 1`, `"format_version": 9`)
		}, []string{"written by a newer packer-hybrid"}},
		"lease": {func(dir string) error {
			return edit(filepath.Join(dir, leaseFile("lab/debian-12@vsphere")), "run-dead", "run-deaf")
		}, []string{"lab+debian-12@vsphere.json cannot be used", "changed after", "look on the platform"}},
		"link": {func(dir string) error {
			file := filepath.Join(dir, formerSnapshot)
			return errors.Join(os.Rename(file, file+".4"), os.Symlink(file+".4", file))
		}, []string{"not a regular file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "state")
			formerState(t, dir)
			if err := tc.spoil(dir); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			_, err := Open(dir)
			statetest.WantBlocked(t, err, tc.says...)
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("it was changed:\n%s", diff)
			}
			if name != "flipped" {
				return
			}
			_, command, _ := strings.Cut(err.Error(), "\n    ")
			if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", command, err, out)
			}
			if s, err := open(t, dir).Read(t.Context()); err != nil || s.Serial != 4 {
				t.Errorf("after %s: serial %d, %v", command, s.Serial, err)
			}
		})
	}
}

func edit(file, from, to string) error {
	text, err := os.ReadFile(file)
	if err == nil && !bytes.Contains(text, []byte(from)) {
		err = errors.New("nothing to edit in " + file)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, bytes.Replace(text, []byte(from), []byte(to), 1), 0o600)
}

// Damaged records stay damaged, and the others can be read.
func TestUpgradeKeepsDamagedRecords(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	formerState(t, dir)
	file := filepath.Join(dir, formerRecords)
	err := errors.Join(edit(file, `{"run_id":"run-0"`, `{"ruN_id":"run-0"`),
		edit(file, `{"run_id":"run-3"`, `{"run_id":"run-1"`))
	if err == nil {
		text, readErr := os.ReadFile(file)
		err = errors.Join(readErr, os.WriteFile(file, append(text, linePrefix+`run-torn","sha`...), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	check := func(s *state.Store) {
		t.Helper()
		ids, err := s.Records(t.Context())
		if diff := cmp.Diff([]string{"damaged-line-1", "damaged-line-4", "run-1", "run-2"}, ids); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		for _, id := range ids {
			_, err := s.Record(t.Context(), id)
			if bad := strings.HasPrefix(id, "damaged"); bad != (hybridcore.ExitCode(err) == hybridcore.ExitBlocked) {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	was, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	check(was)
	check(open(t, dir).Store)
}

// While a run of the older version is at work its state is not upgraded under it.
func TestNoUpgradeUnderARun(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	formerState(t, dir)
	lock, err := os.Open(filepath.Join(dir, leaseLock("lab/debian-12@vsphere")))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	_, err = Open(dir)
	statetest.WantBlocked(t, err, "a run of that one is at work", "run-dead", "its process holds the lock")
	if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
		t.Errorf("it was changed:\n%s", diff)
	}
	was, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := was.Leases(t.Context()); err != nil || len(all) != 1 || !all[0].Live {
		t.Errorf("leases %+v, %v", all, err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, open(t, dir).Store, "run-0", "run-1", "run-2", "run-3")
}

// An upgrade that is done again, because the former files came back, loses nothing.
func TestUpgradeAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	formerState(t, dir)
	s := open(t, dir)
	err := errors.Join(s.Append(t.Context(), statetest.Record("run-4"), nil),
		s.Update(t.Context(), statetest.Put("lab/new@vsphere")))
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, "again"), os.DirFS(filepath.Join(dir, BackupFolder)))
	}
	if err == nil {
		err = os.Rename(filepath.Join(dir, "again", formerSnapshot), filepath.Join(dir, formerSnapshot))
	}
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if snapshot, err := s.Read(t.Context()); err != nil || snapshot.Serial != 5 {
		t.Errorf("serial %d, %v: the former state was put back", snapshot.Serial, err)
	}
	if ids, err := s.Records(t.Context()); err != nil || len(ids) != 5 {
		t.Errorf("records %v, %v", ids, err)
	}
}

// What is in the way of an upgrade is named, with what to do, and leaves the former
// files as they were.
func TestUpgradeIsRefused(t *testing.T) {
	t.Parallel()
	file := func(name string) func(string) error {
		return func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, name)),
				os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
		}
	}
	folder := func(name string) func(string) error {
		return func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, name)), os.MkdirAll(filepath.Join(dir, name, "x"), 0o700))
		}
	}
	huge := func(dir string) error { return os.Truncate(filepath.Join(dir, formerRecords), maxRecords+1) }
	link := func(name string) func(string) error {
		return func(dir string) error {
			at := filepath.Join(dir, name)
			return errors.Join(os.RemoveAll(at), os.Symlink(filepath.Join(dir, "tickets"), at))
		}
	}
	for name, spoil := range map[string]func(dir string) error{
		"runs is a file": file("runs"), "snapshot is a file": file("snapshot"), "backup is a file": file(BackupFolder),
		"leases is a file": file("leases"),
		"runs is a link":   link("runs"), "snapshot is a link": link("snapshot"), "backup is a link": link(BackupFolder),
		"leases is a link":           link("leases"),
		"a lease's folder is a file": file("leases/lab+debian-12@vsphere"),
		"records.jsonl is a folder":  folder(formerRecords), "huge": huge,
		"packer-hybrid.json is a folder": folder(formerSnapshot), "records.jsonl is a link": link(formerRecords),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "state")
			formerState(t, dir)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			snapshot, _ := os.ReadFile(filepath.Join(dir, formerSnapshot)) // a folder has none
			_, err := Open(dir)
			statetest.WantBlocked(t, err, "hint: ")
			if after, _ := os.ReadFile(filepath.Join(dir, formerSnapshot)); !bytes.Equal(snapshot, after) {
				t.Error("the former snapshot was replaced")
			}
			if s, err := View(dir); err == nil {
				_, err = s.Read(t.Context())
				if _, leases := s.Leases(t.Context()); err == nil {
					err = leases
				}
				if err != nil && hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
					t.Errorf("reading it: %v", err)
				}
			} else if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("reading it: %v", err)
			}
		})
	}
}

// An older packer-hybrid that frees a lease after an upgrade was killed removes its
// file. The lease that the upgrade has put counts all the same: what its run may have
// left is looked for once more, and is done with as that of any other run.
func TestLeaseFreedAfterAKilledUpgrade(t *testing.T) {
	t.Parallel()
	dir, done := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "state")
	formerState(t, dir)
	formerState(t, done)
	open(t, done)
	const key = "lab/debian-12@vsphere"
	killed := state.LeaseFolder(key) // what it had put by then
	err := os.CopyFS(filepath.Join(dir, killed), os.DirFS(filepath.Join(done, killed)))
	if err == nil {
		err = os.Remove(filepath.Join(dir, leaseFile(key)))
	}
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if all, err := s.Leases(t.Context()); err != nil || len(all) != 1 || runs(all[0].Ended()) != "run-dead" {
		t.Errorf("leases %+v, %v", all, err)
	}
	lease := statetest.Lease("run-next")
	held, err := s.Acquire(t.Context(), lease)
	if err != nil || runs(held.Past()) != "run-dead" {
		t.Fatalf("past %v, %v", runs(held.Past()), err)
	}
	if again, err := held.Looked(t.Context(), "run-dead", false); err != nil || again.IsZero() {
		t.Errorf("looks again at %s, %v", again, err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNothing reads the state that is not there.
func TestNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := Nothing(dir)
	snapshot, err := s.Read(t.Context())
	ids, idsErr := s.Records(t.Context())
	leases, leasesErr := s.Leases(t.Context())
	if err := errors.Join(err, idsErr, leasesErr); err != nil || len(snapshot.Targets)+len(ids)+len(leases) > 0 {
		t.Errorf("%v %v %v: %v", snapshot, ids, leases, err)
	}
	if _, err := s.Record(t.Context(), "run-1"); err == nil {
		t.Error("a record that is not there was read")
	}
	statetest.WantBlocked(t, s.Update(t.Context(), statetest.Put("lab/x@vsphere")), "opened to read it only")
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
}
