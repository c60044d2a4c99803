// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"io"
	"net/http"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// manager is the resource manager: it finds who answers a call below /subscriptions.
type manager struct {
	identity    Identity
	store       *store
	work        *operations
	groups      groupAPI
	resources   *resourceAPI
	images      imageAPI
	machines    *machineAPI
	deployments deploymentAPI
}

// ServeHTTP answers the calls below /subscriptions.
func (m *manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		arm.WriteError(w, arm.Refuse(http.StatusRequestEntityTooLarge, "RequestContentTooLarge",
			"The request content is larger than %d bytes or broke off.", maxBody))
		return
	}
	c := &call{ctx: r.Context(), method: r.Method, path: r.URL.Path, query: r.URL.Query(), body: body}
	c.version = c.query.Get("api-version")
	answer, err := m.dispatch(c)
	if err != nil {
		arm.WriteError(w, err)
		return
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	arm.WriteJSON(w, answer.status, answer.body)
}

// dispatch finds who answers a call.
func (m *manager) dispatch(c *call) (*reply, error) {
	if reply, err := m.store.tagsOf(c); reply != nil || err != nil {
		return reply, err
	}
	var ok bool
	if c.target, ok = arm.ParseID(c.path); !ok {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidRequestUri", "The request uri is malformed.")
	}
	if !strings.EqualFold(c.target.Subscription, m.store.subscription) {
		return nil, arm.Refuse(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.",
			c.target.Subscription)
	}
	c.target.Subscription = m.store.subscription
	if c.target.Type == "" {
		return m.dispatchGroup(c)
	}
	if strings.HasPrefix(c.target.Type, operationProvider+"/") && len(c.target.Names) == 2 {
		return m.work.pollStatus(c, c.target.Names[1])
	}
	return m.dispatchResource(c)
}

// dispatchGroup answers what is about resource groups and the subscription.
func (m *manager) dispatchGroup(c *call) (*reply, error) {
	rest := c.target.Rest
	if len(rest) == 2 && c.target.Group == "" && strings.EqualFold(rest[0], "operationresults") {
		return m.work.pollResult(c, rest[1])
	}
	if err := arm.CheckVersion(c.version, "resourceGroups", arm.ResourcesVersions); err != nil {
		return nil, err
	}
	path := strings.ToLower(strings.Join(rest, "/"))
	switch {
	case c.target.Group == "" && path == "" && c.method == http.MethodGet:
		return subscriptionOf(m.identity), nil
	case c.target.Group == "" && path == "resourcegroups" && c.method == http.MethodGet:
		return m.groups.list(c)
	case path == "resources" && c.method == http.MethodGet:
		return m.resources.list(c, "")
	case c.target.Group == "":
	case path == "":
		return m.groups.do(c)
	case len(rest) == 3 && strings.EqualFold(rest[0], "deployments") && strings.EqualFold(rest[2], "operations") &&
		c.method == http.MethodGet:
		c.target.Type, c.target.Names = arm.Deployments, []string{rest[1]}
		return m.deployments.operations(c)
	}
	return nil, arm.Refuse(http.StatusNotFound, "InvalidResourceType", "The lab has nothing for %s %s.", c.method,
		arm.Clip(c.path))
}

// subscriptionOf answers about the only subscription.
func subscriptionOf(who Identity) *reply {
	return &reply{status: http.StatusOK, body: map[string]any{
		"id": "/subscriptions/" + who.Subscription, "subscriptionId": who.Subscription, "tenantId": who.Tenant,
		"displayName": "packer-hybrid lab", "state": "Enabled",
	}}
}

// dispatchResource answers what is about a resource, a list of them or an action on one.
func (m *manager) dispatchResource(c *call) (*reply, error) {
	if found, ok := arm.FindType(c.target.Type); ok && found.Name != "" {
		c.target.Type = found.Name
		if err := arm.CheckVersion(c.version, found.Name, found.Versions); err != nil {
			return nil, err
		}
		switch {
		case c.target.Complete() && c.target.Group != "":
			return m.resourceMethod(c)
		case !c.target.Complete() && c.method == http.MethodGet:
			return m.resources.list(c, found.Name)
		}
	} else if object, last := c.target.Parent(); object.Complete() && c.target.Group != "" {
		if found, ok := arm.FindType(object.Type); ok {
			object.Type, c.target = found.Name, object
			if err := arm.CheckVersion(c.version, found.Name, found.Versions); err != nil {
				return nil, err
			}
			return m.action(c, strings.ToLower(last))
		}
	} else if reply, err := m.deploymentPoll(c); reply != nil || err != nil {
		return reply, err
	}
	return nil, arm.Refuse(http.StatusBadRequest, "InvalidResourceType", "The lab has nothing for %s %s.", c.method,
		arm.Clip(c.path))
}

// deploymentPoll answers .../deployments/NAME/operationStatuses/ID; nil when the path is another.
func (m *manager) deploymentPoll(c *call) (*reply, error) {
	if n := len(c.target.Names); n == 2 && strings.EqualFold(c.target.Type, arm.Deployments+"/operationStatuses") {
		return m.work.pollStatus(c, c.target.Names[1])
	}
	return nil, nil //nolint:nilnil // neither an answer nor an error: not ours
}

// action answers POST on an object, and the lists that belong to a deployment.
func (m *manager) action(c *call, name string) (*reply, error) {
	switch {
	case c.target.Type == arm.Deployments && name == "operations" && c.method == http.MethodGet:
		return m.deployments.operations(c)
	case c.method != http.MethodPost:
	case c.target.Type == arm.Deployments && name == "validate":
		return m.deployments.validate(c)
	case c.target.Type == arm.VirtualMachines && name == "deallocate":
		return m.machines.stop(c, "deallocated")
	case c.target.Type == arm.VirtualMachines && name == "poweroff":
		return m.machines.stop(c, "stopped")
	case c.target.Type == arm.VirtualMachines && name == "generalize":
		return m.machines.generalize(c)
	}
	return nil, arm.Refuse(http.StatusNotFound, "InvalidResourceType", "The lab has nothing for %s %s.", c.method,
		arm.Clip(c.path))
}

// resourceMethod answers a call on one resource.
func (m *manager) resourceMethod(c *call) (*reply, error) {
	switch c.method {
	case http.MethodGet:
		return m.resources.get(c)
	case http.MethodDelete:
		return m.resources.remove(c)
	case http.MethodPatch:
		return m.resources.patch(c)
	case http.MethodPut:
		switch c.target.Type {
		case arm.Deployments:
			return m.deployments.put(c)
		case arm.Images:
			return m.images.putImage(c)
		case arm.Versions:
			return m.images.putVersion(c)
		case arm.Galleries, arm.Definitions:
			return m.resources.putPlain(c)
		}
	}
	return nil, arm.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no %s for %s.", c.method,
		c.target.Type)
}
