// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:39Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxDamage bounds how many damaged lines are named.
const maxDamage = 10

// recordsDir holds the attachments, a directory for each run.
const recordsDir = "records"

var attachmentRule = hybridcore.Pattern(`^[a-z0-9][a-z0-9@._-]{0,127}$`)

// Append stores the record of a run, with attachments by name (lower-case
// letters, digits, '@', '.', '_', '-'), which become the files
// records/RUN/NAME. They are on disk before the record is. A second record of
// one run is a UsageError; a record without a format version gets the
// present one.
func (d *Dir) Append(ctx context.Context, rec hybridcore.Record, attachments map[string][]byte) error {
	if rec.FormatVersion == 0 {
		rec.FormatVersion = formatVersion
	}
	if err := checkRecord(rec, attachments); err != nil {
		return err
	}
	line, err := encodeRecord(rec)
	if err != nil {
		return err
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.appendLocked(rec.RunID, line, attachments); err != nil {
		return d.writeError("recording run "+rec.RunID, err)
	}
	return nil
}

func checkRecord(rec hybridcore.Record, attachments map[string][]byte) error {
	if err := hybridcore.CheckName("run", rec.RunID); err != nil {
		return err
	}
	for name, data := range attachments {
		if !attachmentRule().MatchString(name) {
			return hybridcore.Usagef("attachment %.140q of run %s is not a file name: use 1 to 128 of a-z, 0-9, '@', '.', '_' and '-'", name, rec.RunID)
		}
		if len(data) > maxFile {
			return hybridcore.Usagef("attachment %s of run %s has %d bytes; at most %d are stored", name, rec.RunID, len(data), int64(maxFile))
		}
	}
	return nil
}

// appendLocked writes attachments, then the line. On an error neither is there.
func (d *Dir) appendLocked(runID string, line []byte, attachments map[string][]byte) error {
	log, err := d.openLog(os.O_RDWR | os.O_CREATE)
	if err != nil {
		return err
	}
	defer log.close()
	switch at, err := log.offset(runID); {
	case err != nil:
		return err
	case at >= 0:
		return hybridcore.Usagef("run %s is already recorded in %s; a record is never changed", runID, filepath.Join(d.path, logName))
	}
	if len(attachments) > 0 {
		if err := d.attach(path.Join(recordsDir, runID), attachments); err != nil {
			return errors.Join(err, d.detach(runID))
		}
	}
	err = log.append(line)
	if err == nil && log.end == 0 {
		err = d.syncDir(".") // the log may be new
	}
	if err != nil {
		return errors.Join(err, log.withdraw(), d.detach(runID))
	}
	log.index.add(runID, log.end, log.end+int64(len(line)))
	// The record is stored; an index that cannot be written is made anew later.
	_ = d.save(log.index)
	return nil
}

// attach writes the files of a run and makes them durable.
func (d *Dir) attach(dir string, attachments map[string][]byte) error {
	if err := d.mkdir(recordsDir); err != nil {
		return err
	}
	if err := d.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating %s: %w", dir, err)
	}
	for _, name := range slices.Sorted(maps.Keys(attachments)) {
		if err := d.place(newTemp(), path.Join(dir, name), attachments[name]); err != nil {
			return fmt.Errorf("writing attachment %s: %w", name, err)
		}
	}
	return errors.Join(d.syncDir(dir), d.syncDir(recordsDir))
}

// detach removes the attachments of a run that has no record.
func (d *Dir) detach(runID string) error {
	if err := d.root.RemoveAll(path.Join(recordsDir, runID)); err != nil {
		return fmt.Errorf("removing the attachments of run %s: %w", runID, err)
	}
	return nil
}

// Record returns the record of a run. When there is none the error is a
// UsageError that wraps fs.ErrNotExist; a record that cannot be trusted is a
// BlockedError.
func (d *Dir) Record(ctx context.Context, runID string) (hybridcore.Record, error) {
	if err := ctx.Err(); err != nil {
		return hybridcore.Record{}, fmt.Errorf("reading record %s: %w", runID, err)
	}
	if err := hybridcore.CheckName("run", runID); err != nil {
		return hybridcore.Record{}, err
	}
	log, err := d.openLog(os.O_RDONLY)
	if err != nil {
		return hybridcore.Record{}, d.unreadable(logName, err)
	}
	if log == nil {
		return hybridcore.Record{}, noRecord(runID)
	}
	defer log.close()
	offset, err := log.offset(runID)
	if err != nil {
		return hybridcore.Record{}, d.unreadable(logName, err)
	}
	if offset < 0 {
		return hybridcore.Record{}, noRecord(runID)
	}
	line, err := log.line(offset)
	if err != nil {
		return hybridcore.Record{}, d.damaged(log.number(offset), err)
	}
	rec, err := decodeRecord(line)
	if err != nil {
		return hybridcore.Record{}, d.damaged(log.number(offset), err)
	}
	return rec, nil
}

func noRecord(runID string) error {
	return fmt.Errorf("%w (%w)", hybridcore.Usagef("run %s has no record", runID), fs.ErrNotExist)
}

// Records lists the IDs of all recorded runs, oldest first. Lines whose run
// cannot be told make a BlockedError that comes together with the other IDs.
func (d *Dir) Records(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("listing records: %w", err)
	}
	log, err := d.openLog(os.O_RDONLY)
	if err != nil {
		return nil, d.unreadable(logName, err)
	}
	if log == nil {
		return nil, nil
	}
	defer log.close()
	places, err := log.places()
	if err != nil {
		return nil, d.unreadable(logName, err)
	}
	ids := make([]string, 0, len(places))
	var damage []error
	for i, p := range places {
		head, err := log.head(p.offset)
		if err != nil {
			return nil, d.unreadable(logName, err)
		}
		if id := lineID(head); id != "" {
			ids = append(ids, id)
		} else if len(damage) < maxDamage {
			damage = append(damage, d.damaged(i+1, errForm("it is not the line of a record")))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), errors.Join(damage...)
}

// Attachment reads a file by its path relative to the state directory, as
// records name it. A path that leads out of the directory, also through a
// symbolic link, is refused.
func (d *Dir) Attachment(ctx context.Context, file string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading attachment %s: %w", file, err)
	}
	if !fs.ValidPath(file) || path.Dir(path.Dir(file)) != recordsDir {
		return nil, hybridcore.Usagef("attachment %.200q is not a path records/RUN/NAME within the state directory", file)
	}
	data, err := d.readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%w)", hybridcore.Usagef("attachment %s is not in the state directory %s", file, d.path), fs.ErrNotExist)
	}
	if err != nil {
		return nil, d.unreadable(file, err)
	}
	return data, nil
}
