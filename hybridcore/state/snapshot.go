// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const (
	snapshotName = "packer-hybrid.json"
	generations  = 3 // former snapshots that are kept
)

// generation names a former snapshot; 0 is the current one.
func generation(g int) string {
	if g == 0 {
		return snapshotName
	}
	return snapshotName + "." + strconv.Itoa(g)
}

// snapshotFile is the snapshot as it is stored. The checksum is that of the
// canonical encoding of the rest, so that white space does not count.
type snapshotFile struct {
	hybridcore.Snapshot
	SHA256 string `json:"sha256"`
}

var (
	lineageRule = hybridcore.Pattern(`^[0-9a-f]{32}$`)
	keyRule     = hybridcore.Pattern(`^[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}@[a-z0-9][a-z0-9._-]{0,63}$`)
)

// Read returns the snapshot. When there is none yet it is empty, with serial 0
// and a lineage that the first Update will write. A snapshot that cannot be
// trusted is a BlockedError.
func (d *Dir) Read(ctx context.Context) (hybridcore.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return hybridcore.Snapshot{}, fmt.Errorf("reading the state: %w", err)
	}
	return d.readSnapshot()
}

// Update changes the snapshot: it takes the lock (waiting until ctx ends, at
// most 30 seconds), reads, calls change, and writes the result with the
// serial one higher. When change returns an error nothing is written and that
// error is returned. Change must leave lineage, serial and format version alone.
func (d *Dir) Update(ctx context.Context, change func(*hybridcore.Snapshot) error) error {
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := d.readSnapshot()
	if err != nil {
		return err
	}
	next := old
	if err := change(&next); err != nil {
		return err
	}
	if next.Lineage != old.Lineage {
		return &hybridcore.BlockedError{Msg: fmt.Sprintf(
			"the state in %s has lineage %s; a change for lineage %.64q is refused because it belongs to another state", d.path, old.Lineage, next.Lineage)}
	}
	if next.Serial != old.Serial || next.FormatVersion != old.FormatVersion {
		return fmt.Errorf("updating the state: the change set serial or format version, which are not its own")
	}
	next.Serial++
	data, err := encodeSnapshot(next)
	if err != nil {
		return err
	}
	if err := d.replaceSnapshot(data); err != nil {
		return d.writeError("writing the snapshot", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lineage = next.Lineage
	return nil
}

// readSnapshot reads and checks the current snapshot.
func (d *Dir) readSnapshot() (hybridcore.Snapshot, error) {
	data, err := d.readFile(snapshotName)
	if errors.Is(err, fs.ErrNotExist) {
		return d.noSnapshot()
	}
	var form errForm
	if err != nil && !errors.As(err, &form) {
		return hybridcore.Snapshot{}, d.unreadable(snapshotName, err)
	}
	var s hybridcore.Snapshot
	if err == nil {
		s, err = decodeSnapshot(data)
	}
	if err != nil {
		return hybridcore.Snapshot{}, d.refuseSnapshot(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lineage != "" && d.lineage != s.Lineage {
		return hybridcore.Snapshot{}, d.refuse(snapshotName,
			fmt.Errorf("its lineage is %s, but it was %s when this run began: it was exchanged for another state", s.Lineage, d.lineage),
			"put the former state back, or run again to work with this one")
	}
	d.lineage = s.Lineage
	return s, nil
}

// noSnapshot is the empty state, unless there was one before.
func (d *Dir) noSnapshot() (hybridcore.Snapshot, error) {
	for g := 1; g <= generations; g++ {
		if _, err := d.root.Lstat(generation(g)); err == nil {
			return hybridcore.Snapshot{}, d.refuseSnapshot(errForm("it is missing, but a former generation of it is there"))
		}
	}
	return hybridcore.Snapshot{FormatVersion: formatVersion, Lineage: d.fresh, Targets: map[string]hybridcore.Current{}}, nil
}

// encodeSnapshot is the text of the snapshot file, indented for people and diffs.
func encodeSnapshot(s hybridcore.Snapshot) ([]byte, error) {
	body, err := encode(s)
	if err != nil {
		return nil, fmt.Errorf("updating the state: %w", err)
	}
	data, err := encode(snapshotFile{Snapshot: s, SHA256: checksum(body)})
	if err != nil {
		return nil, fmt.Errorf("updating the state: %w", err)
	}
	text := jsontext.Value(data)
	if err := text.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("updating the state: %w", err)
	}
	text = append(text, '\n')
	// What is written must be readable: the same checks as when reading.
	if _, err := decodeSnapshot(text); err != nil {
		return nil, fmt.Errorf("updating the state: the change cannot be stored: %w", err)
	}
	return text, nil
}

// decodeSnapshot reads and checks the text of a snapshot file. The error is
// the cause for people.
func decodeSnapshot(data []byte) (hybridcore.Snapshot, error) {
	var f snapshotFile
	if len(data) > maxFile {
		return f.Snapshot, tooLarge(int64(len(data)))
	}
	if err := checkVersion(data); err != nil {
		return f.Snapshot, err
	}
	if err := decode(data, &f); err != nil {
		return f.Snapshot, err
	}
	s := f.Snapshot
	switch {
	case s.FormatVersion != formatVersion:
		return s, errForm(fmt.Sprintf("its format version is %d, which never existed", s.FormatVersion))
	case data[len(data)-1] != '\n':
		return s, errForm(fmt.Sprintf("it is cut short after byte %d", len(data)))
	case !lineageRule().MatchString(s.Lineage):
		return s, errForm("its lineage is not made of 32 hexadecimal digits")
	case s.Serial == 0:
		return s, errForm("its serial is 0")
	}
	for key := range s.Targets {
		if !keyRule().MatchString(key) {
			return s, errForm(fmt.Sprintf("%.200q is not the key ENV/IMAGE@PLATFORM of a target", key))
		}
	}
	body, err := encode(s)
	if err != nil {
		return s, err
	}
	if sum := checksum(body); sum != f.SHA256 {
		return s, errForm(fmt.Sprintf("it was changed after it was written: its content has sha256 %s, it says %.64q", sum, f.SHA256))
	}
	if s.Targets == nil {
		s.Targets = map[string]hybridcore.Current{}
	}
	return s, nil
}

// replaceSnapshot puts the text in place of the current snapshot, which
// becomes generation 1. On an error everything is as before.
func (d *Dir) replaceSnapshot(data []byte) error {
	temp := newTemp()
	if err := d.stage(temp, data); err != nil {
		return err
	}
	if err := d.shift(); err != nil {
		d.closeGap()
		_ = d.root.Remove(temp) // the first error counts
		return err
	}
	if err := d.root.Rename(temp, snapshotName); err != nil {
		d.closeGap()
		_ = d.root.Remove(temp) // the first error counts
		return fmt.Errorf("renaming: %w", err)
	}
	if err := d.syncDir("."); err != nil {
		return errors.Join(err, d.unplace())
	}
	return nil
}

// shift makes each generation one older and the current snapshot the first.
// The current one stays in place all the time.
func (d *Dir) shift() error {
	d.closeGap()
	for g := generations - 1; g >= 1; g-- {
		if err := d.root.Rename(generation(g), generation(g+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keeping generation %d: %w", g, err)
		}
	}
	err := d.root.Link(snapshotName, generation(1))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EMLINK) {
		err = d.copySnapshot() // a file system without hard links
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keeping the former snapshot: %w", err)
	}
	return nil
}

// copySnapshot makes generation 1 a copy of the current snapshot.
func (d *Dir) copySnapshot() error {
	data, err := d.readFile(snapshotName)
	if err != nil {
		return err
	}
	return d.place(newTemp(), generation(1), data)
}

// closeGap undoes a shift that was not followed by a new snapshot, be it by an
// error now or by a killed process before. At worst a generation is lost.
func (d *Dir) closeGap() {
	current, err := d.root.Lstat(snapshotName)
	first, err1 := d.root.Lstat(generation(1))
	if err == nil && err1 == nil && os.SameFile(current, first) {
		_ = d.root.Remove(generation(1))
		err1 = fs.ErrNotExist
	}
	if !errors.Is(err1, fs.ErrNotExist) {
		return
	}
	for g := 1; g < generations; g++ {
		_ = d.root.Rename(generation(g+1), generation(g))
	}
}

// unplace takes the new snapshot back after the directory could not be
// synced: what is not durable must not be seen as done.
func (d *Dir) unplace() error {
	err := d.root.Rename(generation(1), snapshotName)
	if errors.Is(err, fs.ErrNotExist) {
		err = d.root.Remove(snapshotName)
	}
	if err != nil {
		return fmt.Errorf("taking the new snapshot back, which is now in place: %w", err)
	}
	d.closeGap()
	return nil
}
