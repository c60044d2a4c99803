// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:39Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

package state

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// linePrefix begins each record.
const linePrefix = `{"run_id":"`

// recordLine is a record as it is stored: one line. The checksum is that of the
// record's text.
type recordLine struct {
	RunID  string         `json:"run_id"`
	SHA256 string         `json:"sha256"`
	Record jsontext.Value `json:"record"`
}

// encodeRecord is the line of a record whose run ID was checked.
func encodeRecord(rec hybridcore.Record) ([]byte, error) {
	body, err := encode(rec)
	if err != nil {
		return nil, fmt.Errorf("recording run %s: %w", rec.RunID, err)
	}
	line := append([]byte(linePrefix), rec.RunID+`","sha256":"`+checksum(body)+`","record":`...)
	return append(append(line, body...), "}\n"...), nil
}

// decodeRecord reads and checks the line of a run. The error is the cause for
// people.
func decodeRecord(runID string, line []byte) (hybridcore.Record, error) {
	var rec hybridcore.Record
	var l recordLine
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
		return rec, FormError(fmt.Sprintf("it was changed after it was written: its content has sha256 %s, it says %.64q",
			sum, l.SHA256))
	}
	if err := decode(l.Record, &rec); err != nil {
		return rec, err
	}
	switch {
	case rec.FormatVersion != formatVersion:
		return rec, FormError(fmt.Sprintf("its format version is %d, which never existed", rec.FormatVersion))
	case rec.RunID != l.RunID || rec.RunID != runID:
		return rec, FormError(fmt.Sprintf("it is the record of run %.64q, its line says run %.64q, its name run %.64q",
			rec.RunID, l.RunID, runID))
	}
	return rec, nil
}

// oneLine is a cause without its line: a record has one.
func oneLine(cause error) error {
	if _, ok := cause.(FormError); !ok { //nolint:errorlint // one that wraps another says more than its text
		return cause
	}
	return FormError(strings.ReplaceAll(cause.Error(), "line 1: ", ""))
}
