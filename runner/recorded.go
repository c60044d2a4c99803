// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:20:00Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package runner

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// status answers the verb status from the state.
func (r *Runner) status(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	snapshot, err := r.Project.State.Read(ctx)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	leases, err := r.Project.State.Leases(ctx)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	clocks, err := state.Clocks(ctx, r.Project.State)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	st := hybridcore.StatusReport{
		Env: req.Env, Serial: snapshot.Serial, Targets: snapshot.Targets,
		Running: []hybridcore.Lease{}, Dead: []hybridcore.Lease{}, Releasing: snapshot.Releasing,
	}
	maps.DeleteFunc(st.Releasing, func(key string, intent hybridcore.ReleaseIntent) bool {
		env, _, _ := strings.Cut(key, "/")
		return !slices.ContainsFunc(slices.Collect(maps.Keys(intent.Builds)), func(target string) bool {
			return req.Wants(env + "/" + target)
		})
	})
	maps.DeleteFunc(st.Targets, func(key string, _ hybridcore.Current) bool { return !req.Wants(key) })
	for _, l := range leases {
		if !req.Wants(l.Key) {
			continue
		}
		st.Dead = append(st.Dead, l.Ended()...)
		if l.Live {
			l.Past = nil // they are among the dead
			st.Running = append(st.Running, l.Lease)
		}
	}
	if req.Look {
		st.Looks = r.looks(ctx, req, st.Targets)
	}
	return hybridcore.Answer{Status: &st, Findings: clocks}, nil
}

// looks asks the platforms for what was last built. How they are reached is what the
// working tree says of their targets.
func (r *Runner) looks(ctx context.Context, req hybridcore.Request, built map[string]hybridcore.Current) (
	looks map[string]hybridcore.Look,
) {
	looks = map[string]hybridcore.Look{}
	failed := map[string]error{} // by environment
	for _, key := range slices.Sorted(maps.Keys(built)) {
		env, _, _ := strings.Cut(key, "/")
		if _, done := failed[env]; done {
			continue
		}
		of := hybridcore.Request{
			Action: hybridcore.ActionPlan, Env: env, Images: req.Images, Platforms: req.Platforms,
			Listing: hybridcore.Listing{Look: true},
		}
		planned, err := r.plan().Plan(ctx, of)
		if failed[env] = err; err == nil {
			maps.Copy(looks, r.live().Looks(ctx, planned))
		}
	}
	for key := range built {
		if _, looked := looks[key]; looked {
			continue
		}
		why := "the project has no such target any more"
		env, _, _ := strings.Cut(key, "/")
		if err := failed[env]; err != nil {
			why = r.Project.Redact(err.Error())
		}
		looks[key] = hybridcore.Look{
			At: r.Project.Now().UTC(), Presence: hybridcore.NotLooked, Text: "not looked at, because " + why,
		}
	}
	return looks
}

// inspect answers with the record of a run, the last one if none is named.
func (r *Runner) inspect(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	runs, err := r.Project.State.Records(ctx)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	if len(runs) == 0 {
		return hybridcore.Answer{}, hybridcore.Usagef("no run is recorded in %s yet", r.Project.Config.State.Place(""))
	}
	last := runs[len(runs)-1]
	id := cmp.Or(req.Record, last)
	if err := hybridcore.CheckName("run", id); err != nil {
		return hybridcore.Answer{}, err
	}
	if !slices.Contains(runs, id) {
		return hybridcore.Answer{}, hybridcore.Usagef("no run %q is recorded%s; the last one is %s", id,
			text.DidYouMean(id, runs), last)
	}
	record, err := r.Project.State.Record(ctx, id)
	return only(err, hybridcore.Answer{Record: &record})
}
