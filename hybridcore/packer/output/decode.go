// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:15Z
// Spec: openspec/specs/packer/spec.md#requirement-machine-readable-stream
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

// Package output reads what Packer and the tools that it runs write: the machine-readable stream, diagnostics, the
// progress of Ansible, and the manifest.
package output

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// MaxRecord bounds one line of the stream, in bytes. The rest of a longer line
// is read and dropped.
const MaxRecord = 1 << 20

// maxFields bounds the data fields of one record. Packer writes at most four.
const maxFields = 64

// Type is the third column of a record.
type Type string

// Types that Packer 1.x writes. Others are passed on as they are.
const (
	TypeUI            Type = "ui"             // data: say|message|error, text
	TypeArtifactCount Type = "artifact-count" // data: number of artifacts of the target
	TypeArtifact      Type = "artifact"       // data: index, key, value...; key "end" closes it
	TypeError         Type = "error"          // data: why the target failed
	TypeErrorCount    Type = "error-count"    // data: number of failed targets
	TypeVersion       Type = "version"        // data: Packer's version
	// TypeText is a line that is no record: a crash report, or output that
	// somebody wrote past Packer. Data holds the line.
	TypeText Type = ""
)

// Record is one line of `-machine-readable` output.
type Record struct {
	At     time.Time // to the second, as Packer wrote it
	Target string    // the build, empty for Packer itself
	Type   Type
	Data   []string // decoded
	Cut    bool     // the line was longer than maxRecord

	Line string // as it came
}

// Decoder reads records from Packer's output.
type Decoder struct {
	r    *bufio.Reader
	line []byte
}

// NewDecoder reads from r, which is read only as fast as Next is called.
func NewDecoder(r io.Reader) *Decoder {
	return &Decoder{r: bufio.NewReaderSize(r, 64<<10)}
}

// Next returns the next record, or io.EOF after the last. Any line makes a
// record: one that does not have the form is text.
func (d *Decoder) Next() (Record, error) {
	line, cut, err := d.readLine()
	if err != nil {
		return Record{}, err
	}
	text := string(line)
	rec := ParseRecord(text)
	rec.Cut, rec.Line = cut, text
	return rec, nil
}

// readLine returns a line without its end, at most maxRecord bytes of it.
func (d *Decoder) readLine() (line []byte, cut bool, err error) {
	d.line = d.line[:0]
	for {
		part, err := d.r.ReadSlice('\n')
		room := MaxRecord - len(d.line)
		if len(bytes.TrimSuffix(part, []byte{'\n'})) > room {
			part, cut = part[:room], true
		}
		d.line = append(d.line, part...)
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(d.line) > 0:
			return bytes.TrimSuffix(d.line, []byte{'\n'}), cut, nil
		case errors.Is(err, io.EOF):
			return nil, false, io.EOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, fmt.Errorf("reading packer's output: %w", err)
		}
	}
}

// ParseRecord splits a line into time, target, type and data. The type is the
// third column and nothing else; text that looks like a record inside a data
// field stays text, because Packer escapes its commas.
func ParseRecord(line string) Record {
	at, rest, ok1 := strings.Cut(line, ",")
	target, rest, ok2 := strings.Cut(rest, ",")
	kind, data, ok3 := strings.Cut(rest, ",")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if !ok1 || !ok2 || (!ok3 && kind == "") || err != nil || seconds < 0 || at[0] == '+' || !isType(kind) {
		return Record{Data: []string{line}}
	}
	rec := Record{At: time.Unix(seconds, 0).UTC(), Target: target, Type: Type(kind)}
	if !ok3 {
		return rec
	}
	fields := strings.SplitN(data, ",", maxFields)
	for i, f := range fields {
		fields[i] = decodeField(f)
	}
	rec.Data = fields
	return rec
}

func isType(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// comma is how Packer writes a comma in a data field.
const comma = "%!(PACKER_COMMA)"

// decodeField undoes Packer's escapes in one pass, so that the result of one
// escape is never taken for the start of another. The encoding has no escape
// for its own signs: text that holds `\n` as two characters comes out as a
// Line break.
func decodeField(field string) string {
	if !strings.ContainsAny(field, `%\`) {
		return field
	}
	var b strings.Builder
	b.Grow(len(field))
	for i := 0; i < len(field); {
		switch rest := field[i:]; {
		case strings.HasPrefix(rest, comma):
			b.WriteByte(',')
			i += len(comma)
		case strings.HasPrefix(rest, `\n`):
			b.WriteByte('\n')
			i += 2
		case strings.HasPrefix(rest, `\r`):
			b.WriteByte('\r')
			i += 2
		default:
			b.WriteByte(field[i])
			i++
		}
	}
	return b.String()
}
