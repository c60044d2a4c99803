// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:04Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package release

import (
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// record is what a release came to, and whether anything may have been marked.
func (e *ending) record(before *hybridcore.Release, now time.Time) (rec hybridcore.Record, marked bool) {
	results := slices.Clone(e.draft.Targets)
	follow(results, e.prepared)
	switch {
	case e.draft.Refused() || slices.ContainsFunc(results, func(r hybridcore.Result) bool { return r.Failure != nil }):
		notReleased(results, e.draft.Parity)
	case e.draft.Request.DryRun:
		note(results, hybridcore.Validated, "dry run: would be marked as release "+e.draft.Release.Name)
	default:
		marked = true
		follow(results, e.marked)
		note(results, hybridcore.Published, "release: "+e.draft.Release.Name)
		unchangedMarks(results, e.marked, before)
	}
	status := hybridcore.Overall(results)
	if status == hybridcore.Published && slices.ContainsFunc(e.draft.Parity, hybridcore.Parity.Blocked) {
		status = hybridcore.BlockedStatus
	}
	rec = hybridcore.Record{
		FormatVersion: 1, RunID: e.draft.Release.RunID, Request: e.draft.Request, PlanDigest: e.draft.PlanDigest,
		Commit: e.draft.Release.Commit,
		At:     e.draft.Release.At, Duration: now.Sub(e.draft.Release.At), Status: status,
		Versions: e.draft.Versions, Results: results, Parity: e.draft.Parity,
	}
	switch {
	case status == hybridcore.Published:
		release := withParity(e.draft.Release, rec.Parity)
		rec.Release = &release
	case status == hybridcore.UnchangedDone && before != nil:
		rec.Release = before
	}
	return rec, marked
}

// follow puts what a phase came to into the results that nothing speaks against yet.
func follow(results []hybridcore.Result, parts []hybridcore.ReleasePart) {
	for i, res := range results {
		part := partOn(parts, res.Platform)
		if res.Failure != nil || part == nil {
			continue
		}
		step := part.Step(res.Target)
		if step == nil {
			continue
		}
		results[i].Duration = max(0, step.Started.Add(step.Duration).Sub(res.Started))
		if step.Failure != "" {
			fail(&results[i], step.Failure)
		}
		if step.Cancelled {
			results[i].Status = hybridcore.Cancelled
		}
	}
}

// note sets the status of the targets that nothing speaks against, with a remark.
func note(results []hybridcore.Result, status hybridcore.Status, text string) {
	for i, res := range results {
		if res.Failure == nil {
			results[i].Status, results[i].Notes = status, append(slices.Clone(res.Notes), text)
		}
	}
}

// unchangedMarks are those of an earlier publish of the same release.
func unchangedMarks(results []hybridcore.Result, marked []hybridcore.ReleasePart, before *hybridcore.Release) {
	for i, res := range results {
		if res.Failure != nil || before == nil || before.Find(res.Image, res.Platform) == nil {
			continue
		}
		if part := partOn(marked, res.Platform); part != nil && part.Step(res.Target) != nil && !part.Step(res.Target).Fresh {
			results[i].Status = hybridcore.UnchangedDone
		}
	}
}

// notReleased says of targets that are in order why they are not released all the same.
func notReleased(results []hybridcore.Result, compared []hybridcore.Parity) {
	var wrong []string
	for _, res := range results {
		if res.Failure != nil {
			wrong = append(wrong, res.Target)
		}
	}
	for _, one := range compared {
		if one.Blocked() {
			wrong = append(wrong, "the parity of "+one.Image)
		}
	}
	for i, res := range results {
		if res.Failure == nil {
			results[i].Status = hybridcore.BlockedStatus
			results[i].Failure = &hybridcore.Failure{Message: "not released, because of " + strings.Join(wrong, ", ")}
		}
	}
}

// withParity is a release with the content that was compared for it.
func withParity(release hybridcore.Release, compared []hybridcore.Parity) hybridcore.Release {
	release.Images = slices.Clone(release.Images)
	for i, image := range release.Images {
		for _, one := range compared {
			if one.Image == image.Image {
				release.Images[i].Parity = one.Manifests
			}
		}
	}
	return release
}

// ending is what the phases of a release came to.
type ending struct {
	draft    hybridcore.ReleasePlan
	digest   string // of the plan as it was made
	prepared []hybridcore.ReleasePart
	marked   []hybridcore.ReleasePart // none when nothing was to be marked
}
