// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// acquire takes the target's lease and removes what ended runs of it left. A
// living holder blocks the target, and so does a leftover that stays. The
// context that it returns ends when the lease is lost.
func (x *run) acquire(ctx context.Context, t hybridcore.Target, b *building) (context.Context, *state.Held, error) {
	held, err := x.project.State.Acquire(ctx, hybridcore.Lease{
		Key: t.Key(), RunID: x.id, Owner: owner(), Artifact: project.ArtifactName(t.Image.Name, x.id), Scratch: b.scratch,
		Phase: hybridcore.PhaseStarting, Lab: x.project.Lab(),
	})
	if err != nil {
		return ctx, nil, err
	}
	x.mu.Lock()
	x.held[t.Name()] = held
	x.mu.Unlock()
	x.project.Log.Info("leased", "target", t.Name(), "scratch", b.scratch)
	ctx = x.pulse.hold(ctx, held)
	for _, done := range x.stage.cleanPast(ctx, t, held) {
		b.tell(done)
		if done.Error != "" {
			return ctx, nil, hybridcore.Blockedf(
				"what run %s left could not be removed: %s\n  hint: see packer-hybrid reap --dry-run", done.Lease.RunID, done.Error)
		}
	}
	return ctx, held, nil
}

// tell notes what an ended run of the target left.
func (b *building) tell(done hybridcore.Reaped) {
	lease, title := done.Lease, b.target.Platform.Info().Title
	first := lease.QuietSince.IsZero()
	if first {
		b.note("interrupted run: %s by %s (pid %d), started %s, %s",
			lease.RunID, lease.Owner, lease.PID, lease.At.UTC().Format("2006-01-02 15:04:05 UTC"), lease.End())
	}
	for _, u := range done.Removed {
		b.note("left behind: %s %s (%s) was removed from %s", u.Kind, u.Name, u.ID, title)
	}
	for _, u := range done.Kept {
		b.note("left behind: %s %s (%s) on %s is complete and stays, but no record has it as built", u.Kind, u.Name, u.ID,
			title)
	}
	if first && len(done.Removed)+len(done.Kept) == 0 && done.Error == "" {
		b.note("left behind: nothing named %s is on %s without a record", lease.Artifact, title)
	}
}
