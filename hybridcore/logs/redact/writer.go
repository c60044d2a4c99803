// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:06Z
// Spec: openspec/specs/logs/spec.md#requirement-masking-is-exact-across-chunk-borders
// Diagram: openspec/specs/logs/diagram.md#writer

package redact

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// eagerHeld is the number of held bytes up to which every write is looked at. Beyond it, writes without a line end are
// looked at when they add up to a 16th of what is held, or somebody who writes single bytes after the beginning of a
// key would
// have thousands of bytes looked at for each.
const eagerHeld = 1 << 8

// Writer returns a writer that passes on to w what is written to it, redacted. The caller closes it when the text
// ends, and
// afterwards whatever is behind w.
func (r *Redactor) Writer(w io.Writer) *Writer {
	return &Writer{redactor: r, sink: w}
}

// Writer redacts a stream. Its output does not depend on how the input is cut into writes; it holds back only
// bytes
// that may be the beginning of a secret. It is safe for concurrent use. Write takes no longer than the sink does, and
// always
// accepts everything: when the sink fails the bytes are dropped and counted, and the next write tries the sink again,
// because
// Packer hangs for ever when its output is not read.
type Writer struct {
	redactor  *Redactor
	documents bool // each write is one JSON document

	mu      sync.Mutex
	sink    io.Writer
	held    []byte // input that is not decided
	unseen  int    // bytes at the end of held that were not looked at
	state   stream
	dropped int64
	err     error
	closed  bool
}

// Write takes p and returns len(p) and no error, whatever the sink does. After Close it only counts.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.dropped += int64(len(p))
		return len(p), nil
	}
	if w.documents {
		w.pass(w.redactor.JSON(p))
		return len(p), nil
	}
	m := w.redactor.now.Load()
	for rest := p; len(rest) > 0; {
		n := min(segment, len(rest))
		w.next(m, rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

// next redacts one piece of input.
func (w *Writer) next(m *matcher, piece []byte) {
	text := piece
	if len(w.held) > 0 {
		w.held = append(w.held, piece...)
		w.unseen += len(piece)
		if len(w.held) > eagerHeld && w.unseen < len(w.held)/16 && bytes.IndexByte(piece, '\n') < 0 {
			return
		}
		text, w.unseen = w.held, 0
	}
	w.held = append(w.held[:0], w.redact(m, text, false)...) // copies forward inside held when text is held
}

// redact passes on what of a text is decided, and returns the rest.
func (w *Writer) redact(m *matcher, text []byte, final bool) []byte {
	for early := true; early; early = w.state.early {
		out, decided := w.state.redact(m, text, final)
		w.pass(out)
		text = text[decided:]
	}
	return text
}

// pass writes decided text to the sink.
func (w *Writer) pass(out []byte) {
	if len(out) == 0 {
		return
	}
	n, err := w.sink.Write(out)
	if n = min(max(n, 0), len(out)); n == len(out) && err == nil {
		return
	}
	w.dropped += int64(len(out) - n)
	if err == nil {
		err = io.ErrShortWrite
	}
	if w.err == nil {
		w.err = err
	}
}

// Flush passes on what is held back, as if the text ended here, and returns the first error of the sink. A secret that
// goes
// on after it is not recognised: flush where a text ends, not to be prompt.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return w.failure()
}

// Close flushes and ends the stream. It returns the first error of the sink, and does not close the sink. A second
// Close does
// nothing but return that error again.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.flush()
		w.closed, w.held, w.state = true, nil, stream{}
	}
	return w.failure()
}

// flush decides what is held back.
func (w *Writer) flush() {
	w.redact(w.redactor.now.Load(), w.held, true)
	w.held, w.unseen, w.state = w.held[:0], 0, stream{}
}

// Dropped returns the number of bytes that did not reach the sink, counted after redaction, and those written after
// Close.
func (w *Writer) Dropped() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// Err returns the first error of the sink, or nil.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// failure returns the first error of the sink with the number of dropped bytes.
func (w *Writer) failure() error {
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("writing log: %d bytes dropped: %w", w.dropped, w.err)
}
