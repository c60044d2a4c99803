// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:39Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// RecordsFile is the file with one line for each run: where it is, there is a
// state.
const RecordsFile = "records.jsonl"

const logName = RecordsFile

// linePrefix begins each line, so that a run is found without decoding lines.
const linePrefix = `{"run_id":"`

// recordLine is one line of the log. The checksum is that of the record's text.
type recordLine struct {
	RunID  string         `json:"run_id"`
	SHA256 string         `json:"sha256"`
	Record jsontext.Value `json:"record"`
}

// recordLog is the log with the places of its lines.
type recordLog struct {
	f     *os.File
	size  int64
	end   int64 // after the last whole line; what follows is of a killed writer
	index *index
}

// close closes log and index; what counts was synced before.
func (l *recordLog) close() {
	l.index.close()
	_ = l.f.Close()
}

// openLog opens the log and finds its lines. A log that is not there is nil
// without the flag os.O_CREATE.
func (d *Dir) openLog(flags int) (*recordLog, error) {
	f, err := d.root.OpenFile(logName, flags|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the records: %w", err)
	}
	log := &recordLog{f: f}
	if err := log.find(d); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return log, nil
}

// find fills size, end and index.
func (l *recordLog) find(d *Dir) error {
	info, err := l.f.Stat()
	if err != nil {
		return fmt.Errorf("looking at the records: %w", err)
	}
	if !info.Mode().IsRegular() {
		return d.refuse(logName, errForm("it is not a regular file"), "move it away")
	}
	l.size = info.Size()
	l.index = d.loadIndex(l.f, l.size)
	if err := l.scan(); err != nil {
		l.index.close()
		return err
	}
	return nil
}

// scan adds the lines after those that the index covers.
func (l *recordLog) scan() error {
	l.end = l.index.covered
	if l.end == l.size {
		return nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(l.f, l.end, l.size-l.end), 64<<10)
	for {
		start, whole := l.end, false
		head, err := r.Peek(headSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the records: %w", err)
		}
		id := lineID(head)
		at := start
		for !whole {
			part, err := r.ReadSlice('\n')
			at += int64(len(part))
			switch {
			case err == nil:
				whole = true
			case errors.Is(err, bufio.ErrBufferFull):
			case errors.Is(err, io.EOF):
				return nil
			default:
				return fmt.Errorf("reading the records: %w", err)
			}
		}
		l.end = at
		l.index.add(id, start, at)
	}
}

// headSize is enough for the prefix and a run ID of 64 bytes.
const headSize = 128

// lineID is the run ID at the head of a line; empty when the line is damaged.
func lineID(head []byte) string {
	rest, ok := bytes.CutPrefix(head, []byte(linePrefix))
	if !ok {
		return ""
	}
	id, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || hybridcore.CheckName("run", string(id)) != nil {
		return ""
	}
	return string(id)
}

// offset finds the line of a run; -1 when there is none.
func (l *recordLog) offset(runID string) (int64, error) {
	for {
		for at := range l.index.offsets(hashID(runID)) {
			if at >= l.end {
				continue // being written now
			}
			head, err := l.head(at)
			if err != nil {
				return -1, err
			}
			if lineID(head) == runID {
				return at, nil
			}
		}
		if l.index.err == nil {
			return -1, nil
		}
		if err := l.rescan(); err != nil {
			return -1, err
		}
	}
}

// head reads the beginning of the line at an offset.
func (l *recordLog) head(offset int64) ([]byte, error) {
	head := make([]byte, headSize)
	n, err := l.f.ReadAt(head, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the records: %w", err)
	}
	return head[:n], nil
}

// rescan finds all lines in the log itself, without the table.
func (l *recordLog) rescan() error {
	l.index.close()
	l.index = &index{boot: l.index.boot, log: l.index.log}
	return l.scan()
}

// places lists all lines.
func (l *recordLog) places() ([]place, error) {
	if places, ok := l.index.all(); ok {
		return places, nil
	}
	if err := l.rescan(); err != nil {
		return nil, err
	}
	places, _ := l.index.all()
	return places, nil
}

// line reads the line at an offset, without its end.
func (l *recordLog) line(offset int64) ([]byte, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(l.f, offset, min(l.end-offset, maxFile+1)), 64<<10)
	line, err := r.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, errForm(fmt.Sprintf("its line is longer than %d bytes", int64(maxFile)))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record: %w", err)
	}
	return line[:len(line)-1], nil
}

// number is the 1-based number of the line at an offset; 0 when it cannot be told.
func (l *recordLog) number(offset int64) int {
	places, err := l.places()
	if err != nil {
		return 0
	}
	return slices.IndexFunc(places, func(p place) bool { return p.offset == offset }) + 1
}

// append adds one line and syncs it. After an error the caller withdraws it.
func (l *recordLog) append(line []byte) error {
	if l.size > l.end {
		if err := l.f.Truncate(l.end); err != nil {
			return fmt.Errorf("cutting the unfinished line of a killed writer: %w", err)
		}
	}
	if _, err := l.f.WriteAt(line, l.end); err != nil {
		return fmt.Errorf("appending the record: %w", err)
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("syncing the record: %w", err)
	}
	return nil
}

// withdraw gives the log its former length after a failed append.
func (l *recordLog) withdraw() error {
	if err := l.f.Truncate(l.end); err != nil {
		return fmt.Errorf("taking the record back, which may now be in place: %w", err)
	}
	_ = l.f.Sync() // the length may come back after a power cut; the line is then whole or ignored
	return nil
}

// encodeRecord is the line of a record whose run ID was checked.
func encodeRecord(rec hybridcore.Record) ([]byte, error) {
	body, err := encode(rec)
	if err != nil {
		return nil, fmt.Errorf("recording run %s: %w", rec.RunID, err)
	}
	line := make([]byte, 0, len(body)+headSize+headSize)
	line = append(line, linePrefix+rec.RunID+`","sha256":"`+checksum(body)+`","record":`...)
	return append(append(line, body...), "}\n"...), nil
}

// decodeRecord reads and checks one line. The error is the cause for people.
func decodeRecord(line []byte) (hybridcore.Record, error) {
	var rec hybridcore.Record
	var l recordLine
	if len(line) > maxFile {
		return rec, tooLarge(int64(len(line)))
	}
	var loose struct {
		Record jsontext.Value `json:"record"`
	}
	if json.Unmarshal(line, &loose) == nil {
		if err := checkVersion(loose.Record); err != nil {
			return rec, err
		}
	}
	if err := decode(line, &l); err != nil {
		return rec, err
	}
	if sum := checksum(l.Record); sum != l.SHA256 {
		return rec, errForm(fmt.Sprintf("it was changed after it was written: its content has sha256 %s, it says %.64q", sum, l.SHA256))
	}
	if err := decode(l.Record, &rec); err != nil {
		return rec, err
	}
	switch {
	case rec.FormatVersion != formatVersion:
		return rec, errForm(fmt.Sprintf("its format version is %d, which never existed", rec.FormatVersion))
	case rec.RunID != l.RunID || hybridcore.CheckName("run", rec.RunID) != nil:
		return rec, errForm(fmt.Sprintf("it is the record of run %.64q, its line says run %.64q", rec.RunID, l.RunID))
	}
	return rec, nil
}

// damaged is the refusal of a line by its number.
func (d *Dir) damaged(number int, cause error) error {
	next := "the other records can still be read; take this line from a backup"
	if _, ok := errors.AsType[*newerError](cause); ok {
		next = "update packer-hybrid to the version that the others use"
	}
	return d.refuse(fmt.Sprintf("%s:%d", logName, number), errForm(strings.ReplaceAll(cause.Error(), "line 1: ", "")), next)
}
