// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:21:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package platform

import (
	"context"
	"errors"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// markTries is how often a mark is tried when somebody else edits the object at
// the same time.
const markTries = 5

// ErrEdited says that somebody else changed an object between reading and writing.
var ErrEdited = errors.New("somebody else edited it at the same time")

// ErrGone says that an object is not there any more.
func ErrGone(of hybridcore.URI) error {
	return fmt.Errorf(
		"there is no %s %s with the name %s any more: it was deleted, renamed or replaced", of.Kind, of.ID, of.Name,
	)
}

// Marked tries a mark until nobody else edits the object meanwhile, within the
// time of one call for each.
func Marked(
	ctx context.Context, title string, of hybridcore.URI, mark hybridcore.Mark, try func(context.Context) (bool, error),
) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, markTries*Timeout)
	defer cancel()
	changed, err := false, ErrEdited
	for n := 0; n < markTries && errors.Is(err, ErrEdited); n++ {
		changed, err = try(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("marking %s %s in %s as release %s: %w", of.Kind, of.ID, title, mark.Release, err)
	}
	return changed, nil
}

// RunMark is what the notes of everything that a run creates contain.
func RunMark(runID string) string { return "run " + runID + ", built by packer-hybrid" }
