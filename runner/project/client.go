// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:58:00Z
// Spec: openspec/specs/runner/spec.md#requirement-stages-stand-on-one-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package project

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Client looks things up on one live platform, and removes what a dead run left.
type Client interface {
	Find(ctx context.Context, name string) ([]hybridcore.URI, error)
	Reap(ctx context.Context, left hybridcore.Remains, dry bool) ([]hybridcore.URI, error)
	Close(ctx context.Context) error
}

// Marker is a client that marks what was built as part of a release.
type Marker interface {
	Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error)
}

// Looker is a client that says what its platform has now of objects, by their
// identifiers: one answer for each, in their order.
type Looker interface {
	Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error)
	Fingerprint(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error)
}
