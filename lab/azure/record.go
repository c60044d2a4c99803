// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// States of groups and resources, as provisioningState has them.
const (
	stateAccepted  = "Accepted"
	stateRunning   = "Running"
	stateCreating  = "Creating"
	stateSucceeded = "Succeeded"
	stateFailed    = "Failed"
	stateDeleting  = "Deleting"
)

// group is a resource group.
type group struct {
	name      string
	location  string
	tags      map[string]string
	state     string
	resources map[string]*resource // by target.key
}

// render is the group as a client sees it.
func (g *group) render(subscription string) map[string]any {
	out := map[string]any{
		"id": "/subscriptions/" + subscription + "/resourceGroups/" + g.name, "name": g.name, "location": g.location,
		"type": "Microsoft.Resources/resourceGroups", "properties": map[string]any{"provisioningState": g.state},
	}
	if g.tags != nil {
		out["tags"] = g.tags
	}
	return out
}

// resource is one resource. What a client sent and may see is in body.
type resource struct {
	target arm.ID
	group  *group
	state  string
	body   map[string]any // location, tags, sku, zones, properties
	disk   string         // of disks, images and gallery versions, and of a machine its system disk
	vm     *machine       // of virtual machines
	steps  []step         // of deployments

	created time.Time
	regions map[string]string // region → what its replication came to, where that is not the version's state
}

// render is the resource as a client sees it: a copy. The caller holds the lock.
func (r *resource) render() map[string]any {
	out := map[string]any{}
	for _, name := range []string{"location", "tags", "sku", "zones"} {
		if r.body[name] != nil {
			out[name] = arm.CopyOf(r.body[name])
		}
	}
	properties, ok := arm.CopyOf(r.body["properties"]).(map[string]any)
	if !ok {
		properties = map[string]any{}
	}
	properties["provisioningState"] = r.state
	out["properties"] = properties
	out["id"], out["type"], out["name"] = r.target.String(), r.target.Type, r.target.Names[len(r.target.Names)-1]
	return out
}

// tags are the tags of a resource.
func (r *resource) tags() map[string]string {
	given, _ := r.body["tags"].(map[string]any)
	tags := make(map[string]string, len(given))
	for name, value := range given {
		tags[name], _ = value.(string)
	}
	return tags
}

// Power states of a virtual machine.
const (
	powerStarting    = "starting"
	powerRunning     = "running"
	powerStopped     = "stopped"
	powerDeallocated = "deallocated"
)

// machine is what a virtual machine has besides its resource.
type machine struct {
	nicID       string
	power       string
	generalized bool
	gone        chan struct{} // closed when it is deleted
	left        sync.Once
}

// leave says that the machine is deleted.
func (m *machine) leave() { m.left.Do(func() { close(m.gone) }) }

// view is the instance view of a machine.
func (m *machine) view() map[string]any {
	statuses := []any{
		map[string]any{"code": "ProvisioningState/succeeded", "level": "Info"},
		map[string]any{"code": "PowerState/" + m.power, "level": "Info"},
	}
	if m.generalized {
		statuses = append(statuses, map[string]any{"code": "OSState/generalized", "level": "Info"})
	}
	return map[string]any{"statuses": statuses}
}

// step is one operation of a deployment.
type step struct {
	target arm.ID
	state  string
}
