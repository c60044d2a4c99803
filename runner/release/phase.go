// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:02:28Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Targets plans the targets of a release on one platform, for the
// variables that lead there. Whether the state of this machine has them built
// counts for nothing.
func (s Stage) Targets(ctx context.Context, asked hybridcore.Request, draft hybridcore.ReleasePlan,
	platform hybridcore.Platform,
) ([]hybridcore.Target, error) {
	asked.Images, asked.Platforms = nil, []hybridcore.Platform{platform}
	for _, t := range draft.On(platform) {
		asked.Images = append(asked.Images, t.Image)
	}
	if len(asked.Images) == 0 {
		return nil, hybridcore.Blockedf("the release %s has nothing on %s", draft.Release.Name, platform.Info().Title)
	}
	found, err := plan.Stage{Project: s.Project}.Plan(ctx, asked)
	if err != nil {
		return nil, err
	}
	if err := project.Refused(found); err != nil {
		return nil, err
	}
	return targetsOf(found), nil
}

func targetsOf(plan hybridcore.Plan) []hybridcore.Target {
	var all []hybridcore.Target
	for _, t := range plan.Targets {
		all = append(all, t.Target)
	}
	return all
}

// Prepare looks up every artifact of a release on the platforms of the
// targets, and marks nothing. What speaks against a target already is not asked
// about.
func (s Stage) Prepare(ctx context.Context, draft hybridcore.ReleasePlan,
	targets []hybridcore.Target,
) ([]hybridcore.ReleasePart, error) {
	return s.phase(ctx, draft, hybridcore.Prepared, targets,
		func(c project.Client, t hybridcore.Target, of hybridcore.Result) (bool, error) {
			return false, s.lookUp(ctx, c, t, of, draft.Release.Find(of.Image, of.Platform).RunID)
		})
}

// Mark marks every artifact of a release on the platforms of the targets.
// It marks nothing, and gives a BlockedError, unless all platforms of the release
// are prepared and nothing is missing on any.
func (s Stage) Mark(ctx context.Context, draft hybridcore.ReleasePlan, prepared []hybridcore.ReleasePart,
	targets []hybridcore.Target,
) ([]hybridcore.ReleasePart, error) {
	if err := ready(draft, prepared); err != nil {
		return nil, err
	}
	return s.phase(ctx, draft, hybridcore.Marked, targets,
		func(c project.Client, _ hybridcore.Target, of hybridcore.Result) (bool, error) {
			built := draft.Release.Find(of.Image, of.Platform)
			return markAll(ctx, c, of, hybridcore.Mark{
				Release: draft.Release.Name, Image: of.Image, RunID: built.RunID,
				Commit: built.Commit,
			})
		})
}

// ready refuses a release of which not everything is prepared.
func ready(draft hybridcore.ReleasePlan, prepared []hybridcore.ReleasePart) error {
	var wrong []string
	if draft.Refused() {
		wrong = append(wrong, "the plan of it")
	}
	for _, platform := range draft.Platforms() {
		part := partOn(prepared, platform)
		if part == nil {
			wrong = append(wrong, platform.Info().Title+", which is not prepared")
			continue
		}
		for _, step := range part.Steps {
			if step.Failure != "" {
				wrong = append(wrong, step.Target)
			}
		}
	}
	if len(wrong) > 0 {
		return hybridcore.Blockedf("nothing is marked as release %s, because of %s", draft.Release.Name, strings.Join(wrong,
			", "))
	}
	return nil
}

// partOn is the part of a platform; nil when there is none.
func partOn(parts []hybridcore.ReleasePart, platform hybridcore.Platform) *hybridcore.ReleasePart {
	for i, p := range parts {
		if p.Platform == platform {
			return &parts[i]
		}
	}
	return nil
}

// phase does something on its platform about each target that nothing speaks
// against, so many at once as a build takes, and makes a part of each platform.
func (s Stage) phase(ctx context.Context, draft hybridcore.ReleasePlan, phase hybridcore.ReleasePhase,
	targets []hybridcore.Target,
	do func(project.Client, hybridcore.Target, hybridcore.Result) (bool, error),
) ([]hybridcore.ReleasePart, error) {
	digest, err := state.Sum(kindPlan, draft)
	if err != nil {
		return nil, err
	}
	var todo []hybridcore.Target
	var of []hybridcore.Result
	for _, t := range targets {
		at := slices.IndexFunc(draft.Targets, func(res hybridcore.Result) bool { return res.Target == t.Name() })
		switch {
		case at < 0:
			return nil, hybridcore.Blockedf("%s is no target of the release %s", t.Name(), draft.Release.Name)
		case draft.Targets[at].Failure == nil:
			todo, of = append(todo, t), append(of, draft.Targets[at])
		}
	}
	steps := make([]hybridcore.ReleaseStep, len(todo))
	project.Parallel(len(todo), s.Project.Workers(draft.Request), func(i int) {
		steps[i] = hybridcore.ReleaseStep{Target: of[i].Target, Started: s.Project.Now().UTC()}
		err := s.Project.With(ctx, todo[i], func(c project.Client) error {
			fresh, err := do(c, todo[i], of[i])
			steps[i].Fresh = fresh
			return err
		})
		steps[i].Duration = s.Project.Now().Sub(steps[i].Started)
		if err != nil {
			steps[i].Failure, steps[i].Cancelled = s.Project.Redact(err.Error()), ctx.Err() != nil
		}
	})
	var parts []hybridcore.ReleasePart
	for i, t := range todo {
		at := slices.IndexFunc(parts, func(p hybridcore.ReleasePart) bool { return p.Platform == t.Platform })
		if at < 0 {
			at = len(parts)
			parts = append(parts, hybridcore.ReleasePart{
				Phase: phase, Run: draft.Run, Commit: draft.Release.Commit, Env: draft.Release.Env, Platform: t.Platform,
				Plan: digest,
			})
		}
		parts[at].Steps = append(parts[at].Steps, steps[i])
	}
	return parts, nil
}

// lookUp looks at an artifact on its platform: it has to be there, all of it, as it was built.
func (s Stage) lookUp(ctx context.Context, c project.Client, t hybridcore.Target, of hybridcore.Result, run string,
) error {
	look := live.Stage{Project: s.Project}.Artifact(ctx, c, t, of.Artifact)
	switch look.Presence {
	case hybridcore.NotLooked:
		return fmt.Errorf("it was %s", look.Text)
	case hybridcore.Gone:
		return fmt.Errorf("%s has no %s any more: deleted or replaced since run %s; build it again",
			of.Platform.Info().Title, look.Findings[0].Want, run)
	}
	findings, err := s.Project.Accept(ctx, look.Findings, nil)
	if err != nil {
		return err
	}
	var wrong []string
	for _, f := range findings {
		if f.Blocking {
			wrong = append(wrong, f.Message)
		}
	}
	if len(wrong) > 0 {
		return hybridcore.Blockedf("it is not what run %s built: %s; change it back, accept it by a waiver, or "+
			"build it again with --rebuild", run,
			strings.Join(wrong, "; "))
	}
	return nil
}

// markAll marks all objects of one target, and says whether any had no mark yet.
func markAll(ctx context.Context, c project.Client, of hybridcore.Result, mark hybridcore.Mark) (bool, error) {
	marker, ok := c.(project.Marker)
	if !ok {
		return false, hybridcore.Blockedf("the client of %s marks nothing", of.Platform.Info().Title)
	}
	var errs []error
	fresh := false
	for _, uri := range of.Artifact.URIs {
		changed, err := marker.Mark(ctx, uri, mark)
		fresh, errs = fresh || changed, append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fresh, fmt.Errorf("%w; run publish again: it completes the release %s", err, mark.Release)
	}
	return fresh, nil
}
