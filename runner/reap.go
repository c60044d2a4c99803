// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:25:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package runner

import (
	"context"
	"errors"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Reap removes what dead runs left, for the environment, images and platforms
// that the request names; none means all. Each dead run is in the answer, also
// one whose leftovers could not be removed.
func (r *Runner) Reap(ctx context.Context, req hybridcore.Request) ([]hybridcore.Reaped, error) {
	dead, err := r.dead(ctx, req.Wants)
	if err != nil {
		return nil, err
	}
	all := make([]hybridcore.Reaped, 0, len(dead))
	for _, lease := range dead {
		target, err := r.targetOf(ctx, lease.Key)
		if err != nil {
			all = append(all, hybridcore.Reaped{Lease: lease, Error: r.redact(err.Error())})
			continue
		}
		all = append(all, r.reap(ctx, target, lease, req.DryRun))
	}
	return all, nil
}

// dead lists the leases whose holders do not live.
func (r *Runner) dead(ctx context.Context, wanted func(key string) bool) ([]hybridcore.Lease, error) {
	leases, err := r.State.Leases(ctx)
	if err != nil {
		return nil, err
	}
	var dead []hybridcore.Lease
	for _, l := range leases {
		if !l.Live && wanted(l.Key) {
			dead = append(dead, l.Lease)
		}
	}
	return dead, nil
}

// targetOf plans the target of a lease, for the variables that lead to its
// platform.
func (r *Runner) targetOf(ctx context.Context, key string) (hybridcore.Target, error) {
	env, name, _ := strings.Cut(key, "/")
	image, platform, _ := strings.Cut(name, "@")
	plan, err := r.Plan(ctx, hybridcore.Request{
		Action: hybridcore.ActionPlan, Env: env, Images: []string{image}, Platforms: []hybridcore.Platform{hybridcore.Platform(platform)},
	})
	if err != nil {
		return hybridcore.Target{}, err
	}
	return plan.Targets[0].Target, nil
}

// reap removes what one dead run left and ends its lease. The lease is taken
// over under the dead run's name: when removing fails, or this process dies
// too, it is found again.
func (r *Runner) reap(ctx context.Context, t hybridcore.Target, lease hybridcore.Lease, dry bool) hybridcore.Reaped {
	done := hybridcore.Reaped{Lease: lease, Removed: []hybridcore.URI{}, Kept: []hybridcore.URI{}}
	release := func() error { return nil }
	if !dry {
		takeover := lease
		takeover.Phase = hybridcore.PhaseReaping
		held, _, err := r.State.Acquire(ctx, takeover)
		if err != nil {
			done.Error = r.redact(err.Error())
			return done
		}
		release = held.Release
	}
	err := r.sweep(ctx, t, dry, &done)
	if err == nil {
		err = release()
	}
	if err != nil {
		done.Error = r.redact(err.Error())
	}
	return done
}

// sweep asks the platform what carries the dead run's name.
func (r *Runner) sweep(ctx context.Context, t hybridcore.Target, dry bool, done *hybridcore.Reaped) (err error) {
	client, err := r.Connect(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close(context.WithoutCancel(ctx))) }()
	removed, err := client.Reap(ctx, done.Lease.Artifact, done.Lease.RunID, dry)
	done.Removed = append(done.Removed, removed...)
	if err != nil {
		return err
	}
	found, err := client.Find(ctx, done.Lease.Artifact)
	for _, u := range found {
		if !slices.Contains(removed, u) {
			done.Kept = append(done.Kept, u)
		}
	}
	return err
}

// cleanUp removes what Packer left of a build that did not succeed: it may have
// been killed, or have failed to clean up. When the platform cannot be asked,
// the lease outlives the run, and the next one looks again.
func (b *building) cleanUp(ctx context.Context, held *state.Held) {
	done := hybridcore.Reaped{Lease: hybridcore.Lease{RunID: b.id, Artifact: artifactName(b.target.Image.Name, b.id)}}
	err := b.sweep(ctx, b.target, false, &done)
	for _, u := range done.Removed {
		b.note("left by Packer: %s %s (%s) was removed from %s", u.Kind, u.Name, u.ID, b.target.Platform.Info().Title)
	}
	if err == nil {
		return
	}
	b.note("left by Packer: not known, the next build and packer-hybrid reap look again: %s", b.redact(err.Error()))
	b.mu.Lock()
	b.held = slices.DeleteFunc(b.held, func(h *state.Held) bool { return h == held })
	b.mu.Unlock()
	if err := held.Update(hybridcore.PhaseUncleaned); err != nil {
		b.Log.Error("journal not written", "target", b.target.Name(), "error", err)
	}
}

// owner is USER@HOST, as far as this machine tells.
func owner() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
