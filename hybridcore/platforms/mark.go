// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:21:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package platforms

import (
	"context"
	"errors"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Marker marks objects as parts of a release. All clients are markers.
type Marker interface {
	// Mark marks an object that Find returned, and reports whether it had to
	// change something. It adds to notes and tags, and changes nothing of what is
	// there. An object that is gone, renamed or no image gives an error, a mark of
	// the same release for another build a BlockedError.
	Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error)
}

var (
	_ Marker = (*azure)(nil)
	_ Marker = (*proxmox)(nil)
	_ Marker = (*vsphere)(nil)
)

// markTries is how often a mark is tried when somebody else edits the object at
// the same time.
const markTries = 5

// errEdited says that somebody else changed an object between reading and writing.
var errEdited = errors.New("somebody else edited it at the same time")

// errGone says that an object is not there any more.
func errGone(of hybridcore.URI) error {
	return fmt.Errorf("there is no %s %s with the name %s any more: it was deleted, renamed or replaced", of.Kind, of.ID, of.Name)
}

// marked tries a mark until nobody else edits the object meanwhile, within the
// time of one call for each.
func marked(ctx context.Context, title string, of hybridcore.URI, mark hybridcore.Mark, try func(context.Context) (bool, error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, markTries*timeout)
	defer cancel()
	changed, err := false, errEdited
	for n := 0; n < markTries && errors.Is(err, errEdited); n++ {
		changed, err = try(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("marking %s %s in %s as release %s: %w", of.Kind, of.ID, title, mark.Release, err)
	}
	return changed, nil
}
