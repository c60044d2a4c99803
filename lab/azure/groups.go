// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#deletion

package azure

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// groupAPI answers calls on resource groups.
type groupAPI struct {
	store     *store
	work      *operations
	resources *resourceAPI
}

// groupName is what Azure accepts as the name of a resource group: up to 90 letters, digits, underscores,
// parentheses, hyphens and periods, and no period at the end.
var groupName = regexp.MustCompile(`^[-\w.()]{0,89}[-\w()]$`)

// groupRequest is the body of PUT and PATCH of a resource group.
type groupRequest struct {
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
}

// do answers a call on one resource group.
func (a *groupAPI) do(c *call) (*reply, error) {
	switch c.method {
	case http.MethodPut:
		return a.putGroup(c)
	case http.MethodDelete:
		return a.deleteGroup(c)
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	g, err := a.store.findGroup(c.target.Group)
	if err != nil {
		if c.method == http.MethodHead {
			return &reply{status: http.StatusNotFound}, nil
		}
		return nil, err
	}
	switch c.method {
	case http.MethodHead:
		return &reply{status: http.StatusNoContent}, nil
	case http.MethodGet:
		return &reply{status: http.StatusOK, body: g.render(c.target.Subscription)}, nil
	case http.MethodPatch:
		var request groupRequest
		if err := c.decode(&request); err != nil {
			return nil, err
		}
		if request.Tags != nil {
			g.tags = request.Tags
		}
		return &reply{status: http.StatusOK, body: g.render(c.target.Subscription)}, nil
	}
	return nil, arm.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no %s for resource groups.",
		c.method)
}

// putGroup makes a resource group or changes its tags.
func (a *groupAPI) putGroup(c *call) (*reply, error) {
	var request groupRequest
	if err := c.decode(&request); err != nil {
		return nil, err
	}
	if !groupName.MatchString(c.target.Group) {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidResourceGroup",
			"The provided resource group name '%s' is not valid.", arm.Clip(c.target.Group))
	}
	if request.Location == "" {
		return nil, arm.Refuse(http.StatusBadRequest, "LocationRequired",
			"The location property is required for this definition.")
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	status := http.StatusOK
	g, err := a.store.usableGroup(c.target.Group)
	switch {
	case err != nil && arm.AsError(err).Status == http.StatusNotFound:
		status = http.StatusCreated
		g = &group{
			name: c.target.Group, location: request.Location, state: stateSucceeded,
			resources: make(map[string]*resource),
		}
		a.store.groups[strings.ToLower(g.name)] = g
	case err != nil:
		return nil, err
	case !strings.EqualFold(g.location, request.Location):
		return nil, arm.Refuse(http.StatusConflict, "InvalidResourceGroupLocation",
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", request.Location,
			g.location)
	}
	g.tags = request.Tags
	return &reply{status: status, body: g.render(c.target.Subscription)}, nil
}

// deleteGroup deletes a resource group with all that is in it.
func (a *groupAPI) deleteGroup(c *call) (*reply, error) {
	a.store.mu.Lock()
	g, err := a.store.findGroup(c.target.Group)
	if err == nil {
		g.state = stateDeleting
	}
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	op := a.work.begin(c, "InProgress", func(ctx context.Context, fail error) error {
		if fail != nil {
			a.store.setGroupState(g, stateSucceeded)
			return fail
		}
		if a.work.faithful && !pause(ctx, faithfulDelete) {
			return nil
		}
		a.store.mu.Lock()
		gone := g.resources
		g.resources = make(map[string]*resource)
		a.store.mu.Unlock()
		for _, r := range gone {
			if err := a.resources.discard(r); err != nil {
				return err
			}
		}
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		if a.store.groups[strings.ToLower(g.name)] == g {
			delete(a.store.groups, strings.ToLower(g.name))
		}
		return nil
	})
	return a.work.deleting(c, op), nil
}

// list lists resource groups.
func (a *groupAPI) list(c *call) (*reply, error) {
	wanted, err := parseFilter(c.query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	values := []any{}
	for _, g := range a.store.sortedGroups() {
		if wanted.kind == "" && wanted.tags(g.tags) {
			values = append(values, g.render(c.target.Subscription))
		}
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": values}}, nil
}
