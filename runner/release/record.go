// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:04Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-under-way-is-known
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Record is the last phase of a release that other jobs have prepared and
// marked: one record, and when everything is marked one release. The plan must be
// the one that the state holds as under way, or the one that would be made here.
// A platform without a part failed. What was recorded before changes nothing.
func (s Stage) Record(ctx context.Context, plan hybridcore.Plan, files Files) (hybridcore.Record,
	error,
) {
	known, err := s.Project.State.Read(ctx)
	if err != nil {
		return hybridcore.Record{}, err
	}
	end := ending{digest: files.Digest, prepared: files.Prepared, marked: files.Marked}
	if end.draft, err = s.own(ctx, known, plan, files); err != nil {
		return hybridcore.Record{}, err
	}
	if known.Releases[end.draft.Key()].Plan == end.digest { // the job is run again
		end.marked = asBefore(end.marked)
	}
	switch _, err := s.Project.State.Record(ctx, end.draft.Release.RunID); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return hybridcore.Record{}, err
	default: // jobs were run again after a first record
		end.draft.Release.RunID = hybridcore.NewRunID(s.Project.Now())
	}
	end.draft.Request.ID, end.draft.Request.Origin = end.draft.Release.RunID, plan.Request.Origin
	end.complete()
	return s.finish(ctx, end)
}

// Refuse records a release of which its plan says already that nothing is
// to be marked.
func (s Stage) Refuse(ctx context.Context, draft hybridcore.ReleasePlan,
	origin hybridcore.Origin,
) (hybridcore.Record, error) {
	draft.Request.Origin = origin
	return s.finish(ctx, ending{draft: draft})
}

// own refuses a plan that is neither under way nor what would be planned here.
func (s Stage) own(ctx context.Context, known hybridcore.Snapshot, plan hybridcore.Plan,
	files Files,
) (hybridcore.ReleasePlan, error) {
	if known.Releasing[files.Plan.Key()].Plan == files.Digest {
		return files.Plan, nil
	}
	plan.Request.ID = files.Plan.Release.RunID
	here, complete, err := s.draft(ctx, known, plan, files.Plan.Release.At)
	if err != nil {
		return hybridcore.ReleasePlan{}, err
	}
	here.Run = files.Plan.Run
	digest, err := state.Sum(kindPlan, here)
	if err != nil || digest == files.Digest || complete && here.Key() == files.Plan.Key() {
		return here, err
	}
	return hybridcore.ReleasePlan{},
		hybridcore.Blockedf("the plan of the release %.64q by run %.64q is not under way in this state, "+
			"and another one than is made here: "+
			"it was altered, or another publish has begun since; nothing is recorded; run publish again",
			files.Plan.Release.Name, files.Plan.Release.RunID)
}

// asBefore are parts that were recorded before: they have marked nothing anew.
func asBefore(parts []hybridcore.ReleasePart) []hybridcore.ReleasePart {
	for _, p := range parts {
		for i := range p.Steps {
			p.Steps[i].Fresh = false
		}
	}
	return parts
}

// complete adds a failed part for each platform that has none, for the phases
// that it should have one of.
func (e *ending) complete() {
	if e.draft.Refused() {
		return
	}
	const lost = ": its job did not start, ended before it could answer, or its answer was not handed over"
	e.prepared = e.with(e.prepared, "was not looked up"+lost)
	if ready(e.draft, e.prepared) == nil && !e.draft.Request.DryRun {
		e.marked = e.with(e.marked,
			"is not known to be marked"+lost+"; run publish again: it completes the release "+e.draft.Release.Name)
	}
}

func (e *ending) with(parts []hybridcore.ReleasePart, why string) []hybridcore.ReleasePart {
	for _, platform := range e.draft.Platforms() {
		if partOn(parts, platform) != nil {
			continue
		}
		missing := hybridcore.ReleasePart{Platform: platform}
		for _, t := range e.draft.On(platform) {
			missing.Steps = append(missing.Steps, hybridcore.ReleaseStep{
				Target: t.Target, Started: t.Started,
				Failure: "it " + why,
			})
		}
		parts = append(parts, missing)
	}
	return parts
}

// finish makes the record of a release, and the release when it is complete.
func (s Stage) finish(ctx context.Context, end ending) (hybridcore.Record, error) {
	held := context.WithoutCancel(ctx) // a cancelled run is recorded too
	known, err := s.Project.State.Read(held)
	if err != nil {
		return hybridcore.Record{}, err
	}
	before, err := s.earlier(held, known, end.draft.Key())
	if err != nil {
		return hybridcore.Record{}, err
	}
	rec, marked := end.record(before, s.Project.Now())
	if !project.Recorded(rec) {
		return rec, nil
	}
	held, cancel := context.WithTimeout(held, project.RecordTimeout)
	defer cancel()
	if err := s.Project.State.Append(held, rec, nil); err != nil {
		return rec, fmt.Errorf("recording run %s, which marked the release %s: %w; run publish again", rec.RunID,
			end.draft.Release.Name, err)
	}
	_, underWay := known.Releasing[end.draft.Key()]
	if rec.Status != hybridcore.Published && (marked || !underWay) {
		return rec, nil
	}
	if err := s.Project.State.Update(held, func(s *hybridcore.Snapshot) error { return end.apply(s, rec) }); err != nil {
		return rec, fmt.Errorf("recording the release %s of run %s: %w; run publish again", end.draft.Release.Name,
			rec.RunID, err)
	}
	return rec, nil
}

// apply makes a release the state's, unless another run published one of that
// name meanwhile, and ends what was under way. Of a release of which nothing was
// marked nothing is under way any more.
func (e *ending) apply(s *hybridcore.Snapshot, rec hybridcore.Record) error {
	key := e.draft.Key()
	if rec.Status != hybridcore.Published {
		if intent := s.Releasing[key]; intent.Plan == e.digest {
			intent.Builds = nil
			setIntent(s, key, intent)
		}
		return nil
	}
	if was := s.Releases[key]; was.RunID != e.draft.Before {
		return hybridcore.Blockedf("run %s published a release of that name at the same time", was.RunID)
	}
	if s.Releases == nil {
		s.Releases = map[string]hybridcore.ReleaseRef{}
	}
	s.Releases[key] = hybridcore.ReleaseRef{RunID: rec.RunID, At: rec.Release.At, Plan: e.digest}
	for _, t := range e.draft.Targets {
		at := e.draft.Release.Env + "/" + t.Target
		if now, there := s.Targets[at]; there && now.RunID == e.draft.Release.Find(t.Image, t.Platform).RunID {
			now.Release = e.draft.Release.Name
			s.Targets[at] = now
		}
	}
	if intent, underWay := s.Releasing[key]; underWay {
		for _, t := range e.draft.Targets {
			delete(intent.Builds, t.Target)
			delete(intent.Former, t.Target)
		}
		setIntent(s, key, intent)
	}
	return nil
}

// setIntent keeps of what is under way what is left of it.
func setIntent(s *hybridcore.Snapshot, key string, intent hybridcore.ReleaseIntent) {
	if len(intent.Builds)+len(intent.Former) == 0 {
		delete(s.Releasing, key)
		return
	}
	if intent.Builds == nil {
		intent.Builds = map[string]string{}
	}
	maps.Copy(intent.Builds, intent.Former)
	intent.Former = nil
	s.Releasing[key] = intent
}
