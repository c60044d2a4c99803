// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:39Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// run is what the targets of one run share.
type run struct {
	stage   Stage
	project *project.Project
	plan    hybridcore.Plan
	id      string
	tool    packer.Tool

	pulse *pulse

	mu   sync.Mutex
	held map[string]*state.Held // by target
	// inventories by attachment name, written with the record
	inventories map[string][]byte
	rules       parity.Rules
	parity      []hybridcore.Parity
	collected   bool // the results were made elsewhere: no lease of theirs is held here
}

// Build executes a plan and records the run. The record is returned also when
// recording failed, so that a report can be made; the error then says what
// exists without a record. project.Blocking findings end it before anything starts,
// with an empty record.
func (s Stage) Build(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	plan, err := partOf(plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	x, err := s.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	// Read first: a mistake in the allow-list must not cost a build.
	if x.rules, err = s.compare().Rules(plan.Request.Env); err != nil {
		return hybridcore.Record{}, err
	}
	x.pulse = s.beat(ctx)
	defer x.pulse.stop()
	started := s.Project.Now()
	results := x.each(ctx, x.target)
	x.parity = x.compare(context.WithoutCancel(ctx), results)
	return x.record(ctx, started, results)
}

// Validate lets Packer check every target of a plan, changed or not. It builds
// and records nothing.
func (s Stage) Validate(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	plan.Targets = slices.Clone(plan.Targets)
	for i := range plan.Targets {
		plan.Targets[i].Decision = hybridcore.Build
	}
	if plan.Request.Parallel == 0 {
		// What an environment says is about builds, which load its platform.
		plan.Request.Parallel = runtime.NumCPU()
	}
	x, err := s.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	started := s.Project.Now()
	results := x.each(ctx, x.validate)
	return x.summary(started, results), nil
}

// start refuses a plan that must not run, and finds what its targets share.
func (s Stage) start(ctx context.Context, plan hybridcore.Plan) (*run, error) {
	if err := project.Refused(plan); err != nil {
		return nil, err
	}
	x := &run{stage: s, project: s.Project, plan: plan, id: plan.Request.ID, inventories: map[string][]byte{}, held: map[string]*state.Held{}}
	if len(plan.Pending()) == 0 {
		return x, nil
	}
	var err error
	if x.tool, err = s.Project.Tools.Packer(ctx); err != nil {
		return nil, err
	}
	if _, _, err = s.Project.Templates(); err != nil {
		return nil, err
	}
	return x, nil
}

// each runs a function over the plan's targets, as many at once as the request
// or the project allows, and keeps the plan's order.
func (x *run) each(ctx context.Context, one func(context.Context, hybridcore.Target) hybridcore.Result) []hybridcore.Result {
	results := make([]hybridcore.Result, len(x.plan.Targets))
	slots := make(chan struct{}, x.project.Workers(x.plan.Request))
	var all sync.WaitGroup
	for i, planned := range x.plan.Targets {
		if planned.Decision == hybridcore.Unchanged {
			results[i] = unchanged(planned)
			continue
		}
		all.Go(func() {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				results[i] = x.begin(planned.Target).end(hybridcore.Cancelled, "cancelled before it started")
				return
			}
			results[i] = one(ctx, planned.Target)
		})
	}
	all.Wait()
	return results
}

func unchanged(p hybridcore.PlannedTarget) hybridcore.Result {
	r := hybridcore.Result{
		Target: p.Target.Name(), Image: p.Target.Image.Name, Platform: p.Target.Platform,
		Status: hybridcore.UnchangedDone, Digest: p.Target.Digest, Recipe: p.Target.Recipe, Inputs: p.Target.Inputs,
		Notes: project.PlaceNotes(p.Target),
	}
	for _, reason := range p.Reasons {
		r.Notes = append(r.Notes, "unchanged: "+reason.Text)
	}
	if p.Current != nil {
		r.Artifact, r.Inventory = p.Current.Artifact, p.Current.Inventory
	}
	return r
}

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
	ctx = x.pulse.hold(ctx, held)
	for _, done := range x.stage.settle(ctx, t, held) {
		b.tell(done)
		if done.Error != "" {
			return ctx, nil, hybridcore.Blockedf("what run %s left could not be removed: %s\n  hint: see packer-hybrid reap --dry-run", done.Lease.RunID, done.Error)
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
		b.note("left behind: %s %s (%s) on %s is complete and stays, but no record has it as built", u.Kind, u.Name, u.ID, title)
	}
	if first && len(done.Removed)+len(done.Kept) == 0 && done.Error == "" {
		b.note("left behind: nothing named %s is on %s without a record", lease.Artifact, title)
	}
}
