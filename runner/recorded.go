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
	return hybridcore.Answer{Status: &st}, nil
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
