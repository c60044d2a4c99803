// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:11:04Z
// Spec: openspec/specs/state/spec.md#requirement-the-former-format
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// BackupFolder is where an upgrade keeps the files of the former format, within
// the state.
const BackupFolder = "backup-format-1"

// movedText takes the place of the former snapshot: an older packer-hybrid says
// that a newer one wrote it, and changes nothing.
const movedText = `{"format_version": 2, "moved_to": "` + state.SnapshotFolder + `"}` + "\n"

// kept says whether a file is no object, but what an upgrade left beside them.
func kept(name string) bool {
	return name == formerSnapshot || strings.HasPrefix(name, BackupFolder+"/")
}

// upgrade makes a state of the former format one of objects, once, under the
// directory's lock, and returns where the former files are now. Until the file of
// the former snapshot is replaced the former state counts, and all of this is done
// again; from then on the objects do.
func (d *Directory) upgrade() (backup string, err error) {
	former, err := d.isFormer()
	if err != nil || !former && !d.unfinished() {
		return "", d.refused(err)
	}
	ctx := context.Background() // the lock has a bound of its own
	unlock, err := d.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	if former, err = d.isFormer(); err != nil {
		return "", d.refused(err)
	}
	if former {
		if err := d.convert(ctx); err != nil {
			return "", d.refused(d.writeError("upgrading the state", err))
		}
		backup = d.Where(BackupFolder)
	}
	d.putAway()
	return backup, nil
}

// refused is the error for files of the former format that are none, or that are in
// the way of objects: exit code 3.
func (d *Directory) refused(err error) error {
	form, ok := errors.AsType[state.FormError](err)
	if _, said := errors.AsType[*hybridcore.BlockedError](err); said || !ok {
		return err
	}
	return hybridcore.Blockedf(
		"the state in %s has the former format and cannot be used: %s\n  hint: move away what is wrong, or "+
			"restore it from a backup, then run again; the former files are as they were", d.path, form)
}

// convert puts all objects, then replaces the former snapshot.
func (d *Directory) convert(ctx context.Context) error {
	f := &formerFiles{Directory: d, locked: true}
	was := f.store()
	if _, err := was.Read(ctx); err != nil {
		return err
	}
	leases, err := was.Leases(ctx)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if l.Live {
			return &hybridcore.BlockedError{
				Msg: fmt.Sprintf("the state in %s has the format of an older packer-hybrid, and a run of that one is at work; "+
					"wait for it, then run again: this upgrades the state", d.path),
				Err: &state.HeldError{Lease: l.Lease, Why: l.Why},
			}
		}
	}
	for _, folder := range []string{state.SnapshotFolder, formerLeases + "/", state.RecordsFolder + "/"} {
		if err := d.convertFolder(ctx, f, folder); err != nil {
			return err
		}
	}
	if err := d.mkdirs(BackupFolder); err != nil {
		return err
	}
	if err := d.keep(formerSnapshot); err != nil {
		return err
	}
	if err := d.replace(formerSnapshot, []byte(movedText)); err != nil {
		return err
	}
	return d.syncDir(".")
}

// convertFolder puts the objects of a folder. Nothing that is there is removed:
// generations follow those of an upgrade that was killed.
func (d *Directory) convertFolder(ctx context.Context, f *formerFiles, folder string) error {
	folders := map[string]uint64{} // with the newest generation before
	for name, err := range f.List(ctx, folder) {
		if err != nil {
			return err
		}
		data, err := f.Get(ctx, name)
		if _, malformed := errors.AsType[state.FormError](err); malformed {
			continue // an older snapshot: the newest was read
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		at := path.Dir(name)
		if _, seen := folders[at]; !seen {
			if folders[at], err = d.newest(ctx, at); err != nil {
				return err
			}
		}
		if n := numberOf(name); n > 0 {
			name = state.Generation(at+"/", n+folders[at])
		}
		if err := d.place(name, data); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for at := range folders {
		if err := d.syncDir(at); err != nil {
			return err
		}
	}
	return nil
}

// numberOf is the number of a generation; 0 for what is none.
func numberOf(name string) uint64 {
	n, err := strconv.ParseUint(path.Base(name), 10, 63)
	if err != nil || state.Generation(path.Dir(name)+"/", n) != name {
		return 0
	}
	return n
}

// newest is the number of the newest generation in a folder; 0 for none.
func (d *Directory) newest(ctx context.Context, folder string) (uint64, error) {
	n := uint64(0)
	names, err := d.names(ctx, folder)
	for _, name := range names {
		n = max(n, numberOf(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return n, err
}

// keep copies a file into the backup, if it is there.
func (d disk) keep(name string) error {
	is, err := d.has(name)
	if err != nil || !is {
		return err
	}
	data, err := d.readFile(name)
	if err != nil {
		return err
	}
	if err := d.replace(path.Join(BackupFolder, name), data); err != nil {
		return err
	}
	return d.syncDir(BackupFolder)
}

// unfinished says whether files of the former format lie beside the objects.
func (d disk) unfinished() bool {
	records, _ := d.has(formerRecords) // what cannot be looked for is looked for by the next Open
	keys, _ := d.formerKeys()
	return records || len(keys) > 0
}

// putAway removes what was derived, and moves the files of the former format into
// the backup, the records last: while they are there, it is not finished. What the
// backup has already stays, and what fails is tried again by the next Open: nobody
// reads these files any more.
func (d disk) putAway() {
	if d.mkdirs(path.Join(BackupFolder, formerLeases)) != nil {
		return
	}
	entries, err := d.entries(formerLeases)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	derived := []string{formerIndex}
	files := formerGenerations()[:3] // not the one that was replaced
	for _, e := range entries {
		name := path.Join(formerLeases, e.Name())
		switch {
		case e.IsDir():
		case strings.HasSuffix(e.Name(), formerLock), strings.HasPrefix(e.Name(), safefile.TempPrefix):
			derived = append(derived, name)
		case strings.HasSuffix(e.Name(), formerLease):
			files = append(files, name)
		}
	}
	for _, name := range derived {
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	for _, name := range append(files, formerRecords) {
		to := path.Join(BackupFolder, name)
		kept, err := d.has(to)
		if err == nil && !kept {
			err = d.root.Rename(name, to)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}
