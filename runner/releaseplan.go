// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:01:36Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package runner

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// The kinds of what the jobs of a release hand over.
const (
	kindReleasePlan = "release-plan"
	kindReleasePart = "release-part"
	kindReapPart    = "reap-part"
)

// PlanRelease is the first phase of a release. It reads the tree and the state,
// reaches no platform, and writes into the state what is about to be marked; a
// release that something speaks against already, a dry run and a release that is
// complete leave nothing there. The run is that of the CI system, in which other
// jobs do the other phases.
func (r *Runner) PlanRelease(ctx context.Context, plan hybridcore.Plan, run string) (hybridcore.ReleasePlan, error) {
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return hybridcore.ReleasePlan{}, &hybridcore.FindingsError{Findings: blocking(plan.Findings)}
	}
	if len(plan.Targets) == 0 {
		return hybridcore.ReleasePlan{}, hybridcore.Usagef("there is nothing to publish in the environment %s",
			plan.Request.Env)
	}
	s, err := r.State.Read(ctx)
	if err != nil {
		return hybridcore.ReleasePlan{}, err
	}
	draft, complete, err := r.draft(ctx, s, plan, r.Now().UTC().Round(0))
	if err != nil {
		return hybridcore.ReleasePlan{}, err
	}
	if draft.Run = run; draft.Refused() || draft.Request.DryRun || complete {
		return draft, nil
	}
	return draft, r.intend(ctx, draft)
}

// draft makes the plan of a release as it is at a time, and says whether the
// release was published with all of that before.
func (r *Runner) draft(ctx context.Context, s hybridcore.Snapshot, plan hybridcore.Plan,
	at time.Time,
) (hybridcore.ReleasePlan, bool, error) {
	req := plan.Request
	req.Origin = hybridcore.Origin{} // each job has its own
	if req.Release == "" {
		var err error
		if req.Release, err = r.releaseName(ctx, plan); err != nil {
			return hybridcore.ReleasePlan{}, false, err
		}
	}
	rules, err := r.rules(req.Env)
	if err != nil {
		return hybridcore.ReleasePlan{}, false, err
	}
	draft := hybridcore.ReleasePlan{
		Request: req, PlanDigest: planDigest(plan), Versions: plan.Versions, Targets: standing(plan, at),
		Release: hybridcore.Release{Name: req.Release, Env: req.Env, Commit: plan.Commit, RunID: req.ID, At: at},
	}
	before, err := r.earlierRelease(ctx, s, draft.Key())
	if err != nil {
		return draft, false, err
	}
	complete := before != nil
	if before != nil {
		draft.Before = before.RunID
		for _, i := range before.Images {
			i.Artifacts = slices.Clone(i.Artifacts)
			draft.Release.Images = append(draft.Release.Images, i)
		}
		for _, t := range draft.Targets {
			complete = complete && before.Find(t.Image, t.Platform) != nil
		}
	}
	if err := addTargets(&draft.Release, plan.Targets, draft.Targets); err != nil {
		return draft, false, err
	}
	draft.Parity = r.comparison(ctx, draft.Targets, rules)
	return draft, complete, nil
}

// standing makes a result for each target, and fails those that are not built
// from this tree.
func standing(plan hybridcore.Plan, at time.Time) []hybridcore.Result {
	var all []hybridcore.Result
	for _, t := range plan.Targets {
		res := hybridcore.Result{
			Target: t.Target.Name(), Image: t.Target.Image.Name, Platform: t.Target.Platform, Digest: t.Target.Digest,
			Recipe:  t.Target.Recipe,
			Started: at, Status: hybridcore.Published, Notes: placeNotes(t.Target),
		}
		switch {
		case t.Decision != hybridcore.Unchanged:
			fail(&res, notBuilt(t.Reasons)+"; build it first")
		case t.Current == nil || t.Current.Artifact == nil || len(t.Current.Artifact.URIs) == 0:
			fail(&res, "the state knows no artifact of it; build it again")
		default:
			res.Artifact, res.Inventory, res.Inputs = t.Current.Artifact, t.Current.Inventory, t.Current.Inputs
		}
		all = append(all, res)
	}
	return all
}

func fail(res *hybridcore.Result, message string) {
	res.Status, res.Failure = hybridcore.Failed, &hybridcore.Failure{Message: message}
}

// comparison compares the platforms of each image of which two are built.
func (r *Runner) comparison(ctx context.Context, targets []hybridcore.Result, rules parity.Rules) []hybridcore.Parity {
	var sets []parity.Set
	var failed []hybridcore.Parity
	byImage := map[string][]image{}
	for _, res := range targets {
		if res.Artifact != nil {
			byImage[res.Image] = append(byImage[res.Image], image{
				name: res.Image, platform: res.Platform,
				inventory: res.Inventory, inputs: res.Inputs,
			})
		}
	}
	for _, res := range targets {
		group := byImage[res.Image]
		delete(byImage, res.Image)
		if len(group) == 1 {
			failed = append(failed, r.alone(ctx, group[0])...)
		}
		if len(group) < 2 {
			continue
		}
		if at := slices.IndexFunc(group, func(i image) bool { return i.inventory == nil }); at >= 0 {
			failed = append(failed, notComparable(res.Image,
				"the build for "+group[at].platform.Info().Title+" left no inventory"))
			continue
		}
		for i := range group {
			group[i].run = inventoryRun(group[i].inventory)
		}
		set, err := r.loadSet(ctx, group)
		if err != nil {
			failed = append(failed, notComparable(res.Image, r.redact(err.Error())))
			continue
		}
		sets = append(sets, set)
	}
	return append(parity.Compare(sets, rules), failed...)
}

// alone blocks an image of one platform, with which none is compared, if its
// guest is another system, or nothing says which it is.
func (r *Runner) alone(ctx context.Context, one image) []hybridcore.Parity {
	if one.inventory == nil {
		return []hybridcore.Parity{notComparable(one.name, "the build for "+one.platform.Info().Title+" left no inventory")}
	}
	one.run = inventoryRun(one.inventory)
	set, err := r.loadSet(ctx, []image{one})
	switch {
	case err != nil:
		return []hybridcore.Parity{notComparable(one.name, r.redact(err.Error()))}
	case hybridcore.Blocked(set.Findings) == hybridcore.NotBlocked:
		return nil
	}
	return []hybridcore.Parity{{Image: one.name, Policy: hybridcore.ParityBlock, Findings: set.Findings}}
}

// intend writes into the state what is about to be marked. A BlockedError is for
// a name under which an earlier publish may have marked something else.
func (r *Runner) intend(ctx context.Context, draft hybridcore.ReleasePlan) error {
	digest, err := state.Sum(kindReleasePlan, draft)
	if err != nil {
		return err
	}
	intent := hybridcore.ReleaseIntent{
		RunID: draft.Release.RunID, At: draft.Release.At, Plan: digest, Builds: map[string]string{},
		Former: map[string]string{},
	}
	for _, t := range draft.Targets {
		intent.Builds[t.Target] = draft.Release.Find(t.Image, t.Platform).RunID
	}
	return r.State.Update(ctx, func(s *hybridcore.Snapshot) error {
		was := s.Releasing[draft.Key()]
		maps.Copy(intent.Former, was.Former)
		maps.Copy(intent.Former, was.Builds)
		for target, build := range intent.Builds {
			if former := intent.Former[target]; former != "" && former != build {
				return hybridcore.Blockedf("run %s began the release %s with %s of run %s and did not complete it, "+
					"and run %s built it again since; "+
					"the former image may be marked, and a release never changes: choose another name with --release",
					was.RunID, draft.Release.Name, target, former, build)
			}
		}
		if s.Releasing == nil {
			s.Releasing = map[string]hybridcore.ReleaseIntent{}
		}
		s.Releasing[draft.Key()] = intent
		return nil
	})
}

// notBuilt says why what a plan would build cannot be published.
func notBuilt(reasons []hybridcore.Reason) string {
	switch {
	case len(reasons) == 0:
		return "it is not built from this tree: never built"
	case reasons[0].Kind == kindLab:
		return reasons[0].Text
	default:
		return "it is not built from this tree: " + reasons[0].Text
	}
}
