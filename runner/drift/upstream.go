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

// upstream asks the repositories that the lock pins where their tags point now.
func (s Stage) upstream(ctx context.Context, r *report) {
	root := s.Project.Config.Root
	lock, err := sources.Load(root)
	if errors.Is(err, fs.ErrNotExist) {
		r.skipped(hybridcore.DriftUpstream, "there is no "+sources.LockPath)
		return
	}
	if err != nil {
		r.add(hybridcore.DriftUpstream, NotLooked(sources.LockPath,
			"the repositories were not looked at, because "+s.Project.Redact(err.Error())))
		r.looked(hybridcore.DriftUpstream, "repositories", 1)
		return
	}
	asked := 0
	for _, source := range lock.Sources {
		if source.Tag == "" {
			continue // it is pinned by its commit, which nobody moves
		}
		asked++
		syncer := sources.Syncer{Root: root, Environ: s.Project.Environ}
		found, err := syncer.Moved(ctx, source)
		if err != nil {
			r.add(hybridcore.DriftUpstream, NotLooked(sources.Dir+"/"+source.Name,
				sources.Dir+"/"+source.Name+" was not looked at, because "+s.Project.Redact(err.Error())))
			continue
		}
		for _, f := range found {
			f.Kind, f.Rule = hybridcore.KindDrift, RuleUpstream
			r.add(hybridcore.DriftUpstream, f)
		}
	}
	r.looked(hybridcore.DriftUpstream, "repositories", asked)
}
