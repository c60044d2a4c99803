// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// askAtOnce bounds how many files one request asks for.
const askAtOnce = 1000

// Ahead implements state.Many: one request for a thousand files.
func (b *Backend) Ahead(ctx context.Context, names []string) error {
	if err := b.one.enter(ctx); err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	defer b.one.leave()
	if err := b.refresh(ctx); err != nil {
		return explained("reading the state", err)
	}
	var ids []string
	for _, name := range names {
		if id, there := b.now.objects[name]; there {
			ids = append(ids, id)
		}
	}
	for some := range slices.Chunk(ids, askAtOnce) {
		if err := b.fetchFiles(ctx, some); err != nil {
			return explained("reading the state", err)
		}
	}
	return nil
}

// PutAll implements state.Many: one commit.
func (b *Backend) PutAll(ctx context.Context, objects map[string][]byte) error {
	return b.put(ctx, fmt.Sprintf("%d objects", len(objects)), objects)
}

// put stores objects in one commit.
func (b *Backend) put(ctx context.Context, what string, objects map[string][]byte) error {
	names := slices.Sorted(maps.Keys(objects))
	for _, name := range names {
		if err := state.CheckPut(name, objects[name]); err != nil {
			return err
		}
	}
	if err := b.one.enter(ctx); err != nil {
		return fmt.Errorf("storing %s: %w", what, err)
	}
	defer b.one.leave()
	edits := make([]edit, 0, len(names))
	for _, name := range names {
		id, err := b.stored(ctx, objects[name])
		if err != nil {
			return fmt.Errorf("storing %s: %w", name, err)
		}
		edits = append(edits, edit{name, id})
	}
	err := b.change(ctx, func(v *view) ([]edit, error) {
		for _, name := range names {
			if _, there := v.objects[name]; there {
				return nil, fmt.Errorf("%s: %w", name, fs.ErrExist)
			}
			if err := v.collides(name); err != nil {
				return nil, err
			}
		}
		return edits, nil
	})
	if err != nil {
		return explained("storing "+what, err)
	}
	return nil
}
