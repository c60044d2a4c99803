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

// Reap removes what ended runs left, for the environment, images and platforms
// that the request names; none means all. Each such run is in the answer, also
// one whose leftovers could not be removed or may still arrive.
func (r *Runner) Reap(ctx context.Context, req hybridcore.Request) ([]hybridcore.Reaped, error) {
	leases, err := r.State.Leases(ctx)
	if err != nil {
		return nil, err
	}
	p := r.beat(ctx)
	defer p.stop()
	all := []hybridcore.Reaped{}
	for _, l := range leases {
		if req.Wants(l.Key) && len(l.Ended()) > 0 {
			all = append(all, r.reap(ctx, p, l, req.DryRun)...)
		}
	}
	return all, nil
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

// reap removes what the ended runs of one target left, under a lease of its own:
// when removing fails, or this process dies too, they are found again.
func (r *Runner) reap(ctx context.Context, p *pulse, l state.LeaseStatus, dry bool) []hybridcore.Reaped {
	var all []hybridcore.Reaped
	for _, past := range l.Ended() {
		all = append(all, reaped(past))
	}
	if l.Live { // its run has looked when it began
		for i, one := range all {
			if all[i].LookAgain = one.Lease.LookAgain(); all[i].LookAgain.IsZero() {
				all[i].LookAgain = r.Now().UTC()
			}
		}
		return all
	}
	fail := func(err error) []hybridcore.Reaped {
		for i := range all {
			all[i].Error = r.redact(err.Error())
		}
		return all
	}
	t, err := r.targetOf(ctx, l.Key)
	if err != nil {
		return fail(err)
	}
	if dry {
		for i := range all {
			if err := r.sweep(ctx, t, true, &all[i]); err != nil {
				all[i].Error = r.redact(err.Error())
			}
		}
		return all
	}
	held, err := r.State.Acquire(ctx, hybridcore.Lease{
		Key: l.Key, RunID: hybridcore.NewRunID(r.Now()), Owner: owner(), Phase: hybridcore.PhaseReaping,
	})
	if err != nil {
		return fail(err)
	}
	all = r.settle(p.hold(ctx, held), t, held)
	p.drop(held)
	if err := held.Release(context.WithoutCancel(ctx)); err != nil {
		return fail(err)
	}
	return all
}

func reaped(past hybridcore.Lease) hybridcore.Reaped {
	return hybridcore.Reaped{Lease: past, Removed: []hybridcore.URI{}, Kept: []hybridcore.URI{}}
}

// settle looks for what ended runs of a held target left, removes it, and notes
// the look in the lease.
func (r *Runner) settle(ctx context.Context, t hybridcore.Target, held *state.Held) []hybridcore.Reaped {
	var all []hybridcore.Reaped
	for _, past := range held.Past() {
		done := reaped(past)
		err := r.sweep(ctx, t, false, &done)
		if err == nil {
			done.LookAgain, err = held.Looked(context.WithoutCancel(ctx), past.RunID, len(done.Removed) > 0)
		}
		if err != nil {
			done.Error = r.redact(errors.Join(lost(ctx), err).Error())
		}
		all = append(all, done)
	}
	return all
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
// been killed, or have failed to clean up. The next one looks again.
func (b *building) cleanUp(ctx context.Context, held *state.Held) {
	b.journal(ctx, held, hybridcore.PhaseUncleaned)
	done := hybridcore.Reaped{Lease: hybridcore.Lease{RunID: b.id, Artifact: artifactName(b.target.Image.Name, b.id)}}
	err := b.sweep(ctx, b.target, false, &done)
	for _, u := range done.Removed {
		b.note("left by Packer: %s %s (%s) was removed from %s", u.Kind, u.Name, u.ID, b.target.Platform.Info().Title)
	}
	if err != nil {
		b.note("left by Packer: not known, the next build and packer-hybrid reap look again: %s", b.redact(err.Error()))
		return
	}
	_, err = held.Looked(ctx, b.id, len(done.Removed) > 0)
	b.journalled(err)
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
