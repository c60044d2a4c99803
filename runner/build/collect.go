// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:56:00Z
// Spec: openspec/specs/runner/spec.md#requirement-one-record-of-many-parts
// Diagram: openspec/specs/runner/diagram.md#fan-out

package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// partOf makes the plan of one part of a build, or gives a BlockedError when the
// target is not what was planned where the parts were dealt out. Whether the
// state of this machine has it built counts for nothing.
func partOf(plan hybridcore.Plan) (hybridcore.Plan, error) {
	if plan.Request.Part == "" || hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return plan, nil
	}
	if len(plan.Targets) != 1 {
		return plan, hybridcore.Usagef("--part is for one target, and %d are planned", len(plan.Targets))
	}
	only := plan.Targets[0]
	if only.Target.Digest != plan.Request.Part {
		return plan, hybridcore.Blockedf(
			"%s is another target here than in the plan that it is a part of: its digest is %.12s, not %.12s; files, Packer, "+
				"plugins or PKR_VAR_ variables differ between the two machines (here: %s); compare `packer-hybrid plan %s "+
				"--targets %s -o json` on both",
			only.Target.Name(), only.Target.Digest, plan.Request.Part, versionList(
				plan.Versions), only.Target.Image.Name, only.Target.Platform)
	}
	only.Decision = hybridcore.Build
	plan.Targets = []hybridcore.PlannedTarget{only}
	return plan, nil
}

// Collect makes one record of a build whose targets were built elsewhere, each
// as a part. What is wrong with a part is a BlockedError that names its folder,
// and then nothing is recorded. A planned target without a part failed.
func (s Stage) Collect(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	from := plan.Request.From
	plan.Request.Action, plan.Request.From = hybridcore.ActionBuild, nil
	x, err := s.start(ctx, plan)
	if err != nil {
		return hybridcore.Record{}, err
	}
	x.collected = true
	if x.rules, err = s.compare().Rules(plan.Request.Env); err != nil {
		return hybridcore.Record{}, err
	}
	parts, err := x.parts(ctx, from)
	if err != nil {
		return hybridcore.Record{}, err
	}
	started := s.Project.Now()
	var results []hybridcore.Result
	for _, planned := range plan.Targets {
		results = append(results, x.result(ctx, planned, parts, from))
	}
	x.parity = x.compare(ctx, results)
	return x.keep(ctx, spanned(x.summary(started, results)))
}

// result is a target's: of its part, of the state, or that there is none.
func (x *run) result(ctx context.Context, planned hybridcore.PlannedTarget, parts map[string]*taken, from []string,
) hybridcore.Result {
	name := planned.Target.Name()
	found := parts[name]
	switch {
	case found == nil && planned.Decision == hybridcore.Unchanged:
		return x.unchanged(ctx, planned)
	case found != nil && sameArtifact(found.result.Artifact, planned.Current):
		planned.Reasons = []hybridcore.Reason{{Text: "its part was collected before, by run " + planned.Current.RunID}}
		return x.unchanged(ctx, planned)
	case found != nil:
		maps.Copy(x.inventories, found.inventories)
		return found.result
	}
	now := x.project.Now()
	return hybridcore.Result{
		Target: name, Image: planned.Target.Image.Name, Platform: planned.Target.Platform, Status: hybridcore.Failed,
		Digest: planned.Target.Digest, Recipe: planned.Target.Recipe, Inputs: planned.Target.Inputs, Started: now,
		Failure: &hybridcore.Failure{Message: fmt.Sprintf(
			"no part of %s is in %s: its job did not start, ended before it could write one, or its files were not handed over",
			name, strings.Join(from, ", "))},
	}
}

// sameArtifact says whether a part was collected before.
func sameArtifact(a *hybridcore.Artifact, current *hybridcore.Current) bool {
	return a != nil && current != nil && current.Artifact != nil && current.Artifact.ID == a.ID &&
		slices.Equal(current.Artifact.URIs, a.URIs)
}

// spanned gives a record the time from the first start to the last end of what
// was built.
func spanned(rec hybridcore.Record) hybridcore.Record {
	var first, last time.Time
	for _, res := range rec.Results {
		if res.Status == hybridcore.UnchangedDone {
			continue
		}
		if first.IsZero() || res.Started.Before(first) {
			first = res.Started
		}
		if end := res.Started.Add(res.Duration); end.After(last) {
			last = end
		}
	}
	if !first.IsZero() {
		rec.At, rec.Duration = first.UTC(), last.Sub(first)
	}
	return rec
}

// parts reads all parts below the folders, by target.
func (x *run) parts(ctx context.Context, from []string) (map[string]*taken, error) {
	planned := map[string]hybridcore.Target{}
	for _, p := range x.plan.Targets {
		planned[p.Target.Name()] = p.Target
	}
	all, errs := map[string]*taken{}, []error{}
	for _, dir := range from {
		folders, err := partFolders(dir)
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			found, err := x.take(ctx, folder, planned)
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("the part in %s is refused: %w", folder, err))
			case all[found.result.Target] != nil:
				errs = append(errs, hybridcore.Blockedf("%s has two parts, in %s and in %s: hand over one of them",
					found.result.Target, all[found.result.Target].folder, folder))
			default:
				all[found.result.Target] = found
			}
		}
	}
	if len(errs) > 0 {
		return nil, &hybridcore.BlockedError{Msg: "nothing is collected", Err: errors.Join(errs...)}
	}
	return all, nil
}
