// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

// Package platforms holds the live clients of the platforms. A client looks
// objects up and removes what a dead run left; it never creates an image: that
// is Packer's work.
package platforms

import (
	"context"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// uploadedMedium is the kind of a CD that Packer uploaded, on the storage of a platform.
const uploadedMedium = "uploaded-cd"

// timeout bounds one login or lookup. A vCenter answers in well under a
// second; one that is busy with an inventory service restart takes tens.
const timeout = 60 * time.Second

// Client looks things up on one live platform.
type Client interface {
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

// Open connects to the target's platform with the connection variables of the
// target. A platform without a client is a BlockedError.
func Open(ctx context.Context, target hybridcore.Target) (Client, error) {
	return connected(ctx, target, anywhere)
}

func connected(ctx context.Context, target hybridcore.Target, limit reach) (Client, error) {
	var c contained
	err := hybridcore.Contain(func() (err error) {
		c.inner, err = connect(ctx, target, limit)
		return err
	})
	if err != nil {
		return nil, unusable(err)
	}
	return c, nil
}

// connect opens the client of a platform.
func connect(ctx context.Context, target hybridcore.Target, limit reach) (client, error) {
	settings := map[string]string{}
	for _, v := range target.Variables {
		settings[v.Name] = v.Plain()
	}
	switch target.Platform {
	case hybridcore.VSphere:
		return openVSphere(ctx, settings, limit)
	case hybridcore.Proxmox:
		return openProxmox(ctx, settings, limit)
	case hybridcore.Azure:
		return openAzure(ctx, settings, limit)
	default:
		return nil, hybridcore.Blockedf("no live client for %s yet: its artifacts cannot be verified", target.Platform.Info().Title)
	}
}

// missing says that a connection variable is not set.
func missing(name string) error {
	return fmt.Errorf("variable %s is not set: export PKR_VAR_%s", name, name)
}
