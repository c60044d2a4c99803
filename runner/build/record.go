// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:39Z
// Spec: openspec/specs/runner/spec.md#requirement-record-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// record writes what the run did, then releases its leases. What was built under
// a lease that another run has taken over is not made current. A run in which
// everything was unchanged leaves no record: there is nothing to say that the
// state does not say already.
func (x *run) record(ctx context.Context, started time.Time, results []hybridcore.Result) (hybridcore.Record, error) {
	x.pulse.stop()
	x.refuse(ctx, results)
	return x.keep(ctx, x.summary(started, results))
}

// keep stores a record and releases the leases.
func (x *run) keep(ctx context.Context, rec hybridcore.Record) (hybridcore.Record, error) {
	if !project.Recorded(rec) {
		return rec, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), project.RecordTimeout)
	defer cancel()
	overtaken, err := x.store(ctx, rec)
	x.project.Log.Info("recorded", "run", rec.RunID, "status", string(rec.Status), "error", err)
	if err != nil {
		// The leases stay: the next run finds them and says what was left.
		return rec, fmt.Errorf("recording run %s: %w%s", rec.RunID, err, unrecorded(rec.Results))
	}
	errs := []error{overtaken}
	for _, held := range x.held {
		errs = append(errs, held.Release(ctx))
	}
	return rec, errors.Join(errs...)
}

// store writes a record where it belongs: a part of a build into its own folder,
// every other one into the state.
func (x *run) store(ctx context.Context, rec hybridcore.Record) (overtaken, err error) {
	if rec.Request.Part != "" {
		return nil, x.storePart(ctx, rec)
	}
	if err := x.project.State.Append(ctx, rec, x.inventories); err != nil {
		return nil, err
	}
	err = x.project.State.Update(ctx, func(s *hybridcore.Snapshot) error { overtaken = x.apply(ctx, s, rec); return nil })
	return overtaken, err
}

// refuse fails what was built under a lease that is not this run's any more.
func (x *run) refuse(ctx context.Context, results []hybridcore.Result) {
	for i, res := range results {
		if res.Status != hybridcore.Built {
			continue
		}
		if err := x.held[res.Target].Check(ctx); err != nil {
			results[i].Failure = &hybridcore.Failure{Message: x.project.Redact(err.Error() + unrecorded(results[i:i+1]))}
			results[i].Status = hybridcore.Failed
		}
	}
}

func (x *run) summary(started time.Time, results []hybridcore.Result) hybridcore.Record {
	status := hybridcore.Overall(results)
	if (status == hybridcore.Built || status == hybridcore.Published) &&
		slices.ContainsFunc(x.parity, hybridcore.Parity.Blocked) {
		status = hybridcore.BlockedStatus
	}
	return hybridcore.Record{
		FormatVersion: 1, RunID: x.id, Request: x.plan.Request, PlanDigest: project.PlanDigest(x.plan), Commit: x.plan.Commit,
		At: started.UTC(), Duration: x.project.Now().Sub(started), Status: status,
		Versions: x.plan.Versions, Results: results, Parity: x.parity,
		Waived: hybridcore.WaiversIn(x.plan.Findings),
	}
}

// apply makes the built targets of a record the current ones. Whoever takes a
// lease over between check and write lets the change begin anew.
func (x *run) apply(ctx context.Context, s *hybridcore.Snapshot, rec hybridcore.Record) (overtaken error) {
	if s.Targets == nil {
		s.Targets = map[string]hybridcore.Current{}
	}
	for _, res := range rec.Results {
		if res.Status != hybridcore.Built {
			continue
		}
		key := rec.Request.Env + "/" + res.Target
		if err := x.mayReplace(ctx, res, s.Targets[key]); err != nil {
			overtaken = errors.Join(overtaken, err)
			continue
		}
		s.Targets[key] = hybridcore.Current{
			RunID: rec.RunID, Commit: rec.Commit, At: rec.At, Digest: res.Digest, Recipe: res.Recipe, Inputs: res.Inputs,
			Versions: rec.Versions, Artifact: res.Artifact, Inventory: res.Inventory,
		}
	}
	return overtaken
}

// mayReplace says whether a result may become current: what this run built, as
// long as the lease is its own; what was built elsewhere, unless a build that
// began later is current already.
func (x *run) mayReplace(ctx context.Context, res hybridcore.Result, was hybridcore.Current) error {
	switch {
	case !x.collected:
		return x.held[res.Target].Check(ctx)
	case was.At.After(res.Started):
		return hybridcore.Blockedf("%s was built again since, by run %s, which stays current", res.Target, was.RunID)
	default:
		return nil
	}
}

// unrecorded names the artifacts that exist although the state does not know them.
func unrecorded(results []hybridcore.Result) string {
	var names []string
	for _, res := range results {
		if res.Status == hybridcore.Built && res.Artifact != nil {
			names = append(names, fmt.Sprintf("%s on %s", res.Artifact.ID, res.Platform))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "\n  these artifacts exist without a record: " + strings.Join(names, ", ")
}
