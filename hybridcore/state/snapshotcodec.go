// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"fmt"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxWriters is how many writers a snapshot names.
const maxWriters = 64

// writer is a process that has written the snapshot, and how often.
type writer struct {
	ID    string `json:"id"`
	Count uint64 `json:"count"`
}

// snapshotBody is a snapshot with its last writers, the latest first: by them a
// writer knows whether a later snapshot came after its own.
type snapshotBody struct {
	hybridcore.Snapshot
	Writers []writer `json:"writers,omitempty"`
}

// writes is how often a writer has written what led to the snapshot.
func (b snapshotBody) writes(id string) uint64 {
	for _, w := range b.Writers {
		if w.ID == id {
			return w.Count
		}
	}
	return 0
}

// writtenBy is the list of writers after one more write.
func (b snapshotBody) writtenBy(id string) []writer {
	all := []writer{{id, b.writes(id) + 1}}
	for _, w := range b.Writers {
		if w.ID != id && len(all) < maxWriters {
			all = append(all, w)
		}
	}
	return all
}

// snapshotFile is the snapshot as it is stored. The checksum is that of the
// canonical encoding of the rest, so that white space does not count.
type snapshotFile struct {
	snapshotBody
	SHA256 string `json:"sha256"`
}

var (
	lineageRule = regexp.MustCompile(`^[0-9a-f]{32}$`)
	keyRule     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}@[a-z0-9][a-z0-9._-]{0,63}$`)
)

// encodeSnapshot is the text of the snapshot file, indented for people and diffs.
func encodeSnapshot(f snapshotFile) ([]byte, error) {
	body, err := encode(f.snapshotBody)
	if err != nil {
		return nil, fmt.Errorf("updating the state: %w", err)
	}
	f.SHA256 = checksum(body)
	data, err := encode(f)
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
func decodeSnapshot(data []byte) (snapshotFile, error) {
	var f snapshotFile
	if len(data) > MaxObject {
		return f, TooLarge(int64(len(data)))
	}
	if err := checkVersion(data); err != nil {
		return f, err
	}
	if err := decode(data, &f); err != nil {
		return f, err
	}
	s := &f.Snapshot
	switch {
	case s.FormatVersion != formatVersion:
		return f, FormError(fmt.Sprintf("its format version is %d, which never existed", s.FormatVersion))
	case data[len(data)-1] != '\n':
		return f, FormError(fmt.Sprintf("it is cut short after byte %d", len(data)))
	case !lineageRule.MatchString(s.Lineage):
		return f, FormError("its lineage is not made of 32 hexadecimal digits")
	case s.Serial == 0:
		return f, FormError("its serial is 0")
	}
	for key := range s.Targets {
		if !keyRule.MatchString(key) {
			return f, FormError(fmt.Sprintf("%.200q is not the key ENV/IMAGE@PLATFORM of a target", key))
		}
	}
	body, err := encode(f.snapshotBody)
	if err != nil {
		return f, err
	}
	if sum := checksum(body); sum != f.SHA256 {
		return f, FormError(fmt.Sprintf("it was changed after it was written: its content has sha256 %s, it says %.64q", sum,
			f.SHA256))
	}
	if s.Targets == nil {
		s.Targets = map[string]hybridcore.Current{}
	}
	return f, nil
}
