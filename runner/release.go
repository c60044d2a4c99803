// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:38:00Z
// Spec: openspec/specs/runner/spec.md#requirement-names-of-releases
// Diagram: openspec/specs/runner/diagram.md#publish

package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// name settles what the release is called and what is in it. A BlockedError is
// for a name under which other artifacts were published.
func (p *publishing) name(ctx context.Context) error {
	name := p.plan.Request.Release
	if name == "" {
		var err error
		if name, err = p.standardName(ctx); err != nil {
			return err
		}
		p.plan.Request.Release = name
	}
	p.release = hybridcore.Release{Name: name, Env: p.plan.Request.Env, Commit: p.plan.Commit, RunID: p.id, At: p.Now().UTC()}
	snapshot, err := p.State.Read(ctx)
	if err != nil {
		return err
	}
	if ref, known := snapshot.Releases[p.key()]; known {
		rec, err := p.State.Record(ctx, ref.RunID)
		if err != nil {
			return fmt.Errorf("reading the release %s as it was published: %w", name, err)
		}
		p.before = rec.Release
	}
	return p.fill()
}

func (p *publishing) key() string { return p.release.Env + "/" + p.release.Name }

// fill lists what is in the release: what was before, and the targets of the plan.
func (p *publishing) fill() error {
	if p.before != nil {
		for _, i := range p.before.Images {
			i.Artifacts = slices.Clone(i.Artifacts)
			p.release.Images = append(p.release.Images, i)
		}
	}
	for i, t := range p.plan.Targets {
		if p.results[i].Artifact == nil {
			continue
		}
		now := hybridcore.ReleasedArtifact{
			Platform: t.Target.Platform, RunID: t.Current.RunID, Commit: t.Current.Commit, BuiltAt: t.Current.At, Digest: t.Current.Digest,
			Artifact: *t.Current.Artifact, Inventory: t.Current.Inventory,
		}
		if was := p.release.Find(t.Target.Image.Name, t.Target.Platform); was != nil {
			if was.RunID != now.RunID || was.Artifact.ID != now.Artifact.ID || !slices.Equal(was.Artifact.URIs, now.Artifact.URIs) {
				return hybridcore.Blockedf("release %s has %s of run %s, and run %s built it again since; a release never changes: choose another name with --release",
					p.release.Name, t.Target.Name(), was.RunID, now.RunID)
			}
			continue
		}
		at := slices.IndexFunc(p.release.Images, func(i hybridcore.ReleasedImage) bool { return i.Image == t.Target.Image.Name })
		if at < 0 {
			at = len(p.release.Images)
			p.release.Images = append(p.release.Images, hybridcore.ReleasedImage{Image: t.Target.Image.Name, Recipe: t.Target.Recipe})
		}
		p.release.Images[at].Artifacts = append(p.release.Images[at].Artifacts, now)
	}
	return nil
}

// standardName is the tag at the commit of the checkout, or without one the day
// of the newest build and the commit: the same for the same images.
func (p *publishing) standardName(ctx context.Context) (string, error) {
	if p.plan.Commit != "" {
		repository, err := sources.OpenRepository(p.Project.Root, p.Environ)
		if err != nil {
			return "", err
		}
		tags, err := repository.TagsAt(ctx, p.plan.Commit)
		if err != nil {
			return "", err
		}
		switch {
		case len(tags) > 1:
			return "", hybridcore.Usagef("commit %.12s has several tags (%.400s): say with --release which one the release is called after", p.plan.Commit, strings.Join(tags, ", "))
		case len(tags) == 1:
			if err := hybridcore.CheckName("release", tags[0]); err != nil {
				return "", fmt.Errorf("the tag at HEAD: %w; or give another name with --release", err)
			}
			return tags[0], nil
		}
	}
	var newest hybridcore.Current
	for _, t := range p.plan.Targets {
		if t.Current != nil && t.Current.At.After(newest.At) {
			newest = *t.Current
		}
	}
	name := newest.At.UTC().Format("2006.01.02")
	if p.plan.Commit != "" {
		return name + "-" + p.plan.Commit[:12], nil
	}
	return name + "-" + newest.RunID[strings.IndexByte(newest.RunID, '-')+1:], nil
}

// keepRelease records a release, and makes it the state's when it is complete.
func (p *publishing) keepRelease(ctx context.Context, rec hybridcore.Record) (hybridcore.Record, error) {
	if rec.Release != nil && rec.Status == hybridcore.Published {
		for i, image := range rec.Release.Images {
			for _, one := range rec.Parity {
				if one.Image == image.Image {
					rec.Release.Images[i].Parity = one.Manifests
				}
			}
		}
	}
	if !Recorded(rec) {
		return rec, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := p.State.Append(ctx, rec, nil); err != nil {
		return rec, fmt.Errorf("recording run %s, which marked the release %s: %w; run publish again", rec.RunID, p.release.Name, err)
	}
	if rec.Status != hybridcore.Published {
		return rec, nil
	}
	err := p.State.Update(ctx, func(s *hybridcore.Snapshot) error { return p.apply(s, rec) })
	if err != nil {
		return rec, fmt.Errorf("recording the release %s of run %s: %w; run publish again", p.release.Name, rec.RunID, err)
	}
	return rec, nil
}

// apply makes a release the state's, unless another run published one of that
// name meanwhile.
func (p *publishing) apply(s *hybridcore.Snapshot, rec hybridcore.Record) error {
	was, known := s.Releases[p.key()]
	if known != (p.before != nil) || known && was.RunID != p.before.RunID {
		return hybridcore.Blockedf("run %s published a release of that name at the same time", was.RunID)
	}
	if s.Releases == nil {
		s.Releases = map[string]hybridcore.ReleaseRef{}
	}
	s.Releases[p.key()] = hybridcore.ReleaseRef{RunID: rec.RunID, At: rec.Release.At}
	for _, t := range p.plan.Targets {
		key := t.Target.Key()
		if now, there := s.Targets[key]; there && now.RunID == t.Current.RunID {
			now.Release = p.release.Name
			s.Targets[key] = now
		}
	}
	return nil
}
