// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// The inventory that every simulated Azure starts with.
const (
	Location = "westeurope"    // of everything below
	Group    = "golden-images" // resource group for images
	Gallery  = "labgallery"    // in Group
)

// Definitions are the image definitions of the gallery, one for each golden image.
var Definitions = []string{"debian12", "debian-12", "ubuntu-24.04"}

// store holds the resource groups with their resources.
type store struct {
	subscription string

	mu     sync.Mutex
	groups map[string]*group // by name in lower case
	disks  int               // made so far
}

// newStore makes a store with the inventory.
func newStore(subscription string) *store {
	s := &store{subscription: subscription, groups: make(map[string]*group)}
	g := &group{name: Group, location: Location, state: stateSucceeded, resources: make(map[string]*resource)}
	s.groups[Group] = g
	put := func(kind string, properties map[string]any, names ...string) {
		t := arm.ID{Subscription: s.subscription, Group: Group, Type: kind, Names: names}
		body := map[string]any{"location": Location, "properties": properties}
		g.resources[t.Key()] = &resource{target: t, group: g, state: stateSucceeded, body: body}
	}
	put(arm.Galleries, map[string]any{}, Gallery)
	for _, name := range Definitions {
		put(arm.Definitions, map[string]any{
			"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2",
			"identifier": map[string]any{"publisher": "lab", "offer": "golden", "sku": name},
		}, Gallery, name)
	}
	return s
}

// findGroup finds a resource group. The caller holds the lock.
func (s *store) findGroup(name string) (*group, error) {
	g, ok := s.groups[strings.ToLower(name)]
	if !ok {
		return nil, groupNotFound(name)
	}
	return g, nil
}

// usableGroup finds a resource group in which something can be made. The caller holds the lock.
func (s *store) usableGroup(name string) (*group, error) {
	g, err := s.findGroup(name)
	if err == nil && g.state == stateDeleting {
		err = arm.Refuse(http.StatusConflict, "ResourceGroupBeingDeleted",
			"The resource group '%s' is in deprovisioning state and cannot perform this operation.", g.name)
	}
	return g, err
}

// find finds a resource. The caller holds the lock.
func (s *store) find(t arm.ID) (*resource, error) {
	g, err := s.findGroup(t.Group)
	if err != nil {
		return nil, err
	}
	r, ok := g.resources[t.Key()]
	if !ok {
		return nil, notFound(t)
	}
	return r, nil
}

// findID finds a resource by its identifier. The caller holds the lock.
func (s *store) findID(id string) (*resource, error) {
	t, ok := arm.ParseID(id)
	if !ok || t.Group == "" || !t.Complete() || !strings.HasPrefix(id, "/") {
		return nil, arm.Refuse(http.StatusBadRequest, "LinkedInvalidPropertyId", "Property id '%s' is invalid.", arm.Clip(id))
	}
	return s.find(t)
}

// newDisk names a new disk. The caller holds the lock.
func (s *store) newDisk() string {
	s.disks++
	return "azure-" + strconv.Itoa(s.disks)
}

// add puts a new resource into the store. The caller holds the lock.
func (s *store) add(g *group, t arm.ID, body map[string]any) *resource {
	t.Group = g.name
	r := &resource{target: t, group: g, state: stateCreating, body: body, created: time.Now().UTC()}
	g.resources[t.Key()] = r
	return r
}

// needParent checks that what holds a nested resource exists. The caller holds the lock.
func (s *store) needParent(t arm.ID) error {
	parent, _ := t.Parent()
	parent.Names = t.Names[:len(t.Names)-1]
	if _, err := s.find(parent); err != nil {
		return arm.Refuse(http.StatusNotFound, "ParentResourceNotFound",
			"Failed to perform 'write' on resource(s) of type '%s', because the parent resource '%s' could not be found.",
			t.Type, parent.String())
	}
	return nil
}

// shown is a resource as a client sees it, and of a disk the machine that uses it. The caller holds the lock.
func (s *store) shown(r *resource) map[string]any {
	body := r.render()
	if r.target.Type != arm.Disks {
		return body
	}
	for _, g := range s.groups {
		for _, other := range g.resources {
			if other.vm != nil && other.disk == r.disk {
				body["managedBy"] = other.target.String()
			}
		}
	}
	return body
}

// listed is a resource as a list shows it, with what is only told when it is asked for. The
// caller holds the lock.
func (s *store) listed(r *resource, expand string) map[string]any {
	body := s.shown(r)
	for name := range strings.SplitSeq(expand, ",") {
		switch name {
		case "createdTime":
			if !r.created.IsZero() {
				body[name] = r.created.Format(time.RFC3339Nano)
			}
		case "provisioningState":
			body[name] = r.state
		}
	}
	return body
}

// sorted lists the resources of a group by their keys. The caller holds the lock.
func (g *group) sorted() []*resource {
	return slices.SortedFunc(maps.Values(g.resources),
		func(a, b *resource) int { return cmp.Compare(a.target.Key(), b.target.Key()) })
}

func (s *store) setState(r *resource, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.state = state
}

func (s *store) setGroupState(g *group, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.state = state
}

// sortedGroups lists the groups by name. The caller holds the lock.
func (s *store) sortedGroups() []*group {
	all := make([]*group, 0, len(s.groups))
	for _, g := range s.groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int { return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return all
}

// ofKind copies the resources of one type, so that they can be looked at without the lock.
func (s *store) ofKind(kind string) []*resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*resource
	for _, g := range s.sortedGroups() {
		for _, r := range g.sorted() {
			if r.target.Type == kind {
				body, _ := arm.CopyOf(r.body).(map[string]any)
				all = append(all, &resource{target: r.target, group: g, state: r.state, body: body, disk: r.disk})
			}
		}
	}
	return all
}

// groupNotFound is the answer about a resource group that does not exist.
func groupNotFound(name string) *arm.Error {
	return arm.Refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name)
}

// notFound is the answer about a resource that does not exist.
func notFound(t arm.ID) *arm.Error {
	return arm.Refuse(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s' under resource group '%s' was not found.",
		t.TypeAndName(), t.Group)
}
