// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:25Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-is-released-by-hand
// Diagram: openspec/specs/leases/diagram.md#released-by-hand

package state

import (
	"context"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Recent is how long ago a holder that lives may have renewed its lease: it does so
// each Renewal, and one may fail.
const Recent = 2 * Renewal

// Free takes the lease of a target from its holder, for one that does not live any
// more but of which that cannot be told, such as one on another host. It returns the
// lease as it was. The serial grows, so that a holder that only sleeps learns that it
// has lost the lease; its run is in the past of the target, with who has done this. A
// holder of which is known that it lives is a HeldError, and so is one that renewed
// its lease recently, unless force says to go on. Run and owner of by are those of
// this process.
func (s *Store) Free(ctx context.Context, key string, by hybridcore.Freed, force bool) (hybridcore.Lease, error) {
	if !keyRule.MatchString(key) {
		return hybridcore.Lease{}, hybridcore.Usagef("%.200q is not the key ENV/IMAGE@PLATFORM of a target", key)
	}
	_, was, err := s.readLease(ctx, key)
	if err != nil {
		return hybridcore.Lease{}, err
	}
	if was == nil || was.Phase == hybridcore.PhaseReleased {
		return hybridcore.Lease{}, hybridcore.Usagef("nobody holds %s: there is nothing to release", key)
	}
	life, err := s.lives.Probe(ctx, key, markOf(was))
	if err != nil {
		return hybridcore.Lease{}, err
	}
	live, why := s.believe(*was, life)
	if life == Living || live && !force && s.now().Sub(Renewed(*was)) < Recent {
		return hybridcore.Lease{}, &HeldError{
			Lease: *was, Why: why, Remote: !s.host.has(*was), Known: life == Living,
		}
	}
	held, err := taking{s: s, freed: &by, from: claimOf(*was), lease: hybridcore.Lease{
		Key: key, RunID: by.RunID, Owner: by.By, Phase: hybridcore.PhaseReaping,
	}}.acquire(ctx)
	if err != nil {
		return hybridcore.Lease{}, err
	}
	return *was, held.Release(context.WithoutCancel(ctx))
}

// marked notes in ended runs who took the lease of one of them.
func marked(past []hybridcore.Lease, run string, by *hybridcore.Freed) []hybridcore.Lease {
	if by == nil {
		return past
	}
	past = slices.Clone(past)
	for i := range past {
		if past[i].RunID == run {
			past[i].Freed = by
		}
	}
	return past
}

// Renewed is when the holder of a lease last renewed it, by its own clock.
func Renewed(l hybridcore.Lease) time.Time { return l.Expires.Add(-Term) }
