// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:38:00Z
// Spec: openspec/specs/runner/spec.md#requirement-names-of-releases
// Diagram: openspec/specs/runner/diagram.md#publish

package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// earlier is a release as it was published; nil when there is none of that
// key.
func (s Stage) earlier(ctx context.Context, known hybridcore.Snapshot, key string) (*hybridcore.Release, error) {
	ref, is := known.Releases[key]
	if !is {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	rec, err := s.Project.State.Record(ctx, ref.RunID)
	if err != nil {
		return nil, fmt.Errorf("reading the release %s as it was published: %w", key, err)
	}
	if rec.Release == nil {
		return nil, hybridcore.Blockedf("the record of run %s has no release, and the state says that it published %s",
			ref.RunID, key)
	}
	return rec.Release, nil
}

// addTargets lists in a release what a plan has built. A BlockedError is for a
// name under which other artifacts were published.
func addTargets(release *hybridcore.Release, targets []hybridcore.PlannedTarget, standing []hybridcore.Result) error {
	for i, t := range targets {
		if standing[i].Artifact == nil {
			continue
		}
		now := hybridcore.ReleasedArtifact{
			Platform: t.Target.Platform, RunID: t.Current.RunID, Commit: t.Current.Commit, BuiltAt: t.Current.At,
			Digest:   t.Current.Digest,
			Artifact: *t.Current.Artifact, Inventory: t.Current.Inventory,
		}
		if was := release.Find(t.Target.Image.Name, t.Target.Platform); was != nil {
			if was.RunID != now.RunID || was.Artifact.ID != now.Artifact.ID || !slices.Equal(was.Artifact.URIs,
				now.Artifact.URIs) {
				return builtAgain(release.Name, t.Target.Name(), was.RunID, now.RunID)
			}
			continue
		}
		at := slices.IndexFunc(release.Images,
			func(i hybridcore.ReleasedImage) bool { return i.Image == t.Target.Image.Name })
		if at < 0 {
			at = len(release.Images)
			release.Images = append(release.Images, hybridcore.ReleasedImage{
				Image:  t.Target.Image.Name,
				Recipe: t.Target.Recipe,
			})
		}
		release.Images[at].Artifacts = append(release.Images[at].Artifacts, now)
	}
	return nil
}

func builtAgain(release, target, was, now string) error {
	return hybridcore.Blockedf(
		"release %s has %s of run %s, and run %s built it again since; a release never changes: choose another name with "+
			"--release",
		release, target, was, now)
}

// releaseName is the tag at the commit of the checkout, or without one the day
// of the newest build and the commit: the same for the same images.
func (s Stage) releaseName(ctx context.Context, plan hybridcore.Plan) (string, error) {
	if plan.Commit != "" {
		repository, err := git.Open(s.Project.Config.Root, s.Project.Environ)
		if err != nil {
			return "", err
		}
		tags, err := repository.TagsAt(ctx, plan.Commit)
		if err != nil {
			return "", err
		}
		switch {
		case len(tags) > 1:
			return "", hybridcore.Usagef(
				"commit %.12s has several tags (%.400s): say with --release which one the release is called after",
				plan.Commit, strings.Join(tags, ", "))
		case len(tags) == 1:
			if err := hybridcore.CheckName("release", tags[0]); err != nil {
				return "", fmt.Errorf("the tag at HEAD: %w; or give another name with --release", err)
			}
			return tags[0], nil
		}
	}
	var newest hybridcore.Current
	for _, t := range plan.Targets {
		if t.Current != nil && t.Current.At.After(newest.At) {
			newest = *t.Current
		}
	}
	name := newest.At.UTC().Format("2006.01.02")
	if plan.Commit != "" {
		return name + "-" + plan.Commit[:12], nil
	}
	return name + "-" + newest.RunID[strings.IndexByte(newest.RunID, '-')+1:], nil
}
