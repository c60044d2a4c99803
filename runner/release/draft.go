// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:01:36Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package release

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// The kinds of what the jobs of a release hand over.
const (
	kindPlan = "release-plan"
	kindPart = "release-part"
)

// Plan is the first phase of a release. It reads the tree and the state,
// reaches no platform, and writes into the state what is about to be marked; a
// release that something speaks against already, a dry run and a release that is
// complete leave nothing there. The run is that of the CI system, in which other
// jobs do the other phases.
func (s Stage) Plan(ctx context.Context, plan hybridcore.Plan, run string) (hybridcore.ReleasePlan, error) {
	if err := project.Refused(plan); err != nil {
		return hybridcore.ReleasePlan{}, err
	}
	if len(plan.Targets) == 0 {
		return hybridcore.ReleasePlan{}, hybridcore.Usagef("there is nothing to publish in the environment %s",
			plan.Request.Env)
	}
	known, err := s.Project.State.Read(ctx)
	if err != nil {
		return hybridcore.ReleasePlan{}, err
	}
	draft, complete, err := s.draft(ctx, known, plan, s.Project.Now().UTC().Round(0))
	if err != nil {
		return hybridcore.ReleasePlan{}, err
	}
	if draft.Run = run; draft.Refused() || draft.Request.DryRun || complete {
		return draft, nil
	}
	return draft, s.intend(ctx, draft)
}

// draft makes the plan of a release as it is at a time, and says whether the
// release was published with all of that before.
func (s Stage) draft(ctx context.Context, known hybridcore.Snapshot, plan hybridcore.Plan,
	at time.Time,
) (hybridcore.ReleasePlan, bool, error) {
	req := plan.Request
	req.Origin = hybridcore.Origin{} // each job has its own
	if req.Release == "" {
		var err error
		if req.Release, err = s.releaseName(ctx, plan); err != nil {
			return hybridcore.ReleasePlan{}, false, err
		}
	}
	rules, err := s.compare().Rules(req.Env)
	if err != nil {
		return hybridcore.ReleasePlan{}, false, err
	}
	draft := hybridcore.ReleasePlan{
		Request: req, PlanDigest: project.PlanDigest(plan), Versions: plan.Versions, Targets: standing(plan, at),
		Release: hybridcore.Release{Name: req.Release, Env: req.Env, Commit: plan.Commit, RunID: req.ID, At: at},
	}
	before, err := s.earlier(ctx, known, draft.Key())
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
	draft.Parity = s.compare().Released(ctx, draft.Targets, rules)
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
			Started: at, Status: hybridcore.Published, Notes: project.PlaceNotes(t.Target),
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

// intend writes into the state what is about to be marked. A BlockedError is for
// a name under which an earlier publish may have marked something else.
func (s Stage) intend(ctx context.Context, draft hybridcore.ReleasePlan) error {
	digest, err := state.Sum(kindPlan, draft)
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
	return s.Project.State.Update(ctx, func(s *hybridcore.Snapshot) error {
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
	case reasons[0].Kind == project.KindLab:
		return reasons[0].Text
	default:
		return "it is not built from this tree: " + reasons[0].Text
	}
}
