// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-numbered-generations
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// SnapshotFolder holds the generations of the snapshot.
const SnapshotFolder = "snapshot/"

// updateWait bounds how long an update competes with others, and leastTries how often it may at least: where a backend
// takes long to answer, few tries take as long.
const (
	updateWait = 2 * time.Minute
	leastTries = 10
)

// updateRetry is how long an update waits before it begins anew.
const updateRetry = time.Millisecond

// maxUnseen is how often an update finds its number taken by what is not there
// when it looks: somebody may just have taken it back.
const maxUnseen = 50

// Read returns the snapshot. When there is none yet it is empty, with serial 0
// and a lineage that the first Update will write. A snapshot that cannot be
// trusted is a BlockedError.
func (s *Store) Read(ctx context.Context) (hybridcore.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return hybridcore.Snapshot{}, fmt.Errorf("reading the state: %w", err)
	}
	_, file, err := s.readSnapshot(ctx)
	return file.Snapshot, err
}

// Update changes the snapshot: it reads it, calls change, and puts the result
// with the serial one higher as the next generation. When somebody else has put
// that one it begins anew, until ctx ends, for at most two minutes, or ten times
// where those take longer: change may be called several times, each time with what
// is stored then. When change returns an error nothing is written and that error is
// returned. Change must leave lineage, serial and format version alone.
func (s *Store) Update(ctx context.Context, change func(*hybridcore.Snapshot) error) error {
	select {
	case s.updating <- struct{}{}:
		defer func() { <-s.updating }()
	case <-ctx.Done():
		return fmt.Errorf("updating the state: %w", ctx.Err())
	}
	giveUp := time.Now().Add(updateWait)
	for before, unseen, lost := uint64(0), 0, 0; ; lost++ {
		n, file, err := s.readSnapshot(ctx)
		if err != nil {
			return err
		}
		if before > n { // what is in the way of the next one is not listed
			if unseen++; unseen > maxUnseen {
				return s.refuse(Chain{s.b, SnapshotFolder}.name(before), FormError("it is no object"), "move it away")
			}
		}
		stored, err := s.putSnapshot(ctx, n, file, change)
		if stored || err != nil {
			return err
		}
		before = n + 1
		if ctx.Err() != nil || time.Now().After(giveUp) && lost >= leastTries {
			return &hybridcore.BlockedError{
				Msg: "the state is written by others all the time (" + s.guide.Where("") + "); run again",
				Err: errors.Join(ctx.Err(), context.DeadlineExceeded),
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(updateRetry):
		}
	}
}

// putSnapshot changes generation n. False says that somebody else was faster.
func (s *Store) putSnapshot(
	ctx context.Context, n uint64, old snapshotFile, change func(*hybridcore.Snapshot) error,
) (bool, error) {
	next := old
	if err := change(&next.Snapshot); err != nil {
		return false, err
	}
	if next.Lineage != old.Lineage {
		return false, hybridcore.Blockedf("the state in %s has lineage %s; a change for lineage %.64q is refused because it "+
			"belongs to another state", s.guide.Where(""), old.Lineage, next.Lineage)
	}
	if next.Serial != old.Serial || next.FormatVersion != old.FormatVersion {
		return false, errors.New("updating the state: the change set serial or format version, which are not its own")
	}
	next.Serial++
	next.Writers = old.writtenBy(s.id)
	data, err := encodeSnapshot(next)
	if err != nil {
		return false, err
	}
	stored, err := Chain{s.b, SnapshotFolder}.Next(ctx, n, data, func(later []byte) bool {
		file, err := decodeSnapshot(later)
		return err == nil && file.writes(s.id) >= next.writes(s.id)
	})
	if err != nil {
		return false, s.writeError("writing the snapshot", err)
	}
	if stored {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lineage = next.Lineage
	}
	return stored, nil
}

// readSnapshot reads and checks the newest snapshot; its number is 0 when there
// is none.
func (s *Store) readSnapshot(ctx context.Context) (uint64, snapshotFile, error) {
	c := Chain{s.b, SnapshotFolder}
	n, data, err := c.Newest(ctx)
	name := c.name(n)
	form, malformed := errors.AsType[FormError](err)
	switch {
	case n == 0 && err == nil:
		empty := hybridcore.Snapshot{FormatVersion: formatVersion, Lineage: s.fresh, Targets: map[string]hybridcore.Current{}}
		return 0, snapshotFile{snapshotBody: snapshotBody{Snapshot: empty}}, nil
	case malformed:
		return n, snapshotFile{}, s.refuseSnapshot(ctx, n, form)
	case err != nil:
		return n, snapshotFile{}, s.unreadable(name, err)
	}
	file, err := decodeSnapshot(data)
	if err != nil {
		return n, snapshotFile{}, s.refuseSnapshot(ctx, n, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lineage != "" && s.lineage != file.Lineage {
		return n, snapshotFile{}, s.refuse(name, fmt.Errorf(
			"its lineage is %s, but it was %s when this run began: it was exchanged for another state", file.Lineage, s.lineage),
			"put the former state back, or run again to work with this one")
	}
	s.lineage = file.Lineage
	return n, file, nil
}
