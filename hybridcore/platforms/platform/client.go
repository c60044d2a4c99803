// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:25:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-one-folder-a-platform
// Diagram: openspec/specs/platforms/diagram.md#one-folder-a-platform

// Package platform is the ground on which the clients of all platforms stand: the
// interface that each has, the bounds of its calls, how it marks a release and how
// it removes what a dead run left. It knows no platform.
package platform

import (
	"context"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Kinds of objects that more than one platform has.
const (
	VM             = hybridcore.KindVM
	VMTemplate     = "vm-template"
	UploadedMedium = "uploaded-cd" // that Packer uploaded, on the storage of a platform
)

// Client is what each platform has.
type Client interface {
	Session
	Marker
	Looker
}

// Session looks things up on one live platform.
type Session interface {
	// Find returns the objects that have exactly this name, in a fixed order.
	// None is an empty list, not an error.
	Find(ctx context.Context, name string) ([]hybridcore.URI, error)
	// Reap removes what a dead run left: machines of exactly this name with the
	// run's mark, and on Azure the resource groups that carry both; with what is
	// attached to them alone; and the run's CDs that no machine refers to. It
	// returns what was removed, or in a dry run what would be. A complete image is
	// never one of them.
	Reap(ctx context.Context, left hybridcore.Remains, dry bool) ([]hybridcore.URI, error)
	// Close ends the session. Its error is worth a log line, nothing more.
	Close(ctx context.Context) error
}

// Marker marks objects as parts of a release.
type Marker interface {
	// Mark marks an object that Find returned, and reports whether it had to
	// change something. It adds to notes and tags, and changes nothing of what is
	// there. An object that is gone, renamed or no image gives an error, a mark of
	// the same release for another build a BlockedError.
	Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error)
}

// Looker says what is on a platform now. Both methods give one answer for each object, in
// the order of the objects; objects may be of many artifacts. An error is that nothing is
// known of any. Nothing is said to be missing unless the platform said so of just that
// object.
type Looker interface {
	// Look says whether objects exist, and with which kind and name, by lists: the number
	// of calls does not grow with that of the objects.
	Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error)
	// Fingerprint is Look with all facts of what is there, in at most one call more for
	// each object.
	Fingerprint(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error)
}

// Opener connects to a platform with the values of a target's variables, within
// the reach that it is given.
type Opener func(ctx context.Context, settings map[string]string, limit Reach) (Client, error)

// Missing says that a connection variable is not set.
func Missing(name string) error {
	return fmt.Errorf("variable %s is not set: export PKR_VAR_%s", name, name)
}
