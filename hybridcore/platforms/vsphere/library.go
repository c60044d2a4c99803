// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

package vsphere

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// item is an item of the content library.
type item struct {
	id, name string
	notes    string // its description
	whole    bool   // it can be deployed
}

// uri describes the item. Reap and Find agree on it.
func (i item) uri() hybridcore.URI {
	kind := libraryItem
	if !i.whole {
		kind = hybridcore.KindIncomplete + kind
	}
	return hybridcore.URI{Kind: kind, Name: i.name, ID: i.id}
}

// libraryItems lists the items of exactly this name, by identifier. vCenter makes
// an OVF item first and then copies its files: an item without a descriptor is
// one whose import runs or has died.
func (c *client) libraryItems(ctx context.Context, name string) ([]item, error) {
	manager := library.NewManager(c.rest)
	lib, err := manager.GetLibraryByName(ctx, c.library)
	if err != nil {
		return nil, fmt.Errorf("finding the library: %w", err)
	}
	ids, err := manager.FindLibraryItems(ctx, library.FindItem{LibraryID: lib.ID, Name: name})
	if err != nil {
		return nil, fmt.Errorf("finding items: %w", err)
	}
	slices.Sort(ids)
	var found []item
	for _, id := range slices.Compact(ids) {
		known, err := manager.GetLibraryItem(ctx, id)
		if rest.IsStatusError(err, http.StatusNotFound) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading item %s: %w", id, err)
		}
		if known.Name != name || known.LibraryID != lib.ID { // the filter does not tell upper and lower case apart
			continue
		}
		i := item{id: id, name: known.Name, whole: known.Type != library.ItemTypeOVF}
		if known.Description != nil {
			i.notes = *known.Description
		}
		if !i.whole {
			files, err := manager.ListLibraryItemFiles(ctx, id)
			if err != nil {
				return nil, fmt.Errorf("listing the files of item %s: %w", id, err)
			}
			i.whole = slices.ContainsFunc(
				files, func(f library.File) bool { return strings.HasSuffix(strings.ToLower(f.Name), ".ovf") },
			)
		}
		found = append(found, i)
	}
	return found, nil
}

// removeItem deletes an item.
func (c *client) removeItem(ctx context.Context, i item) error {
	err := library.NewManager(c.rest).DeleteLibraryItem(ctx, &library.Item{ID: i.id})
	if err != nil && !rest.IsStatusError(err, http.StatusNotFound) {
		return fmt.Errorf("deleting it: %w", err)
	}
	return nil
}
