// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:09:50Z
// Spec: openspec/specs/state/spec.md#requirement-the-former-format
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

const (
	// maxRecords bounds the one file of all records, in bytes.
	maxRecords = 1 << 30
	// linePrefix begins each line.
	linePrefix = `{"run_id":"`
)

// formerLines are the records of the former format: lines of one file.
type formerLines struct {
	mu     sync.Mutex
	byName map[string][]byte
}

// line is the record of a name.
func (l *formerLines) line(d disk, name string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName[name] == nil {
		if err := l.read(d); err != nil {
			return nil, err
		}
	}
	if line := l.byName[name]; line != nil {
		return line, nil
	}
	return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// names yields the names of the records.
func (l *formerLines) names(d disk) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		l.mu.Lock()
		err := l.read(d)
		names := slices.Sorted(maps.Keys(l.byName))
		l.mu.Unlock()
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// read finds the lines of all records. One without an end is of a killed writer;
// one that does not say of which run it is gets a name by its number, and is
// refused when it is read.
func (l *formerLines) read(d disk) error {
	text, err := readRecords(d)
	if err != nil {
		return err
	}
	l.byName = map[string][]byte{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		name := state.RecordName(lineID(string(line)))
		if lineID(string(line)) == "" || l.byName[name] != nil {
			name = state.RecordName(fmt.Sprintf("damaged-line-%d", number))
		}
		l.byName[name] = line
	}
	return nil
}

// lineID is the run at the head of a line; empty when the line is damaged.
func lineID(line string) string {
	rest, ok := strings.CutPrefix(line, linePrefix)
	id, _, whole := strings.Cut(rest, `"`)
	if !ok || !whole || hybridcore.CheckName("run", id) != nil {
		return ""
	}
	return id
}

// readRecords reads the file of all records.
func readRecords(d disk) ([]byte, error) {
	text, err := safefile.ReadIn(d.root, formerRecords, maxRecords)
	refused, ok := errors.AsType[*safefile.RefusedError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case ok:
		return nil, state.FormError(formerRecords + ": " + refused.Why)
	case err != nil:
		return nil, fmt.Errorf("reading the records: %w", err)
	}
	return text, nil
}

// Files of the former format: one that was replaced for the snapshot, with three
// former ones, one for all records, and two for each lease.
const (
	formerSnapshot = "packer-hybrid.json"
	formerRecords  = "records.jsonl"
	formerIndex    = "records.idx" // derived
	formerLeases   = "leases"
	formerLease    = ".json"
	formerLock     = ".lock"
)

// formerGenerations are the snapshots of the former format, oldest first: the
// number of each is its place.
func formerGenerations() []string {
	return []string{formerSnapshot + ".3", formerSnapshot + ".2", formerSnapshot + ".1", formerSnapshot}
}
