// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:59:51Z
// Spec: openspec/specs/packer/spec.md#requirement-drained-pipes
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

const (
	// maxQueued bounds what waits for the log, in bytes.
	maxQueued = 8 << 20
	// maxStall bounds how long Packer is held up by a slow log. After that
	// lines are dropped and counted.
	maxStall = 5 * time.Second
	// maxWrite is the size from which lines go to the log in several writes.
	maxWrite = 64 << 10
	// maxFlush bounds the wait for the log once Packer has ended.
	maxFlush = 10 * time.Second
	// perItem is what one queued line costs besides its text, roughly.
	perItem = 128
)

// item is one line on its way to the log and to the caller.
type item struct {
	line  string
	event hybridcore.Event
	show  bool // event is set
}

// sink carries lines from the readers of the pipes to the log and the caller
// without ever blocking the readers for long.
type sink struct {
	log     io.Writer
	onEvent func(hybridcore.Event)
	redact  func(string) string
	stall   time.Duration
	done    chan struct{}

	mu       sync.Mutex
	work     *sync.Cond // items or closed changed
	room     chan struct{}
	items    []item
	bytes    int  // queued or being written
	dropping bool // the log stalled and has not caught up
	free     bool // never wait for room: Packer has ended
	closed   bool
	gone     bool // nobody waits for the rest any more
	lost     int
	err      error // the log's last error
}

func newSink(job Job) *sink {
	s := &sink{
		log: job.Log, onEvent: job.OnEvent, redact: job.Redact, stall: maxStall, done: make(chan struct{}),
		room: make(chan struct{}, 1),
	}
	s.work = sync.NewCond(&s.mu)
	go s.consume()
	return s
}

// put queues one line. It waits for room for at most the stall time; a line for
// which there is no room is counted as lost.
func (s *sink) put(it item) {
	size := len(it.line) + len(it.event.Text) + perItem
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropping && s.bytes <= maxQueued/2 {
		s.dropping = false
	}
	if s.bytes+size > maxQueued && !s.free && !s.dropping {
		s.waitRoom(size)
		s.wake() // the other reader may wait too
	}
	if s.bytes+size > maxQueued && !s.free {
		s.dropping = true
		s.lost++
		return
	}
	s.items = append(s.items, it)
	s.bytes += size
	s.work.Signal()
}

// waitRoom gives the lock up while it waits.
func (s *sink) waitRoom(size int) {
	timer := time.NewTimer(s.stall)
	defer timer.Stop()
	for s.bytes+size > maxQueued && !s.free {
		s.mu.Unlock()
		select {
		case <-s.room:
			s.mu.Lock()
		case <-timer.C:
			s.mu.Lock()
			return
		}
	}
}

// wake tells one waiting put that something changed. The lock is held.
func (s *sink) wake() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// unblock lets the readers empty their pipes at once: at most what a pipe
// holds is still to come.
func (s *sink) unblock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = true
	s.wake()
}

// close waits until everything is written, for at most maxFlush, and says how
// many lines the log did not get and why.
func (s *sink) close() (lost int, err error) {
	s.mu.Lock()
	s.closed, s.free = true, true
	s.wake()
	s.work.Signal()
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-time.After(maxFlush):
		s.mu.Lock()
		s.gone = true
		s.lost += len(s.items)
		s.err = fmt.Errorf("the log took nothing for %s", maxFlush)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost, s.err
}

func (s *sink) consume() {
	defer close(s.done)
	for {
		s.mu.Lock()
		for len(s.items) == 0 && !s.closed {
			s.work.Wait()
		}
		batch := s.items
		s.items = nil
		gone := s.gone
		s.mu.Unlock()
		if len(batch) == 0 || gone {
			return
		}
		s.deliver(batch)
	}
}

// deliver writes a batch in chunks of about maxWrite and passes its events on.
func (s *sink) deliver(batch []item) {
	var chunk bytes.Buffer
	first := 0
	for i, it := range batch {
		chunk.WriteString(it.line)
		chunk.WriteByte('\n')
		if chunk.Len() < maxWrite && i < len(batch)-1 {
			continue
		}
		if s.finish(batch[first:i+1], s.write(&chunk)) {
			return
		}
		first = i + 1
		chunk.Reset()
	}
}

func (s *sink) write(chunk *bytes.Buffer) error {
	if s.log == nil {
		return nil
	}
	_, err := s.log.Write(chunk.Bytes())
	if err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	return nil
}

// finish accounts for written lines and passes their events on. It returns
// true when nobody waits for more.
func (s *sink) finish(items []item, err error) bool {
	for _, it := range items {
		if it.show && s.onEvent != nil {
			if s.redact != nil {
				it.event.Text = s.redact(it.event.Text)
			}
			it.event.Text = output.Bound(it.event.Text)
			s.onEvent(it.event)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		s.bytes -= len(it.line) + len(it.event.Text) + perItem
	}
	if err != nil {
		s.lost += len(items)
		s.err = err
	}
	s.wake()
	return s.gone
}
