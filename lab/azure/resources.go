// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#deletion

package azure

import (
	"context"
	"net/http"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// resourceAPI answers calls on resources of any type.
type resourceAPI struct {
	store  *store
	work   *operations
	guests Guests
	disks  Disks
}

// get answers with a resource.
func (a *resourceAPI) get(c *call) (*reply, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	r, err := a.store.find(c.target)
	if err != nil {
		return nil, err
	}
	body := a.store.shown(r)
	properties := arm.Object(body, "properties")
	switch expand := c.query.Get("$expand"); {
	case r.vm != nil && strings.EqualFold(expand, "instanceView"):
		properties["instanceView"] = r.vm.view()
	case r.target.Type == arm.Versions && strings.EqualFold(expand, "ReplicationStatus"):
		properties["replicationStatus"] = replication(r)
	}
	return &reply{status: http.StatusOK, body: body}, nil
}

// patch changes tags, which are replaced, and properties, which are merged.
func (a *resourceAPI) patch(c *call) (*reply, error) {
	var request map[string]any
	if err := c.decode(&request); err != nil {
		return nil, err
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	r, err := a.store.find(c.target)
	if err != nil {
		return nil, err
	}
	if r.target.Type == arm.Deployments || r.target.Type == arm.VirtualMachines {
		return nil, arm.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no PATCH for %s.", r.target.Type)
	}
	if tags, ok := request["tags"].(map[string]any); ok {
		r.body["tags"] = tags
	}
	if properties, ok := request["properties"].(map[string]any); ok {
		arm.Merge(arm.Object(r.body, "properties"), properties)
	}
	return &reply{status: http.StatusOK, body: r.render()}, nil
}

// putPlain makes or changes a resource that does nothing by itself: a gallery or an image definition.
func (a *resourceAPI) putPlain(c *call) (*reply, error) {
	body, err := c.resourceBody()
	if err != nil {
		return nil, err
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	g, err := a.store.usableGroup(c.target.Group)
	if err != nil {
		return nil, err
	}
	if c.target.Type == arm.Definitions {
		if err := a.store.needParent(c.target); err != nil {
			return nil, err
		}
	}
	status := http.StatusOK
	r, exists := g.resources[c.target.Key()]
	if !exists {
		status, r = http.StatusCreated, a.store.add(g, c.target, body)
	}
	r.body, r.state = body, stateSucceeded
	return &reply{status: status, body: r.render()}, nil
}

// list lists the resources of one type, or all, of a group or of the subscription.
func (a *resourceAPI) list(c *call, only string) (*reply, error) {
	wanted, err := parseFilter(c.query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	groups := a.store.sortedGroups()
	if c.target.Group != "" {
		g, err := a.store.findGroup(c.target.Group)
		if err != nil {
			return nil, err
		}
		groups = []*group{g}
	}
	values := []any{}
	for _, g := range groups {
		for _, r := range g.sorted() {
			switch {
			case only != "" && r.target.Type != only, only == "" && r.target.Type == arm.Deployments:
			case !under(r.target.Names, c.target.Names), wanted.kind != "" && !strings.EqualFold(wanted.kind, r.target.Type):
			case wanted.tags(r.tags()):
				values = append(values, a.store.listed(r, c.query.Get("$expand")))
			}
		}
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": values}}, nil
}

// remove deletes a resource. One that does not exist is as good as deleted.
func (a *resourceAPI) remove(c *call) (*reply, error) {
	a.store.mu.Lock()
	r, err := a.store.find(c.target)
	var before string
	if err == nil {
		if err = a.store.inUse(r); err == nil {
			before, r.state = r.state, stateDeleting
		}
	}
	a.store.mu.Unlock()
	if err != nil && arm.AsError(err).Code == "ResourceNotFound" {
		return a.work.alreadyGone(c), nil
	}
	if err != nil {
		return nil, err
	}
	op := a.work.begin(c, "InProgress", func(ctx context.Context, fail error) error {
		if fail != nil {
			a.store.setState(r, before)
			return fail
		}
		if a.work.faithful && !pause(ctx, faithfulDelete) {
			return nil
		}
		err := a.discard(r)
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		if key := r.target.Key(); r.group.resources[key] == r {
			delete(r.group.resources, key)
		}
		return err
	})
	return a.work.deleting(c, op), nil
}

// discard ends the guest of a machine and removes the content of a disk or an image.
func (a *resourceAPI) discard(r *resource) error {
	switch {
	case r.vm != nil:
		r.vm.leave()
		a.guests.PowerOff(r.disk)
	case r.disk != "":
		return a.disks.Remove(r.disk)
	}
	return nil
}
