// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"net/http"
	"strconv"
	"strings"
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

// The inventory that every simulated Azure starts with.
const (
	Location = "westeurope"    // of everything below
	Group    = "golden-images" // resource group for images
	Gallery  = "labgallery"    // in Group
)

// Definitions are the image definitions of the gallery, one for each golden image.
var Definitions = []string{"debian12", "debian-12", "ubuntu-24.04"}

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
	target target
	group  *group
	state  string
	body   map[string]any // location, tags, sku, zones, properties
	disk   string         // of disks, images and gallery versions, and of a machine its system disk
	vm     *machine       // of virtual machines
	steps  []step         // of deployments
}

// render is the resource as a client sees it: a copy. The caller holds the lock.
func (r *resource) render() map[string]any {
	out := map[string]any{}
	for _, name := range []string{"location", "tags", "sku", "zones"} {
		if r.body[name] != nil {
			out[name] = copyOf(r.body[name])
		}
	}
	properties, ok := copyOf(r.body["properties"]).(map[string]any)
	if !ok {
		properties = map[string]any{}
	}
	properties["provisioningState"] = r.state
	out["properties"] = properties
	out["id"], out["type"], out["name"] = r.target.id(), r.target.kind, r.target.names[len(r.target.names)-1]
	return out
}

// copyOf copies a value of JSON, so that it can be sent without the lock.
func copyOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = copyOf(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = copyOf(one)
		}
		return out
	}
	return v
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

// seed makes the inventory.
func (s *Server) seed() {
	g := &group{name: Group, location: Location, state: stateSucceeded, resources: make(map[string]*resource)}
	s.groups[Group] = g
	add := func(kind string, properties map[string]any, names ...string) {
		t := target{subscription: s.config.Identity.Subscription, group: Group, kind: kind, names: names}
		body := map[string]any{"location": Location, "properties": properties}
		g.resources[t.key()] = &resource{target: t, group: g, state: stateSucceeded, body: body}
	}
	add(kindGallery, map[string]any{}, Gallery)
	for _, name := range Definitions {
		add(kindDefinition, map[string]any{
			"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2",
			"identifier": map[string]any{"publisher": "lab", "offer": "golden", "sku": name},
		}, Gallery, name)
	}
}

// findGroup finds a resource group. The caller holds the lock.
func (s *Server) findGroup(name string) (*group, error) {
	g, ok := s.groups[strings.ToLower(name)]
	if !ok {
		return nil, groupNotFound(name)
	}
	return g, nil
}

// usableGroup finds a resource group in which something can be made. The caller holds the lock.
func (s *Server) usableGroup(name string) (*group, error) {
	g, err := s.findGroup(name)
	if err == nil && g.state == stateDeleting {
		err = refuse(http.StatusConflict, "ResourceGroupBeingDeleted",
			"The resource group '%s' is in deprovisioning state and cannot perform this operation.", g.name)
	}
	return g, err
}

// find finds a resource. The caller holds the lock.
func (s *Server) find(t target) (*resource, error) {
	g, err := s.findGroup(t.group)
	if err != nil {
		return nil, err
	}
	r, ok := g.resources[t.key()]
	if !ok {
		return nil, notFound(t)
	}
	return r, nil
}

// findID finds a resource by its identifier. The caller holds the lock.
func (s *Server) findID(id string) (*resource, error) {
	t, ok := parseTarget(id)
	if !ok || t.group == "" || !t.complete() || !strings.HasPrefix(id, "/") {
		return nil, refuse(http.StatusBadRequest, "LinkedInvalidPropertyId", "Property id '%s' is invalid.", clip(id))
	}
	return s.find(t)
}

// newDisk names a new disk. The caller holds the lock.
func (s *Server) newDisk() string {
	s.disks++
	return "azure-" + strconv.Itoa(s.disks)
}
