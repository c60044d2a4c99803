// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#deletion

package azure

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// resourceMethod answers a call on one resource.
func (s *Server) resourceMethod(c *call) (*reply, error) {
	switch c.method {
	case http.MethodGet:
		return s.getResource(c)
	case http.MethodDelete:
		return s.deleteResource(c)
	case http.MethodPatch:
		return s.patchResource(c)
	case http.MethodPut:
		switch c.target.kind {
		case kindDeployment:
			return s.putDeployment(c)
		case kindImage:
			return s.putImage(c)
		case kindVersion:
			return s.putVersion(c)
		case kindGallery, kindDefinition:
			return s.putPlain(c)
		}
	}
	return nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no %s for %s.", c.method,
		c.target.kind)
}

// getResource answers with a resource.
func (s *Server) getResource(c *call) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(c.target)
	if err != nil {
		return nil, err
	}
	body := s.shown(r)
	properties := object(body, "properties")
	switch expand := c.query.Get("$expand"); {
	case r.vm != nil && strings.EqualFold(expand, "instanceView"):
		properties["instanceView"] = r.vm.view()
	case r.target.kind == kindVersion && strings.EqualFold(expand, "ReplicationStatus"):
		properties["replicationStatus"] = replication(r)
	}
	return &reply{status: http.StatusOK, body: body}, nil
}

// patchResource changes tags, which are replaced, and properties, which are merged.
func (s *Server) patchResource(c *call) (*reply, error) {
	var request map[string]any
	if err := c.decode(&request); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(c.target)
	if err != nil {
		return nil, err
	}
	if r.target.kind == kindDeployment || r.target.kind == kindVM {
		return nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no PATCH for %s.", r.target.kind)
	}
	if tags, ok := request["tags"].(map[string]any); ok {
		r.body["tags"] = tags
	}
	if properties, ok := request["properties"].(map[string]any); ok {
		merge(object(r.body, "properties"), properties)
	}
	return &reply{status: http.StatusOK, body: r.render()}, nil
}

// merge writes what is in from over what is in into.
func merge(into, from map[string]any) {
	for name, value := range from {
		next, isObject := value.(map[string]any)
		have, hadObject := into[name].(map[string]any)
		if isObject && hadObject {
			merge(have, next)
			continue
		}
		into[name] = value
	}
}

// putPlain makes or changes a resource that does nothing by itself: a gallery or an image definition.
func (s *Server) putPlain(c *call) (*reply, error) {
	body, err := c.resourceBody()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.usableGroup(c.target.group)
	if err != nil {
		return nil, err
	}
	if c.target.kind == kindDefinition {
		if err := s.needParent(c.target); err != nil {
			return nil, err
		}
	}
	status := http.StatusOK
	r, exists := g.resources[c.target.key()]
	if !exists {
		status, r = http.StatusCreated, s.add(g, c.target, body)
	}
	r.body, r.state = body, stateSucceeded
	return &reply{status: status, body: r.render()}, nil
}

// resourceBody reads the body of a PUT.
func (c *call) resourceBody() (map[string]any, error) {
	var body map[string]any
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if text(body, "location") == "" {
		return nil, refuse(http.StatusBadRequest, "LocationRequired",
			"The location property is required for this definition.")
	}
	return body, nil
}

// needParent checks that what holds a nested resource exists. The caller holds the lock.
func (s *Server) needParent(t target) error {
	parent, _ := t.parent()
	parent.names = t.names[:len(t.names)-1]
	if _, err := s.find(parent); err != nil {
		return refuse(http.StatusNotFound, "ParentResourceNotFound",
			"Failed to perform 'write' on resource(s) of type '%s', because the parent resource '%s' could not be found.",
			t.kind, parent.id())
	}
	return nil
}

// add puts a new resource into the store. The caller holds the lock.
func (s *Server) add(g *group, t target, body map[string]any) *resource {
	t.group = g.name
	r := &resource{target: t, group: g, state: stateCreating, body: body}
	g.resources[t.key()] = r
	return r
}

// listResources lists the resources of one type, or all, of a group or of the subscription.
func (s *Server) listResources(c *call, only string) (*reply, error) {
	wanted, err := parseFilter(c.query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := s.sortedGroups()
	if c.target.group != "" {
		g, err := s.findGroup(c.target.group)
		if err != nil {
			return nil, err
		}
		groups = []*group{g}
	}
	values := []any{}
	for _, g := range groups {
		for _, r := range g.sorted() {
			switch {
			case only != "" && r.target.kind != only, only == "" && r.target.kind == kindDeployment:
			case !under(r.target.names, c.target.names), wanted.kind != "" && !strings.EqualFold(wanted.kind, r.target.kind):
			case wanted.tags(r.tags()):
				values = append(values, s.shown(r))
			}
		}
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": values}}, nil
}

// shown is a resource as a client sees it, and of a disk the machine that uses it. The caller holds the lock.
func (s *Server) shown(r *resource) map[string]any {
	body := r.render()
	if r.target.kind != kindDisk {
		return body
	}
	for _, g := range s.groups {
		for _, other := range g.resources {
			if other.vm != nil && other.disk == r.disk {
				body["managedBy"] = other.target.id()
			}
		}
	}
	return body
}

// under reports whether names begin with those of a parent.
func under(names, parent []string) bool {
	return len(names) >= len(parent) && slices.EqualFunc(names[:len(parent)], parent, strings.EqualFold)
}

// sorted lists the resources of a group by their keys. The caller holds the lock.
func (g *group) sorted() []*resource {
	return slices.SortedFunc(maps.Values(g.resources),
		func(a, b *resource) int { return cmp.Compare(a.target.key(), b.target.key()) })
}

// deleteResource deletes a resource. One that does not exist is as good as deleted.
func (s *Server) deleteResource(c *call) (*reply, error) {
	s.mu.Lock()
	r, err := s.find(c.target)
	var before string
	if err == nil {
		if err = s.inUse(r); err == nil {
			before, r.state = r.state, stateDeleting
		}
	}
	s.mu.Unlock()
	if err != nil && asARM(err).Code == "ResourceNotFound" {
		return s.alreadyGone(c), nil
	}
	if err != nil {
		return nil, err
	}
	op := s.begin(c, "InProgress", func(ctx context.Context, fail error) error {
		if fail != nil {
			s.setState(r, before)
			return fail
		}
		if s.config.Faithful && !pause(ctx, faithfulDelete) {
			return nil
		}
		err := s.discard(r)
		s.mu.Lock()
		defer s.mu.Unlock()
		if key := r.target.key(); r.group.resources[key] == r {
			delete(r.group.resources, key)
		}
		return err
	})
	return s.deleting(c, op), nil
}

// alreadyGone answers about the deletion of what does not exist. After a 204 too, clients wait 10 seconds,
// so that the fast mode gives them an operation.
func (s *Server) alreadyGone(c *call) *reply {
	if s.config.Faithful {
		return &reply{status: http.StatusNoContent}
	}
	return s.deleting(c, s.begin(c, "InProgress", func(context.Context, error) error { return nil }))
}

func (s *Server) setState(r *resource, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.state = state
}

// discard ends the guest of a machine and removes the content of a disk or an image.
func (s *Server) discard(r *resource) error {
	switch {
	case r.vm != nil:
		r.vm.leave()
		s.config.Guests.PowerOff(r.disk)
	case r.disk != "":
		return s.config.Disks.Remove(r.disk)
	}
	return nil
}

// inUse refuses the deletion of what something else needs. The caller holds the lock. A network security
// group in use is not refused: the plugin deletes it together with its network, in any order, and Azure's
// answer to that was never measured.
func (s *Server) inUse(r *resource) error {
	for _, g := range s.groups {
		for _, other := range g.resources {
			if err := other.needs(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// needs is the error about deleting what this resource needs.
func (r *resource) needs(victim *resource) error {
	id := victim.target.id()
	switch {
	case r.vm != nil && victim.target.kind == kindNIC && strings.EqualFold(r.vm.nicID, id):
		return refuse(http.StatusBadRequest, "NicInUse", "Network Interface %s is used by existing resource %s.", id,
			r.target.id())
	case r.vm != nil && victim.target.kind == kindDisk && r.disk == victim.disk:
		return refuse(http.StatusConflict, "OperationNotAllowed", "Disk %s is attached to VM %s.", victim.target.names[0],
			r.target.id())
	case r.target.kind == kindNIC && victim.target.kind == kindPublicIP && strings.EqualFold(publicIPOf(r), id):
		return refuse(http.StatusBadRequest, "PublicIPAddressCannotBeDeleted",
			"Public IP address %s can not be deleted since it is still allocated to resource %s.", id, r.target.id())
	case r.target.kind == kindNIC && victim.target.kind == kindNetwork &&
		strings.HasPrefix(strings.ToLower(subnetOf(r)), strings.ToLower(id)+"/"):
		return refuse(http.StatusBadRequest, "InUseSubnetCannotBeDeleted",
			"Subnet of %s is in use by %s and cannot be deleted.", id, r.target.id())
	case len(r.target.names) > len(victim.target.names) && strings.HasPrefix(r.target.kind, victim.target.kind+"/") &&
		r.group == victim.group && under(r.target.names, victim.target.names):
		return refuse(http.StatusConflict, "CannotDeleteResource",
			"Can not delete resource before nested resources are deleted: %s.", r.target.id())
	}
	return nil
}

// publicIPOf is the identifier of a network card's public address; empty when it has none.
func publicIPOf(nic *resource) string { return text(firstConfiguration(nic), "publicIPAddress", "id") }

// subnetOf is the identifier of a network card's subnet.
func subnetOf(nic *resource) string { return text(firstConfiguration(nic), "subnet", "id") }

// firstConfiguration is the first address configuration of a network card; nil when it has none.
func firstConfiguration(nic *resource) any {
	for _, one := range list(nic.body, "properties", "ipConfigurations") {
		return dig(one, "properties")
	}
	return nil
}
