// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:59:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package azure

import (
	"context"
	"fmt"
	"path"

	"github.com/hashicorp/packer-plugin-sdk/multistep"
)

// attached are the kinds of things of a deployment besides the machine and its card, which go first.
var attached = map[string]bool{
	"Microsoft.Network/virtualNetworks": true, "Microsoft.Network/networkSecurityGroups": true,
	"Microsoft.Network/publicIPAddresses": true,
}

// removeDeployment deletes what the deployment made and the deployment itself, after a build that succeeded too.
func (b *build) removeDeployment(multistep.StateBag) {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	b.ui.Say("Deleting Virtual Machine deployment and its attached resources...")
	b.removeResources(ctx)
	b.ui.Say(fmt.Sprintf("Removing the created Deployment object: '%s'", b.names.deployment))
	if err := b.client.remove(ctx, b.deploymentID(), groups); err != nil {
		b.ui.Say(err.Error())
	}
}

// removeResources deletes the machine, then its card, then the rest, then its disk. When machine or card stay, so
// does the rest: it is in use.
func (b *build) removeResources(ctx context.Context) {
	disk, err := b.findDisk(ctx)
	if err != nil {
		b.ui.Error(fmt.Sprintf("Could not retrieve OS Image details: %v", err))
	}
	var made struct {
		Value []struct {
			Properties struct {
				Target struct {
					Type string `json:"resourceType"`
					Name string `json:"resourceName"`
				} `json:"targetResource"`
			} `json:"properties"`
		} `json:"value"`
	}
	list := b.groupID(b.Subscription, b.names.group) + "/deployments/" + b.names.deployment + "/operations"
	if err := b.client.read(ctx, "GET", b.client.at(list, groups)+"&%24top=50", nil, &made); err != nil {
		b.ui.Error(fmt.Sprintf("Could not retrieve deployment operations: %v\n Please delete Virtual Machine %s and its "+
			"associated resources manually", err, b.names.compute))
		return
	}
	for _, first := range []struct{ kind, version string }{
		{"Microsoft.Compute/virtualMachines", machines},
		{"Microsoft.Network/networkInterfaces", networks},
	} {
		for _, one := range made.Value {
			if t := one.Properties.Target; t.Type == first.kind && !b.removeOne(ctx, t.Type, t.Name, first.version) {
				return
			}
		}
	}
	for _, one := range made.Value {
		if t := one.Properties.Target; attached[t.Type] {
			b.removeOne(ctx, t.Type, t.Name, networks)
		}
	}
	if disk == "" {
		b.ui.Error("Failed to find temporary OS disk on VM.  Please delete manually.\n\nVM Name: " + b.names.compute)
		return
	}
	b.removeOne(ctx, "Microsoft.Compute/disks", path.Base(disk), disks)
}

// removeOne deletes one of the build's own things, in several tries, and says whether it is gone.
func (b *build) removeOne(ctx context.Context, kind, name, version string) bool {
	for attempt := 1; ; attempt++ {
		err := b.client.remove(ctx, b.own(kind, name), version)
		if err == nil {
			b.ui.Say(fmt.Sprintf("Deleted -> %s : '%s'", kind, name))
			return true
		}
		if attempt == attempts || pause(ctx, nil, retryPause) != nil {
			b.ui.Error(fmt.Sprintf("Error deleting resource. Please delete manually.\n\nName: %s\nError: %v", name, err))
			return false
		}
	}
}
