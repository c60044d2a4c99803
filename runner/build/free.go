// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:34Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-is-released-by-hand
// Diagram: openspec/specs/leases/diagram.md#released-by-hand

package build

import (
	"cmp"
	"context"
	"errors"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Free releases the lease of one target by hand, and records who did so, and why.
func (s Stage) Free(ctx context.Context, req hybridcore.Request) (hybridcore.Record, error) {
	env, err := s.Project.Config.Environment(req.Env)
	if err == nil {
		err = s.Project.RefuseProd(req, env)
	}
	if err != nil {
		return hybridcore.Record{}, err
	}
	req.Env = env.Name
	req.Origin.Reason = s.Project.Redact(req.Origin.Reason)
	req.Origin.Actor = cmp.Or(req.Origin.Actor, owner())
	by := hybridcore.Freed{
		By: req.Origin.Actor, At: s.Project.Now().UTC(), Reason: req.Origin.Reason, RunID: req.ID,
	}
	was, err := s.Project.State.Free(ctx, env.Name+"/"+req.Images[0]+"@"+string(req.Platforms[0]), by, req.Force)
	if held, ok := errors.AsType[*state.HeldError](err); ok {
		return hybridcore.Record{}, lives(held)
	}
	if err != nil {
		return hybridcore.Record{}, err
	}
	was.Past, was.Freed = nil, &by
	rec := hybridcore.Record{
		FormatVersion: 1, RunID: req.ID, Request: req, At: by.At, Duration: s.Project.Now().Sub(by.At),
		Status: hybridcore.FreedDone, Versions: map[string]string{}, Results: []hybridcore.Result{}, Freed: &was,
	}
	if err := s.Project.State.Append(context.WithoutCancel(ctx), rec, nil); err != nil {
		return rec, &hybridcore.BlockedError{
			Msg: "the lease is free, and status says who released it; the record of it was not stored", Err: err,
		}
	}
	return rec, nil
}

// lives refuses to release the lease of a holder that lives, or may well do so.
func lives(held *state.HeldError) error {
	if held.Known {
		return held
	}
	return &hybridcore.BlockedError{
		Msg: "the holder renewed its lease a short time ago, and lives as far as that tells: wait until it has not done " +
			"so for " + state.Recent.String() + ", or release the lease all the same with --force at a terminal",
		Err: held,
	}
}
