// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:39Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"context"
	"errors"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

func leases(t *testing.T, o opened) {
	ctx := t.Context()
	if all, err := o.Leases(ctx); err != nil || len(all) != 0 {
		t.Fatalf("leases of an empty state: %v, %v", all, err)
	}
	held, err := o.Acquire(ctx, Lease("run-1"))
	if err != nil || len(held.Past()) != 0 {
		t.Fatal(err)
	}
	if err := held.Update(ctx, "running"); err != nil {
		t.Fatal(err)
	}
	if err := held.Update(ctx, "sleeping"); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("unknown phase: %v", err)
	}
	_, err = o.Acquire(ctx, Lease("run-2"))
	var heldError *state.HeldError
	if !errors.As(err, &heldError) || heldError.Lease.RunID != "run-1" || heldError.Lease.Phase != "running" {
		t.Fatalf("second lease: %v", err)
	}
	WantBlocked(t, err, "lab/debian-12@vsphere", "run-1", heldError.Lease.Owner, "kill -TERM")
	all, err := o.Leases(ctx)
	if err != nil || len(all) != 1 || !all[0].Live || all[0].RunID != "run-1" {
		t.Errorf("leases %+v, %v", all, err)
	}
	released(t, o, held)
	if _, err := o.Acquire(ctx,
		hybridcore.Lease{Key: "../x", RunID: "run-1"}); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("hostile key: %v", err)
	}
}

// released releases a lease, twice, and lets another run have the target.
func released(t *testing.T, o opened, held *state.Held) {
	ctx := t.Context()
	for range 2 {
		if err := held.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := held.Update(ctx, "running"); err == nil {
		t.Error("a released lease was updated")
	}
	if all, err := o.Leases(ctx); err != nil || len(all) != 0 {
		t.Errorf("leases after release %+v, %v", all, err)
	}
	again, err := o.Acquire(ctx, Lease("run-3"))
	if err != nil || len(again.Past()) != 0 {
		t.Fatalf("after release: %v", err)
	}
	if err := again.Release(ctx); err != nil {
		t.Error(err)
	}
}

// endedHolder lets a holder end without a release: the next one knows at once, if
// the backend can tell.
func endedHolder(t *testing.T, o opened) {
	var shown state.Hold
	if o.can.Liveness != nil {
		o.can.Liveness = &caught{o.can.Liveness, &shown}
	}
	held, err := o.again().Acquire(t.Context(), Lease("run-1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Update(t.Context(), hybridcore.PhaseRunning); err != nil {
		t.Fatal(err)
	}
	if shown != nil {
		err = shown.Unlock()
	}
	if err != nil {
		t.Fatal(err)
	}
	next, err := o.Acquire(t.Context(), Lease("run-2"))
	if o.can.Liveness == nil {
		WantBlocked(t, err, "nothing tells whether process", "run-1")
		return
	}
	if err != nil || len(next.Past()) != 1 || next.Past()[0].RunID != "run-1" {
		t.Fatalf("after the holder's end: %v", err)
	}
	if err := held.Renew(t.Context()); err == nil {
		t.Error("the former holder still has it")
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
	all, err := o.Leases(t.Context())
	if err != nil || len(all) != 1 || all[0].Live || len(all[0].Ended()) != 1 {
		t.Errorf("leases %+v, %v", all, err)
	}
}

// caught gets hold of what a process shows of itself.
type caught struct {
	state.Liveness
	shown *state.Hold
}

// Hold keeps what it returns.
func (c *caught) Hold(
	ctx context.Context, key, mine, former string, allow func(state.Life) error,
) (state.Hold, error) {
	h, err := c.Liveness.Hold(ctx, key, mine, former, allow)
	*c.shown = h
	return h, err
}
