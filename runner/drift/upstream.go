// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:06:54Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"context"
	"errors"
	"io/fs"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// upstream asks publishers: the repositories that the lock pins where their tags point now, and
// what else sources/upstream.hcl names.
func (s Stage) upstream(ctx context.Context, r *report, plan hybridcore.Plan) {
	q := &questions{Stage: s, report: r}
	q.repositories(ctx)
	q.published(ctx, plan)
	if q.asked == 0 {
		r.skipped(hybridcore.DriftUpstream, "neither "+sources.LockPath+" nor "+sources.UpstreamPath+
			" names anything to ask")
		return
	}
	r.looked(hybridcore.DriftUpstream, "questions", q.asked)
	r.of.Looks[len(r.of.Looks)-1].Oldest = q.oldest
}

// repositories asks those that the lock pins by a tag.
func (q *questions) repositories(ctx context.Context) {
	root := q.Project.Config.Root
	lock, err := sources.Load(root)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		q.asked++
		q.unknown(sources.LockPath, err)
		return
	}
	for _, source := range lock.Sources {
		if source.Tag == "" {
			continue // it is pinned by its commit, which nobody moves
		}
		q.asked++
		syncer := sources.Syncer{Root: root, Environ: q.Project.Environ}
		found, err := syncer.Moved(ctx, source)
		if err != nil {
			q.unknown(sources.Dir+"/"+source.Name, err)
			continue
		}
		q.answered(q.Project.Now())
		for _, f := range found {
			f.Kind, f.Rule = hybridcore.KindDrift, RuleUpstream
			q.report.add(hybridcore.DriftUpstream, f)
		}
	}
}
