// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:38:00Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package stored

import (
	"context"
	"fmt"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// maxLookBack bounds the records that are read for the last run of a change.
const maxLookBack = 200

// LastRun is the last build of a change for an environment; empty when there is none.
func LastRun(ctx context.Context, env places.Env, of config.Project, change, in string) (run string, err error) {
	store, err := View(env, of)
	if err != nil {
		return "", err
	}
	defer store.Close() //nolint:errcheck // only read
	ids, err := store.Records(ctx)
	if err != nil {
		return "", fmt.Errorf("listing records: %w", err)
	}
	for _, id := range slices.Backward(ids[max(0, len(ids)-maxLookBack):]) {
		rec, err := store.Record(ctx, id)
		if err != nil {
			return "", fmt.Errorf("reading a record: %w", err)
		}
		if rec.Request.Action == hybridcore.ActionBuild && rec.Request.Env == in && rec.Request.Origin.Change == change {
			return rec.RunID, nil
		}
	}
	return "", nil
}
