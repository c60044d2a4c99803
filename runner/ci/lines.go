// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:57:20Z
// Spec: openspec/specs/ci/spec.md#requirement-foreign-text-in-a-ci-log
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package ci

import (
	"bytes"
	"fmt"
	"io"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxLine bounds a line that waits for its end, in bytes; a longer one is
// broken, so that no command forms across two writes.
const maxLine = 64 << 10

// Lines writes foreign text, line by line, so that no line is a command; see
// text.JobLog. It is not safe for concurrent use.
type Lines struct {
	to   io.Writer
	wait []byte // the beginning of a line whose end has not come
	err  error
}

// NewLines returns a writer of inert lines.
func NewLines(to io.Writer) *Lines { return &Lines{to: to} }

// Write takes the whole text, or fails with what the writer below failed with.
func (l *Lines) Write(text []byte) (int, error) {
	rest := append(l.wait, text...)
	for l.err == nil {
		end, next := bytes.IndexByte(rest, '\n'), 0
		switch {
		case end > maxLine || end < 0 && len(rest) >= maxLine:
			end, next = maxLine, maxLine
		case end < 0:
			l.wait = append(l.wait[:0], rest...)
			return len(text), nil
		default:
			next = end + 1
		}
		l.flush(rest[:end])
		rest = rest[next:]
	}
	return 0, l.err
}

// Close writes a last line that has no end. It does not close the writer below.
func (l *Lines) Close() error {
	if l.err == nil && len(l.wait) > 0 {
		l.flush(l.wait)
	}
	l.wait = nil
	return l.err
}

func (l *Lines) flush(line []byte) {
	line = bytes.TrimSuffix(line, []byte("\r"))
	if _, err := io.WriteString(l.to, text.JobLog(string(line))+"\n"); err != nil {
		l.err = fmt.Errorf("writing foreign lines: %w", err)
	}
}
