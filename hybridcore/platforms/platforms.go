// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

// Package platforms opens the live client of a platform, from the table of those
// that there are. A client looks objects up and removes what a dead run left; it
// never creates an image: that is Packer's work.
package platforms

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/azure"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/proxmox"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/vsphere"
)

// openers are the clients, each from the folder of its platform.
var openers = map[hybridcore.Platform]platform.Opener{
	hybridcore.Proxmox: proxmox.Open,
	hybridcore.VSphere: vsphere.Open,
	hybridcore.Azure:   azure.Open,
}

// Open connects to the target's platform with the connection variables of the
// target. A platform without a client is a BlockedError.
func Open(ctx context.Context, target hybridcore.Target) (platform.Client, error) {
	return connect(ctx, target, platform.Anywhere)
}

// OpenInLab is Open for a process in a lab: the client reaches nothing but this machine.
func OpenInLab(ctx context.Context, target hybridcore.Target) (platform.Client, error) {
	return connect(ctx, target, platform.ThisMachine)
}

func connect(ctx context.Context, target hybridcore.Target, limit platform.Reach) (platform.Client, error) {
	open := openers[target.Platform]
	if open == nil {
		return nil, hybridcore.Blockedf(
			"no live client for %s yet: its artifacts cannot be verified", target.Platform.Info().Title,
		)
	}
	settings := map[string]string{}
	for _, v := range target.Variables {
		settings[v.Name] = v.Plain()
	}
	return platform.Contained(func() (platform.Client, error) { return open(ctx, settings, limit) })
}
