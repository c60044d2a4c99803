// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#deletion

package azure

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// groupName is what Azure accepts as the name of a resource group: up to 90 letters, digits, underscores,
// parentheses, hyphens and periods, and no period at the end.
var groupName = regexp.MustCompile(`^[-\w.()]{0,89}[-\w()]$`)

// groupRequest is the body of PUT and PATCH of a resource group.
type groupRequest struct {
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
}

// groupMethod answers a call on one resource group.
func (s *Server) groupMethod(c *call) (*reply, error) {
	switch c.method {
	case http.MethodPut:
		return s.putGroup(c)
	case http.MethodDelete:
		return s.deleteGroup(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.findGroup(c.target.group)
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
		return &reply{status: http.StatusOK, body: g.render(c.target.subscription)}, nil
	case http.MethodPatch:
		var request groupRequest
		if err := c.decode(&request); err != nil {
			return nil, err
		}
		if request.Tags != nil {
			g.tags = request.Tags
		}
		return &reply{status: http.StatusOK, body: g.render(c.target.subscription)}, nil
	}
	return nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no %s for resource groups.", c.method)
}

// putGroup makes a resource group or changes its tags.
func (s *Server) putGroup(c *call) (*reply, error) {
	var request groupRequest
	if err := c.decode(&request); err != nil {
		return nil, err
	}
	if !groupName.MatchString(c.target.group) {
		return nil, refuse(http.StatusBadRequest, "InvalidResourceGroup",
			"The provided resource group name '%s' is not valid.", clip(c.target.group))
	}
	if request.Location == "" {
		return nil, refuse(http.StatusBadRequest, "LocationRequired",
			"The location property is required for this definition.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status := http.StatusOK
	g, err := s.usableGroup(c.target.group)
	switch {
	case err != nil && asARM(err).Status == http.StatusNotFound:
		status = http.StatusCreated
		g = &group{
			name: c.target.group, location: request.Location, state: stateSucceeded,
			resources: make(map[string]*resource),
		}
		s.groups[strings.ToLower(g.name)] = g
	case err != nil:
		return nil, err
	case !strings.EqualFold(g.location, request.Location):
		return nil, refuse(http.StatusConflict, "InvalidResourceGroupLocation",
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", request.Location,
			g.location)
	}
	g.tags = request.Tags
	return &reply{status: status, body: g.render(c.target.subscription)}, nil
}

// deleteGroup deletes a resource group with all that is in it.
func (s *Server) deleteGroup(c *call) (*reply, error) {
	s.mu.Lock()
	g, err := s.findGroup(c.target.group)
	if err == nil {
		g.state = stateDeleting
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	op := s.begin(c, "InProgress", func(ctx context.Context, fail error) error {
		if fail != nil {
			s.setGroupState(g, stateSucceeded)
			return fail
		}
		if s.config.Faithful && !pause(ctx, faithfulDelete) {
			return nil
		}
		s.mu.Lock()
		gone := g.resources
		g.resources = make(map[string]*resource)
		s.mu.Unlock()
		for _, r := range gone {
			if err := s.discard(r); err != nil {
				return err
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.groups[strings.ToLower(g.name)] == g {
			delete(s.groups, strings.ToLower(g.name))
		}
		return nil
	})
	return s.deleting(c, op), nil
}

func (s *Server) setGroupState(g *group, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.state = state
}

// listGroups lists resource groups.
func (s *Server) listGroups(c *call) (*reply, error) {
	wanted, err := parseFilter(c.query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	values := []any{}
	for _, g := range s.sortedGroups() {
		if wanted.kind == "" && wanted.tags(g.tags) {
			values = append(values, g.render(c.target.subscription))
		}
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": values}}, nil
}

// sortedGroups lists the groups by name. The caller holds the lock.
func (s *Server) sortedGroups() []*group {
	all := make([]*group, 0, len(s.groups))
	for _, g := range s.groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int { return cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return all
}

// filter is an OData filter of a list.
type filter struct{ tag, value, kind string }

// The filters that the simulator knows, out of those that Azure has. In a text of OData a quote is doubled.
var (
	tagFilter  = regexp.MustCompile(`^tagName eq '((?:[^']|'')*)'(?: and tagValue eq '((?:[^']|'')*)')?$`)
	kindFilter = regexp.MustCompile(`^resourceType eq '([^']*)'$`)
)

// parseFilter reads a filter; the empty text lets everything through.
func parseFilter(given string) (filter, error) {
	if given == "" {
		return filter{}, nil
	}
	if m := tagFilter.FindStringSubmatch(given); m != nil {
		quotes := strings.NewReplacer("''", "'")
		return filter{tag: quotes.Replace(m[1]), value: quotes.Replace(m[2])}, nil
	}
	if m := kindFilter.FindStringSubmatch(given); m != nil {
		return filter{kind: m[1]}, nil
	}
	return filter{}, refuse(http.StatusBadRequest, "InvalidFilterInQueryString", "The lab does not know the filter '%s'.",
		clip(given))
}

// tags reports whether tags pass. Azure compares names without regard to case, and values with.
func (f filter) tags(tags map[string]string) bool {
	if f.tag == "" {
		return true
	}
	for name, value := range tags {
		if strings.EqualFold(name, f.tag) && (f.value == "" || f.value == value) {
			return true
		}
	}
	return false
}
