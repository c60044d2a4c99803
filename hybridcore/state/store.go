// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:02:25Z
// Spec: openspec/specs/state/spec.md#requirement-objects
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"sync"
	"time"
)

// Store is the state, in a backend. Its methods may be called by several
// goroutines, and several processes may have the state open.
type Store struct {
	words
	b     Backend
	lives Liveness
	host  host
	// clock is all that leases know of time: the wall clock, and the time since
	// the state was opened, which nobody can set.
	clock func() (wall time.Time, up time.Duration)

	id       string        // by which its snapshots are known
	updating chan struct{} // has room for one

	mu      sync.Mutex
	lineage string // of the stored snapshot, once it was seen
	fresh   string // of the snapshot that is made when there is none

	held sync.Map // *Held: a lease that its holder forgets must not lose its lock to the garbage collector
}

// New keeps the state in a backend.
func New(b Backend, can Capabilities) *Store {
	if can.Guide == nil {
		can.Guide = plain{}
	}
	if can.Liveness == nil {
		can.Liveness = trusting{}
	}
	opened := time.Now()
	return &Store{
		words: words{can.Guide}, b: b, lives: can.Liveness, host: thisHost(),
		id: randomHex(8), updating: make(chan struct{}, 1), fresh: randomHex(16),
		clock: func() (time.Time, time.Duration) {
			now := time.Now()
			return now.UTC().Round(0), now.Sub(opened)
		},
	}
}

// Objects are what the state is made of, for who copies or repairs it.
func (s *Store) Objects() Backend { return s.b }

// Close ends the use of the backend. A lease that is held stays taken.
func (s *Store) Close() error {
	if c, ok := s.b.(io.Closer); ok {
		return c.Close() //nolint:wrapcheck // the backend says which state it is
	}
	return nil
}

// now is the time of day.
func (s *Store) now() time.Time {
	wall, _ := s.clock()
	return wall
}

// randomHex is the text of so many random bytes.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return hex.EncodeToString(b)
}
