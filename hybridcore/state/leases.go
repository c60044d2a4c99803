// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:11Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Bounds of the wait for a lease that is changing hands.
const (
	acquireWait  = 30 * time.Second
	acquireRetry = 2 * time.Millisecond
)

// How long leases last. The holder renews its lease each Renewal, so that four
// renewals in a row may fail before another host may take it over.
const (
	Term    = 5 * time.Minute // of a lease that is not renewed
	Renewal = time.Minute     // between two renewals
	Skew    = 5 * time.Minute // by how much the clocks of two hosts may differ
)

// Acquire takes the lease of lease.Key (ENV/IMAGE@PLATFORM); it is on disk when
// the call returns. Host, boot ID, process, serial and expiry are set here; empty
// owner, time and phase become USER@HOST, now and "starting". When the former
// holder is dead its run is the last in the new lease's past, so that what it
// left can be found. When the holder lives the error is a HeldError.
func (s *Store) Acquire(ctx context.Context, lease hybridcore.Lease) (*Held, error) {
	if !keyRule.MatchString(lease.Key) {
		return nil, hybridcore.Usagef("%.200q is not the key ENV/IMAGE@PLATFORM of a target", lease.Key)
	}
	if err := hybridcore.CheckName("run", lease.RunID); err != nil {
		return nil, err
	}
	return taking{s: s, lease: lease}.acquire(ctx)
}

// taking is what takes the lease of a key.
type taking struct {
	s     *Store
	lease hybridcore.Lease
	freed *hybridcore.Freed // who takes it by hand, from a holder that may live; nil for a run
	from  claim             // by hand: of that holder
}

// acquire takes the lease.
func (t taking) acquire(ctx context.Context) (*Held, error) {
	t.s.host.fill(&t.lease, t.s.now())
	giveUp := time.Now().Add(acquireWait)
	for tried := 1; ; tried++ {
		held, err := t.try(ctx)
		if !errors.Is(err, errBetween) {
			return held, err
		}
		if time.Now().After(giveUp) && tried >= leastTries {
			hint := cmp.Or(t.s.lives.Who(t.lease.Key), "packer-hybrid status")
			return nil, hybridcore.Blockedf("%s is locked by a process that has no lease; see which one with: %s", t.lease.Key,
				hint)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("acquiring %s: %w", t.lease.Key, ctx.Err())
		case <-time.After(acquireRetry):
		}
	}
}

// fill says where a lease is taken, and what its taker left open.
func (h host) fill(lease *hybridcore.Lease, now time.Time) {
	lease.Host, lease.BootID, lease.PID = h.name, h.boot, os.Getpid()
	if lease.Owner == "" {
		lease.Owner = h.user + "@" + h.name
	}
	if lease.At.IsZero() {
		lease.At = now
	}
	if lease.Phase == "" {
		lease.Phase = "starting"
	}
}

// errBetween says that somebody is about to release or to acquire a lease.
var errBetween = errors.New("the lease is changing hands")

// try shows that this process lives for the key, then puts the lease.
func (t taking) try(ctx context.Context) (_ *Held, err error) {
	s, lease := t.s, t.lease
	n, was, err := s.readLease(ctx, lease.Key)
	if err != nil {
		return nil, err
	}
	if t.freed != nil && (was == nil || claimOf(*was) != t.from) {
		return nil, hybridcore.Blockedf("%s has changed hands meanwhile: see packer-hybrid status", lease.Key)
	}
	lease.Serial, lease.Past = 1, nil
	if was != nil {
		lease.Serial, lease.Past = was.Serial+1, marked(ended(*was, false), was.RunID, t.freed)
	}
	held := &Held{s: s, key: lease.Key, mine: claimOf(lease)}
	held.wall, held.up = s.clock()
	lease.Expires = held.expiry()
	held.lease = lease
	asleep := false // the former holder may be, and wake up
	held.hold, err = s.lives.Hold(ctx, lease.Key, held.mine.mark(), markOf(was), func(life Life) error {
		if life == Taken {
			return errBetween
		}
		if was == nil || was.Phase == hybridcore.PhaseReleased {
			return nil
		}
		asleep = !s.host.proven(*was, life)
		if live, why := s.believe(*was, life); live && (t.freed == nil || life == Living) {
			return &HeldError{Lease: *was, Why: why, Remote: !s.host.has(*was), Known: life == Living}
		}
		return nil
	})
	if errors.Is(err, errBetween) {
		return nil, err
	}
	if err != nil {
		return nil, s.writeError("acquiring "+lease.Key, err)
	}
	if err := t.put(ctx, held, n, asleep); err != nil {
		_ = held.hold.Unlock() // closing frees it in any case
		return nil, err
	}
	s.held.Store(held, true)
	return held, nil
}

// put puts the lease of a new holder after generation n. A former holder
// that may wake up must not store what it found out before: a snapshot is put
// after which its changes begin anew.
func (t taking) put(ctx context.Context, h *Held, n uint64, asleep bool) error {
	s := t.s
	text, err := encodeLease(h.lease)
	if err != nil {
		return err
	}
	c := Chain{s.b, LeaseFolder(h.key)}
	switch stored, err := c.Next(ctx, n, text, h.mine.in); {
	case err != nil:
		return s.writeError("acquiring "+h.key, err)
	case !stored:
		return errBetween
	case !asleep:
		return nil
	}
	if err := s.Update(ctx, func(*hybridcore.Snapshot) error { return nil }); err != nil {
		return errors.Join(err, c.takeBack(ctx, n+1))
	}
	return nil
}

// ended lists the runs of a lease that are over and of which something may be
// on the platform: its past, and its own run unless that lives.
func ended(l hybridcore.Lease, live bool) []hybridcore.Lease {
	past := slices.Clone(l.Past)
	own := slices.ContainsFunc(past, func(p hybridcore.Lease) bool { return p.RunID == l.RunID })
	if own || live || l.Phase == hybridcore.PhaseReleased || l.Phase == hybridcore.PhaseReaping {
		return past
	}
	l.Past = nil
	return append(past, l)
}

// LeaseStatus is a lease with what can be told of its holder.
type LeaseStatus struct {
	hybridcore.Lease
	Live bool
	Why  string // why it counts as live or dead
}

// Ended lists the runs of the target that are over and of which something may
// be on the platform, oldest first.
func (s LeaseStatus) Ended() []hybridcore.Lease { return ended(s.Lease, s.Live) }

// Leases lists by key the leases that somebody holds or that have ended runs.
// Leases that cannot be trusted make a
// BlockedError that comes together with the others.
func (s *Store) Leases(ctx context.Context) ([]LeaseStatus, error) {
	newest, err := newestLeases(ctx, s.b)
	if err != nil {
		return nil, s.unreadable(LeasesFolder, err)
	}
	var all []LeaseStatus
	var damage []error
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		lease, err := s.leaseAt(ctx, key, newest[key])
		if err != nil {
			damage = append(damage, err)
		}
		if lease == nil {
			continue
		}
		status := LeaseStatus{Lease: *lease, Why: "it was released"}
		if lease.Phase != hybridcore.PhaseReleased {
			life, err := s.lives.Probe(ctx, key, markOf(lease))
			if err != nil {
				return nil, err
			}
			status.Live, status.Why = s.believe(*lease, life)
		}
		if status.Live || len(status.Ended()) > 0 {
			all = append(all, status)
		}
	}
	return all, errors.Join(damage...)
}

// newestLeases finds the newest generation of each lease, by key.
func newestLeases(ctx context.Context, b Backend) (map[string]uint64, error) {
	newest := map[string]uint64{}
	for name, err := range b.List(ctx, LeasesFolder) {
		if err != nil {
			return nil, err
		}
		if key := leaseKey(name); key != "" {
			newest[key] = max(newest[key], Chain{b, LeaseFolder(key)}.number(name))
		}
	}
	maps.DeleteFunc(newest, func(_ string, n uint64) bool { return n == 0 })
	return newest, nil
}
