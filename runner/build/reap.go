// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:25:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package build

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Reap removes what ended runs left, for the environment, images and platforms
// that the request names: no images and platforms mean all, and no environment the
// project's default one, since what leads to a platform is that of one environment.
// Ended runs of others are then in the answer, as not looked for. Each such run is in the answer, also
// one whose leftovers could not be removed or may still arrive.
func (s Stage) Reap(ctx context.Context, req hybridcore.Request) ([]hybridcore.Reaped, error) {
	if err := s.Project.Pinned(ctx, req); err != nil {
		return nil, err
	}
	env, err := s.Project.Config.Environment(req.Env)
	if err != nil {
		return nil, err
	}
	if err := s.Project.RefuseProd(req, env); err != nil {
		return nil, err
	}
	anywhere := req
	req.Env = env.Name
	leases, err := s.Project.State.Leases(ctx)
	if err != nil {
		return nil, err
	}
	p := s.beat(ctx)
	defer p.stop()
	all := []hybridcore.Reaped{}
	for _, l := range leases {
		switch {
		case len(l.Ended()) == 0:
		case req.Wants(l.Key):
			all = append(all, s.reap(ctx, p, l, req.DryRun)...)
		case anywhere.Wants(l.Key):
			all = append(all, otherEnvironment(l)...)
		}
	}
	return all, nil
}

// otherEnvironment are the ended runs of a target of another environment than the
// one that is reaped.
func otherEnvironment(l state.LeaseStatus) []hybridcore.Reaped {
	env, _, _ := strings.Cut(l.Key, "/")
	var all []hybridcore.Reaped
	for _, past := range l.Ended() {
		one := reaped(past)
		one.Elsewhere = "it is of the environment " + env + ": packer-hybrid reap --env " + env
		all = append(all, one)
	}
	return all
}

// targetOf plans the target of a lease, for the variables that lead to its
// platform.
func (s Stage) targetOf(ctx context.Context, key string) (hybridcore.Target, error) {
	env, name, _ := strings.Cut(key, "/")
	image, platform, _ := strings.Cut(name, "@")
	found, err := plan.Stage{Project: s.Project}.Plan(ctx, hybridcore.Request{
		Action: hybridcore.ActionPlan, Env: env, Images: []string{image},
		Platforms: []hybridcore.Platform{hybridcore.Platform(platform)},
	})
	if err != nil {
		return hybridcore.Target{}, err
	}
	if len(found.Targets) == 0 {
		return hybridcore.Target{}, project.Refused(found)
	}
	return found.Targets[0].Target, nil
}

// reap removes what the ended runs of one target left, under a lease of its own:
// when removing fails, or this process dies too, they are found again.
func (s Stage) reap(ctx context.Context, p *pulse, l state.LeaseStatus, dry bool) []hybridcore.Reaped {
	var here, elsewhere []hybridcore.Reaped
	for _, past := range l.Ended() {
		one := reaped(past)
		if one.Elsewhere = s.Project.Elsewhere(past); one.Elsewhere != "" {
			elsewhere = append(elsewhere, one)
			continue
		}
		here = append(here, one)
	}
	if len(here) == 0 {
		return elsewhere
	}
	return append(elsewhere, s.reapHere(ctx, p, l, here, dry)...)
}

// reapHere is reap for the runs that were on the platforms that are in reach.
func (s Stage) reapHere(
	ctx context.Context, p *pulse, l state.LeaseStatus, all []hybridcore.Reaped, dry bool,
) []hybridcore.Reaped {
	if l.Live { // its run has looked when it began
		for i, one := range all {
			if all[i].LookAgain = one.Lease.LookAgain(); all[i].LookAgain.IsZero() {
				all[i].LookAgain = s.Project.Now().UTC()
			}
		}
		return all
	}
	fail := func(err error) []hybridcore.Reaped {
		for i := range all {
			all[i].Error = s.Project.Redact(err.Error())
		}
		return all
	}
	t, err := s.targetOf(ctx, l.Key)
	if err != nil {
		return fail(err)
	}
	if dry {
		s.look(ctx, t, all, func(c project.Client, one *hybridcore.Reaped) error {
			s.listMedia(&one.Lease)
			return s.removeLeft(ctx, c, true, one)
		})
		return all
	}
	held, err := s.Project.State.Acquire(ctx, hybridcore.Lease{
		Key: l.Key, RunID: hybridcore.NewRunID(s.Project.Now()), Owner: owner(), Phase: hybridcore.PhaseReaping,
		Lab: s.Project.Lab(),
	})
	if err != nil {
		return fail(err)
	}
	all = s.cleanPast(p.hold(ctx, held), t, held)
	p.drop(held)
	if err := held.Release(context.WithoutCancel(ctx)); err != nil {
		return fail(err)
	}
	return all
}

func reaped(past hybridcore.Lease) hybridcore.Reaped {
	return hybridcore.Reaped{Lease: past, Removed: []hybridcore.URI{}, Kept: []hybridcore.URI{}}
}

// cleanPast looks for what ended runs of a held target left, removes it, and notes
// each look in the lease.
func (s Stage) cleanPast(ctx context.Context, t hybridcore.Target, held *state.Held) []hybridcore.Reaped {
	var all []hybridcore.Reaped
	for _, past := range held.Past() {
		if s.Project.Elsewhere(past) == "" {
			all = append(all, reaped(past))
		}
	}
	s.look(ctx, t, all, func(c project.Client, one *hybridcore.Reaped) error {
		err := s.clear(ctx, held, &one.Lease)
		if err == nil {
			err = s.removeLeft(ctx, c, false, one)
		}
		if err == nil {
			one.LookAgain, err = held.Looked(context.WithoutCancel(ctx), one.Lease.RunID, len(one.Removed) > 0)
		}
		return errors.Join(lost(ctx), err)
	})
	return all
}

// look does something about each ended run of a target, over one connection to
// its platform. An error is that run's alone.
func (s Stage) look(ctx context.Context, t hybridcore.Target, all []hybridcore.Reaped,
	do func(project.Client, *hybridcore.Reaped) error,
) {
	if len(all) == 0 {
		return
	}
	err := s.Project.With(ctx, t, func(c project.Client) error {
		for i := range all {
			if err := do(c, &all[i]); err != nil {
				all[i].Error = s.Project.Redact(err.Error())
			}
		}
		return nil
	})
	for i := range all {
		if err != nil {
			all[i].Error = s.Project.Redact(err.Error())
		}
	}
}

// removeLeft asks the platform what an ended run left, and removes it. What is
// complete stays; it is told unless the run's record has it as built.
func (s Stage) removeLeft(ctx context.Context, client project.Client, dry bool, done *hybridcore.Reaped) error {
	removed, err := client.Reap(ctx, done.Lease.Remains(), dry)
	done.Removed = append(done.Removed, removed...)
	if err != nil {
		return err
	}
	found, err := client.Find(ctx, done.Lease.Artifact)
	for _, u := range found {
		if u.Complete() && !slices.Contains(removed, u) { // a machine without the mark is somebody else's
			done.Kept = append(done.Kept, u)
		}
	}
	if len(done.Kept) == 0 || err != nil {
		return err
	}
	built, err := s.recorded(ctx, done.Lease)
	done.Kept = slices.DeleteFunc(done.Kept, func(u hybridcore.URI) bool { return slices.Contains(built, u) })
	return err
}

// recorded lists what the record of a run has as built for the target of its
// lease: a run can die between its record and the release of its leases.
func (s Stage) recorded(ctx context.Context, lease hybridcore.Lease) ([]hybridcore.URI, error) {
	rec, err := s.Project.State.Record(ctx, lease.RunID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var built []hybridcore.URI
	for _, res := range rec.Results {
		if rec.Request.Env+"/"+res.Target == lease.Key && res.Status == hybridcore.Built && res.Artifact != nil {
			built = append(built, res.Artifact.URIs...)
		}
	}
	return built, err
}

// cleanUp removes what Packer left of a build that did not succeed: it may have
// been killed, or have failed to clean up. The next one looks again.
func (b *building) cleanUp(ctx context.Context, held *state.Held) {
	b.journal(ctx, held, hybridcore.PhaseUncleaned)
	done := hybridcore.Reaped{Lease: hybridcore.Lease{
		RunID:    b.run.id,
		Artifact: project.ArtifactName(b.target.Image.Name, b.run.id), Scratch: b.scratch,
	}}
	if b.run.stage.listMedia(&done.Lease) { // the scratch directory does not outlive the run
		b.journalled(held.Left(ctx, b.run.id, done.Lease.Media))
	}
	err := b.run.project.With(ctx, b.target,
		func(c project.Client) error { return b.run.stage.removeLeft(ctx, c, false, &done) })
	for _, u := range done.Removed {
		b.note("left by Packer: %s %s (%s) was removed from %s", u.Kind, u.Name, u.ID, b.target.Platform.Info().Title)
	}
	if err != nil {
		b.note("left by Packer: not known, the next build and packer-hybrid reap look again: %s",
			b.run.project.Redact(err.Error()))
		return
	}
	_, err = held.Looked(ctx, b.run.id, len(done.Removed) > 0)
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
