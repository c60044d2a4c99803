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
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxDamage bounds how many damaged records are named.
const maxDamage = 10

const (
	// RecordsFolder holds the records, a file for each run: where it is, there is
	// a state.
	RecordsFolder = "runs"
	// RecordSuffix ends the name of a record.
	RecordSuffix = ".json"
	// attachmentsFolder holds the attachments, a folder for each run.
	attachmentsFolder = "records"
)

var attachmentRule = regexp.MustCompile(`^[a-z0-9][a-z0-9@._-]{0,127}$`)

// RecordName is the object that holds the record of a run.
func RecordName(runID string) string { return RecordsFolder + "/" + runID + RecordSuffix }

// RunOf is the run of a record's name; empty for what is no such name.
func RunOf(name string) string {
	id, ok := strings.CutSuffix(name, RecordSuffix)
	id, record := strings.CutPrefix(id, RecordsFolder+"/")
	if !ok || !record || hybridcore.CheckName("run", id) != nil {
		return ""
	}
	return id
}

// Append stores the record of a run, with attachments by name (lower-case
// letters, digits, '@', '.', '_', '-'), which become records/RUN/NAME. They are
// stored before the record is. A second record of one run is a UsageError; a
// record without a format version gets the present one.
func (s *Store) Append(ctx context.Context, rec hybridcore.Record, attachments map[string][]byte) error {
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
	return s.writeError("recording run "+rec.RunID, s.append(ctx, rec.RunID, line, attachments))
}

func checkRecord(rec hybridcore.Record, attachments map[string][]byte) error {
	if err := hybridcore.CheckName("run", rec.RunID); err != nil {
		return err
	}
	for name, data := range attachments {
		if !attachmentRule.MatchString(name) {
			return hybridcore.Usagef(
				"attachment %.140q of run %s is not a file name: use 1 to 128 of a-z, 0-9, '@', '.', '_' and '-'",
				name, rec.RunID)
		}
		if len(data) > MaxObject {
			return hybridcore.Usagef("attachment %s of run %s has %d bytes; at most %d are stored", name, rec.RunID, len(data),
				int64(MaxObject))
		}
	}
	return nil
}

// append puts attachments, then the record. On an error neither is there.
func (s *Store) append(ctx context.Context, runID string, line []byte, attachments map[string][]byte) error {
	name := RecordName(runID)
	recorded := hybridcore.Usagef("run %s is already recorded in %s; a record is never changed", runID,
		s.guide.Where(name))
	if len(attachments) > 0 { // which would take the place of those that the record names
		_, err := s.b.Get(ctx, name)
		form := FormError("")
		switch {
		case err == nil, errors.As(err, &form):
			return recorded
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	err := attach(ctx, s.b, runID, attachments)
	if err == nil {
		err = s.b.Put(ctx, name, line)
	}
	if errors.Is(err, fs.ErrExist) { // of another process: the attachments are its record's
		return recorded
	}
	if err != nil {
		return errors.Join(err, detach(context.WithoutCancel(ctx), s.b, runID, attachments))
	}
	return nil
}

// attach puts the attachments of a run. What is there was left by a process that
// ended before it had recorded the run.
func attach(ctx context.Context, b Backend, runID string, attachments map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(attachments)) {
		object := path.Join(attachmentsFolder, runID, name)
		err := b.Put(ctx, object, attachments[name])
		if errors.Is(err, fs.ErrExist) {
			if err = b.Delete(ctx, object); err == nil {
				err = b.Put(ctx, object, attachments[name])
			}
		}
		if err != nil {
			return fmt.Errorf("writing attachment %s: %w", name, err)
		}
	}
	return nil
}

// detach removes the attachments of a run that has no record.
func detach(ctx context.Context, b Backend, runID string, attachments map[string][]byte) error {
	var errs []error
	for name := range attachments {
		if err := b.Delete(ctx, path.Join(attachmentsFolder, runID, name)); err != nil {
			errs = append(errs, fmt.Errorf("removing attachment %s of run %s: %w", name, runID, err))
		}
	}
	return errors.Join(errs...)
}

// Record returns the record of a run. When there is none the error is a
// UsageError that wraps fs.ErrNotExist; a record that cannot be trusted is a
// BlockedError.
func (s *Store) Record(ctx context.Context, runID string) (hybridcore.Record, error) {
	if err := hybridcore.CheckName("run", runID); err != nil {
		return hybridcore.Record{}, err
	}
	name := RecordName(runID)
	line, err := s.b.Get(ctx, name)
	form, malformed := errors.AsType[FormError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hybridcore.Record{}, fmt.Errorf("%w (%w)", hybridcore.Usagef("run %s has no record", runID), fs.ErrNotExist)
	case malformed:
		return hybridcore.Record{}, s.damaged(name, form)
	case err != nil:
		return hybridcore.Record{}, s.unreadable(name, err)
	}
	rec, err := decodeRecord(runID, line)
	if err != nil {
		return hybridcore.Record{}, s.damaged(name, oneLine(err))
	}
	return rec, nil
}

// damaged is the refusal of one record.
func (s words) damaged(name string, cause error) error {
	next := "the other records can still be read; take this one from a backup"
	if _, ok := errors.AsType[*newerError](cause); ok {
		next = "update packer-hybrid to the version that the others use"
	}
	return s.refuse(name, cause, next)
}

// Records lists the IDs of all recorded runs, oldest first. What is no record's
// name makes a BlockedError that comes together with the IDs.
func (s *Store) Records(ctx context.Context) ([]string, error) {
	var ids []string
	var damage []error
	for name, err := range s.b.List(ctx, RecordsFolder+"/") {
		if err != nil {
			return nil, s.unreadable(RecordsFolder, err)
		}
		if id := RunOf(name); id != "" {
			ids = append(ids, id)
		} else if len(damage) < maxDamage {
			damage = append(damage, s.damaged(name, FormError("it is not the record of a run")))
		}
	}
	slices.Sort(ids) // "a.json" is after "a-b.json", and "a" before "a-b"
	return ids, errors.Join(damage...)
}

// Attachment reads a file by its path relative to the state directory, as
// records name it. A path that leads elsewhere is refused.
func (s *Store) Attachment(ctx context.Context, file string) ([]byte, error) {
	if !fs.ValidPath(file) || path.Dir(path.Dir(file)) != attachmentsFolder || CheckObject(file) != nil {
		return nil, hybridcore.Usagef("attachment %.200q is not a path records/RUN/NAME within the state directory", file)
	}
	data, err := s.b.Get(ctx, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%w)",
			hybridcore.Usagef("attachment %s is not in the state directory %s", file, s.guide.Where("")), fs.ErrNotExist)
	}
	if err != nil {
		return nil, s.unreadable(file, err)
	}
	return data, nil
}
