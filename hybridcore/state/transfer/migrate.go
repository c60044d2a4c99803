// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:08:37Z
// Spec: openspec/specs/state/spec.md#requirement-a-state-moves-to-another-backend
// Diagram: openspec/specs/state/diagram.md#migrate

package transfer

import (
	"context"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Migrate copies all objects of a state to one that is empty, or that a former
// migration began to fill; the source stays as it is. It is refused while a run
// holds a lease in either, and when the target holds another state. Who calls it
// opens the target anew and calls Verify.
func Migrate(ctx context.Context, from, to *state.Store, tell Progress) (Copied, error) {
	source, err := from.Read(ctx) // one that cannot be used is refused
	if err == nil {
		err = idle(ctx, "source", from)
	}
	if err != nil {
		return Copied{}, err
	}
	want, _, err := names(ctx, from.Objects())
	if err == nil && len(want) == 0 {
		err = hybridcore.Usagef("the source holds no objects of a state")
	}
	if err == nil {
		err = own(ctx, source, want, to)
	}
	if err != nil {
		return Copied{}, err
	}
	c := copying{from: from.Objects(), to: to.Objects(), tell: tell}
	err = c.everything(ctx)
	if err == nil { // a run that began meanwhile would be in one of both only
		err = idle(ctx, "source", from)
	}
	return c.came, err
}

// idle refuses a state in which a run holds a lease.
func idle(ctx context.Context, which string, s *state.Store) error {
	leases, err := s.Leases(ctx)
	if err != nil {
		return fmt.Errorf("looking for leases in the %s: %w", which, err)
	}
	for _, l := range leases {
		if l.Live {
			return &hybridcore.BlockedError{
				Msg: "a run is at work in the " + which + ", which would be lost: wait for it, then run again",
				Err: &state.HeldError{Lease: l.Lease, Why: l.Why, Remote: true},
			}
		}
	}
	return nil
}

// own refuses a target that holds anything else than a part of the source, as it is or
// was. What it says of a lease that a run had in the source, before the first migration
// ended half-way, does not matter.
func own(ctx context.Context, source hybridcore.Snapshot, want []string, to *state.Store) error {
	lineage, n, err := state.Lineage(ctx, to.Objects())
	if err != nil {
		return err
	}
	if n > 0 && (source.Serial == 0 || lineage != source.Lineage) {
		return hybridcore.Blockedf("the target holds another state, of lineage %.32s; give an empty one", lineage)
	}
	have, _, err := names(ctx, to.Objects())
	if err != nil {
		return err
	}
	there, last := map[string]bool{}, newest(want)
	for _, name := range want {
		there[name] = true
	}
	for _, name := range have {
		folder, n := state.Numbered(name)
		former := n > 0 && n < last[folder] // removed in the source since
		kind := state.KindOf(name)
		if there[name] || former || kind == state.KindTicket || kind == state.KindSeen {
			continue
		}
		if kind == state.KindLease {
			err = idle(ctx, "target", to)
		}
		if err == nil {
			err = hybridcore.Blockedf("the target has %s, which the source has not: it is another state, or was used since "+
				"it was filled; give an empty one%s", name, hint(name))
		}
		return err
	}
	return nil
}

// hint says what to do when the target was used already.
func hint(name string) string {
	if strings.HasPrefix(name, state.SnapshotFolder) {
		return ", or go on with the target, which is newer"
	}
	return ""
}

// Pull copies all objects of a state to one that is empty. Runs may be at work.
func Pull(ctx context.Context, from, to *state.Store, tell Progress) (Copied, error) {
	have, others, err := names(ctx, to.Objects())
	if err != nil {
		return Copied{}, err
	}
	if len(have)+len(others) > 0 {
		return Copied{}, hybridcore.Usagef("the folder is not empty: give a new one")
	}
	c := copying{from: from.Objects(), to: to.Objects(), tell: tell}
	err = c.everything(ctx)
	return c.came, err
}
