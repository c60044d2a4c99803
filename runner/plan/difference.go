// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:26Z
// Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
// Diagram: openspec/specs/plan/diagram.md#two-trees

package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// kindBase is the kind of findings about the commit that is compared with.
const kindBase = "base"

// readBase reads the commit that the request names. What is wrong in its
// files is a warning: the working tree may be what corrects it.
func (p *planning) readBase(ctx context.Context) error {
	repo, err := git.Open(p.project.Config.Root, p.project.Environ)
	if err != nil {
		return err
	}
	commit, err := repo.Resolve(ctx, p.req.Base)
	if err != nil {
		return err
	}
	files, err := repo.Tree(ctx, commit, config.FileName, templates.Dir, templates.ConfigsDir, sources.LockPath)
	if err != nil {
		return err
	}
	p.repository, p.commits = repo, map[string]fs.FS{commit: files}
	p.plan.Base = &hybridcore.Base{Revision: p.req.Base, Commit: commit}
	p.base = &base{name: fmt.Sprintf("%s (%.12s)", p.req.Base, commit)}
	was, err := readTree(files, p.now.env.Name)
	var usage *hybridcore.UsageError
	var findings *hybridcore.FindingsError
	switch {
	case errors.As(err, &usage), errors.As(err, &findings):
		first, _, _ := strings.Cut(p.project.Redact(err.Error()), "\n")
		p.plan.Findings = append(p.plan.Findings, hybridcore.Finding{
			Kind: kindBase, Subject: p.req.Base, Severity: hybridcore.Warning,
			Message: fmt.Sprintf("%s cannot be planned, so that every target counts as new: %s", p.base.name, first),
		})
		return nil
	case err != nil:
		return err
	}
	p.base.tree, p.base.renamed = was, renamed(was.set.Images(), p.now.set.Images())
	p.plan.Moved = moved(was.lock, p.now.lock)
	return nil
}

// before finds what a target was in the base, under its name or its image's
// former one.
func (p *planning) before(now hybridcore.Target) (was hybridcore.Target, found bool) {
	if p.base.tree == nil {
		return hybridcore.Target{}, false
	}
	which := pair{now.Image.Name, now.Platform}
	if former := p.base.renamed[which.image]; former != "" {
		which.image = former
	}
	if !p.base.has(which) {
		return hybridcore.Target{}, false
	}
	was, _, err := p.base.resolve(which, p.project.Environ)
	if err != nil {
		return hybridcore.Target{}, false // the base could not build it either
	}
	was.Seal(p.base.pins(was))
	return was, true
}

// compare plans a target against the base.
func (p *planning) compare(ctx context.Context, now hybridcore.Target) hybridcore.PlannedTarget {
	planned := hybridcore.PlannedTarget{Target: now, Decision: hybridcore.Build}
	was, found := p.before(now)
	if !found {
		planned.Reasons = []hybridcore.Reason{{
			Kind: "new", Subject: now.Name(), File: now.Image.File, Line: now.Image.Line, Text: "new: not in " + p.base.name,
		}}
		return planned
	}
	if was.Image.Name != now.Image.Name {
		planned.Reasons = append(planned.Reasons, hybridcore.Reason{
			Kind: "renamed", Subject: now.Image.Name, Was: was.Image.Name, Now: now.Image.Name, File: now.Image.File,
			Line: now.Image.Line,
			Text: fmt.Sprintf("image %s is called %s now; what was built keeps its name", was.Image.Name, now.Image.Name),
		})
	}
	changed := changes(now.Inputs, was.Inputs)
	for i := range changed {
		p.describe(ctx, &changed[i], now, past{target: &was, commit: p.plan.Base.Commit})
	}
	if planned.Reasons = append(planned.Reasons, changed...); len(planned.Reasons) == 0 {
		planned.Decision = hybridcore.Unchanged
		planned.Reasons = []hybridcore.Reason{{
			Kind: "unchanged", Subject: p.plan.Base.Commit,
			Text: fmt.Sprintf("all %d inputs equal %s", len(now.Inputs), p.base.name),
		}}
	}
	return planned
}

// removed lists the targets that the base makes and the working tree does not.
func (p *planning) removedSinceBase() []hybridcore.Removed {
	if p.base.tree == nil {
		return nil
	}
	renamedFrom := slices.Collect(maps.Values(p.base.renamed))
	var gone []hybridcore.Removed
	for _, image := range p.base.set.Images() {
		for _, platform := range image.Platforms {
			which := pair{image.Name, platform}
			if !p.base.makes(image, platform) || !p.req.Wants(key(p.now.env.Name, which)) || p.now.has(which) ||
				slices.Contains(renamedFrom, image.Name) {
				continue
			}
			gone = append(gone, hybridcore.Removed{
				Image: image.Name, Platform: platform,
				Text: fmt.Sprintf("in %s only; what was built of it stays", p.base.name),
			})
		}
	}
	return append(gone, p.narrowed()...)
}

// narrowed lists the platforms that a renamed image lost.
func (p *planning) narrowed() []hybridcore.Removed {
	var gone []hybridcore.Removed
	for _, name := range slices.Sorted(maps.Keys(p.base.renamed)) {
		former, err := p.base.set.Image(p.base.renamed[name])
		if err != nil {
			continue // a rename is between images that exist
		}
		for _, platform := range former.Platforms {
			if p.base.makes(former, platform) && !p.now.has(pair{name, platform}) &&
				p.req.Wants(key(p.now.env.Name, pair{former.Name, platform})) {
				gone = append(gone, hybridcore.Removed{
					Image: former.Name, Platform: platform,
					Text: fmt.Sprintf("%s, as it is called now, is not made for it; what was built stays", name),
				})
			}
		}
	}
	return gone
}

// removedSinceRecord lists the targets that the state knows and the working
// tree does not make.
func (p *planning) removedSinceRecord() []hybridcore.Removed {
	var gone []hybridcore.Removed
	for _, key := range slices.Sorted(maps.Keys(p.snapshot.Targets)) {
		env, name, _ := strings.Cut(key, "/")
		image, platform, _ := strings.Cut(name, "@")
		if env != p.now.env.Name || !p.req.Wants(key) || p.now.has(pair{image, hybridcore.Platform(platform)}) {
			continue
		}
		current := p.snapshot.Targets[key]
		gone = append(gone, hybridcore.Removed{
			Image: image, Platform: hybridcore.Platform(platform), RunID: current.RunID,
			Text: fmt.Sprintf("built by run %s, not made any more; what was built of it stays", current.RunID),
		})
	}
	return gone
}

// unsupported lists the pairs that the catalogue rules out.
func (p *planning) unsupported() []hybridcore.Unsupported {
	var pairs []hybridcore.Unsupported
	for _, image := range p.now.set.Images() {
		for _, info := range hybridcore.Platforms() {
			reason, ruled := image.Unsupported[info.Name]
			if ruled && p.now.env.Has(info.Name) && p.req.Wants(key(p.now.env.Name, pair{image.Name, info.Name})) {
				pairs = append(pairs, hybridcore.Unsupported{
					Image: image.Name, Platform: info.Name, Reason: reason,
					File: image.File, Line: image.Line,
				})
			}
		}
	}
	return pairs
}

// renamed pairs each image that is new with the one that is gone and was the
// same system, family and version, when there is exactly one on both sides.
func renamed(was, now []hybridcore.Image) map[string]string {
	type system struct{ os, family, version string }
	only := func(images, others []hybridcore.Image) map[system][]string {
		found := map[system][]string{}
		for _, i := range images {
			if !slices.ContainsFunc(others, func(o hybridcore.Image) bool { return o.Name == i.Name }) {
				s := system{i.OS, i.Family, i.Version}
				found[s] = append(found[s], i.Name)
			}
		}
		return found
	}
	gone, names := only(was, now), map[string]string{}
	for s, added := range only(now, was) {
		if len(added) == 1 && len(gone[s]) == 1 {
			names[added[0]] = gone[s][0]
		}
	}
	return names
}

// decide compares a target with its last good build.
func (p *planning) decide(ctx context.Context, target hybridcore.Target) hybridcore.PlannedTarget {
	planned := hybridcore.PlannedTarget{Target: target, Decision: hybridcore.Build}
	current, built := p.snapshot.Targets[target.Key()]
	if !built {
		planned.Reasons = []hybridcore.Reason{{Kind: "never-built", Text: "never built in " + target.Env}}
		return planned
	}
	planned.Current = &current
	planned.Reasons = changes(target.Inputs, current.Inputs)
	for i := range planned.Reasons {
		p.describe(ctx, &planned.Reasons[i], target, past{commit: current.Commit})
	}
	if p.req.Rebuild {
		planned.Reasons = append(planned.Reasons, hybridcore.Reason{Kind: "forced", Text: "a rebuild was asked for"})
	}
	if len(planned.Reasons) == 0 {
		planned.Decision = hybridcore.Unchanged
		planned.Reasons = []hybridcore.Reason{{
			Kind: "unchanged", Subject: current.RunID,
			Text: fmt.Sprintf("all %d inputs equal run %s of %s", len(target.Inputs), current.RunID,
				current.At.UTC().Format(time.DateTime)+" UTC"),
		}}
	}
	return planned
}
