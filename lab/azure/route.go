// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is how large a request may be, in bytes: the 4 MB that Azure allows a template.
const maxBody = 4 << 20

// call is one request to the resource manager.
type call struct {
	ctx     context.Context //nolint:containedctx // of the one request
	method  string
	path    string
	version string
	query   url.Values
	body    []byte
	target  target
}

// decode reads the body.
func (c *call) decode(into any) error {
	if err := json.Unmarshal(c.body, into); err != nil {
		return refuse(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return nil
}

// reply is the answer to a call.
type reply struct {
	status int
	header map[string]string
	body   any // nil: none
}

// serveManager answers the calls below /subscriptions.
func (s *Server) serveManager(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeError(w, refuse(http.StatusRequestEntityTooLarge, "RequestContentTooLarge",
			"The request content is larger than %d bytes or broke off.", maxBody))
		return
	}
	c := &call{ctx: r.Context(), method: r.Method, path: r.URL.Path, query: r.URL.Query(), body: body}
	c.version = c.query.Get("api-version")
	answer, err := s.dispatch(c)
	if err != nil {
		writeError(w, err)
		return
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	writeJSON(w, answer.status, answer.body)
}

// dispatch finds who answers a call.
func (s *Server) dispatch(c *call) (*reply, error) {
	if reply, err := s.tagsOf(c); reply != nil || err != nil {
		return reply, err
	}
	var ok bool
	if c.target, ok = parseTarget(c.path); !ok {
		return nil, refuse(http.StatusBadRequest, "InvalidRequestUri", "The request uri is malformed.")
	}
	if !strings.EqualFold(c.target.subscription, s.config.Identity.Subscription) {
		return nil, refuse(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.",
			c.target.subscription)
	}
	c.target.subscription = s.config.Identity.Subscription
	if c.target.kind == "" {
		return s.dispatchGroup(c)
	}
	if strings.HasPrefix(c.target.kind, operationProvider+"/") && len(c.target.names) == 2 {
		return s.pollStatus(c, c.target.names[1])
	}
	return s.dispatchResource(c)
}

// dispatchGroup answers what is about resource groups and the subscription.
func (s *Server) dispatchGroup(c *call) (*reply, error) {
	rest := c.target.rest
	if len(rest) == 2 && c.target.group == "" && strings.EqualFold(rest[0], "operationresults") {
		return s.pollResult(c, rest[1])
	}
	if err := checkVersion(c.version, "resourceGroups", resourcesVersions); err != nil {
		return nil, err
	}
	path := strings.ToLower(strings.Join(rest, "/"))
	switch {
	case c.target.group == "" && path == "" && c.method == http.MethodGet:
		return subscriptionOf(s.config.Identity), nil
	case c.target.group == "" && path == "resourcegroups" && c.method == http.MethodGet:
		return s.listGroups(c)
	case path == "resources" && c.method == http.MethodGet:
		return s.listResources(c, "")
	case c.target.group == "":
	case path == "":
		return s.groupMethod(c)
	case len(rest) == 3 && strings.EqualFold(rest[0], "deployments") && strings.EqualFold(rest[2], "operations") &&
		c.method == http.MethodGet:
		c.target.kind, c.target.names = kindDeployment, []string{rest[1]}
		return s.deploymentOperations(c)
	}
	return nil, refuse(http.StatusNotFound, "InvalidResourceType", "The lab has nothing for %s %s.", c.method,
		clip(c.path))
}

// subscriptionOf answers about the only subscription.
func subscriptionOf(who Identity) *reply {
	return &reply{status: http.StatusOK, body: map[string]any{
		"id": "/subscriptions/" + who.Subscription, "subscriptionId": who.Subscription, "tenantId": who.Tenant,
		"displayName": "packer-hybrid lab", "state": "Enabled",
	}}
}

// dispatchResource answers what is about a resource, a list of them or an action on one.
func (s *Server) dispatchResource(c *call) (*reply, error) {
	if found, ok := findKind(c.target.kind); ok && found.name != "" {
		c.target.kind = found.name
		if err := checkVersion(c.version, found.name, found.versions); err != nil {
			return nil, err
		}
		switch {
		case c.target.complete() && c.target.group != "":
			return s.resourceMethod(c)
		case !c.target.complete() && c.method == http.MethodGet:
			return s.listResources(c, found.name)
		}
	} else if object, last := c.target.parent(); object.complete() && c.target.group != "" {
		if found, ok := findKind(object.kind); ok {
			object.kind, c.target = found.name, object
			if err := checkVersion(c.version, found.name, found.versions); err != nil {
				return nil, err
			}
			return s.action(c, strings.ToLower(last))
		}
	} else if reply, err := s.deploymentPoll(c); reply != nil || err != nil {
		return reply, err
	}
	return nil, refuse(http.StatusBadRequest, "InvalidResourceType", "The lab has nothing for %s %s.", c.method,
		clip(c.path))
}

// deploymentPoll answers .../deployments/NAME/operationStatuses/ID; nil when the path is another.
func (s *Server) deploymentPoll(c *call) (*reply, error) {
	if n := len(c.target.names); n == 2 && strings.EqualFold(c.target.kind, kindDeployment+"/operationStatuses") {
		return s.pollStatus(c, c.target.names[1])
	}
	return nil, nil //nolint:nilnil // neither an answer nor an error: not ours
}

// action answers POST on an object, and the lists that belong to a deployment.
func (s *Server) action(c *call, name string) (*reply, error) {
	switch {
	case c.target.kind == kindDeployment && name == "operations" && c.method == http.MethodGet:
		return s.deploymentOperations(c)
	case c.method != http.MethodPost:
	case c.target.kind == kindDeployment && name == "validate":
		return s.validateDeployment(c)
	case c.target.kind == kindVM && name == "deallocate":
		return s.stopMachine(c, "deallocated")
	case c.target.kind == kindVM && name == "poweroff":
		return s.stopMachine(c, "stopped")
	case c.target.kind == kindVM && name == "generalize":
		return s.generalize(c)
	}
	return nil, refuse(http.StatusNotFound, "InvalidResourceType", "The lab has nothing for %s %s.", c.method,
		clip(c.path))
}
