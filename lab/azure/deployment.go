// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
)

// step is one operation of a deployment.
type step struct {
	target target
	state  string
}

// evaluate reads a deployment and evaluates its template.
func (s *Server) evaluate(c *call) (*deploymentRequest, []planned, error) {
	request, err := parseDeployment(c.body)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	g, err := s.usableGroup(c.target.group)
	place, location := target{subscription: c.target.subscription}, ""
	if err == nil {
		place.group, location = g.name, g.location
	}
	s.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	all, err := plan(request, place, location)
	if _, known := errors.AsType[*armError](err); err != nil && !known {
		err = invalid("%v", err)
	}
	return request, all, err
}

// validateDeployment answers whether a deployment could be made.
func (s *Server) validateDeployment(c *call) (*reply, error) {
	request, all, err := s.evaluate(c)
	if err != nil {
		return nil, err
	}
	validated := make([]any, 0, len(all))
	for _, p := range all {
		validated = append(validated, map[string]any{"id": p.target.id()})
	}
	return &reply{status: http.StatusOK, body: map[string]any{
		"id": c.target.id(), "name": c.target.names[0], "type": kindDeployment,
		"properties": map[string]any{
			"mode": request.Properties.Mode, "provisioningState": stateSucceeded,
			"parameters": request.shown(), "validatedResources": validated,
		},
	}}, nil
}

// shown are the parameters without the secret ones.
func (d *deploymentRequest) shown() map[string]any {
	shown := map[string]any{}
	for name, p := range d.Properties.Template.Parameters {
		one := map[string]any{"type": p.Type}
		if given, ok := d.Properties.Parameters[name]; ok && !p.secret() {
			one["value"] = given.Value
		}
		shown[name] = one
	}
	return shown
}

// putDeployment begins a deployment.
func (s *Server) putDeployment(c *call) (*reply, error) {
	request, all, err := s.evaluate(c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	g, err := s.usableGroup(c.target.group)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	if old, exists := g.resources[c.target.key()]; exists && (old.state == stateAccepted || old.state == stateRunning) {
		s.mu.Unlock()
		return nil, refuse(http.StatusConflict, "DeploymentActive",
			"The deployment '%s' cannot be saved because it is still active.", c.target.names[0])
	}
	properties := map[string]any{"mode": request.Properties.Mode, "parameters": request.shown()}
	r := s.add(g, c.target, map[string]any{"properties": properties})
	if request.Tags != nil {
		tags := make(map[string]any, len(request.Tags))
		for name, value := range request.Tags {
			tags[name] = value
		}
		r.body["tags"] = tags
	}
	r.state = stateAccepted
	body := r.render()
	s.mu.Unlock()
	op := s.begin(c, stateRunning, func(ctx context.Context, fail error) error { return s.deploy(ctx, r, all, fail) })
	return s.started(c, op, http.StatusCreated, body), nil
}

// deploy makes the resources of a deployment, one after the other.
func (s *Server) deploy(ctx context.Context, d *resource, all []planned, fail error) error {
	s.setState(d, stateRunning)
	for _, p := range all {
		var err error
		if p.target.kind == kindVM && fail != nil {
			err = fail
		} else {
			err = s.create(ctx, p)
		}
		done := step{target: p.target, state: stateSucceeded}
		if err != nil {
			done.state = stateFailed
		}
		s.mu.Lock()
		d.steps = append(d.steps, done)
		if err != nil {
			d.state = stateFailed
			object(d.body, "properties")["error"] = map[string]any{"code": "DeploymentFailed", "message": err.Error()}
		}
		s.mu.Unlock()
		if err != nil {
			failed := refuse(http.StatusConflict, "DeploymentFailed",
				"At least one resource deployment operation failed. Please list deployment operations for details.")
			failed.Details = []armError{*asARM(err)}
			return failed
		}
	}
	s.setState(d, stateSucceeded)
	return nil
}

// create makes one resource of a deployment.
func (s *Server) create(ctx context.Context, p planned) error {
	body := map[string]any{}
	for _, name := range []string{"location", "tags", "sku", "zones", "properties"} {
		if p.body[name] != nil {
			body[name] = p.body[name]
		}
	}
	if p.location == "" {
		return refuse(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if p.target.kind == kindVM {
		return s.createMachine(ctx, p.target, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.usableGroup(p.target.group)
	if err != nil {
		return err
	}
	if p.target.kind == kindNIC {
		for _, id := range nicNeeds(body) {
			if _, err := s.findID(id); err != nil {
				return err
			}
		}
	}
	s.add(g, p.target, body).state = stateSucceeded
	return nil
}

// nicNeeds lists the identifiers that a network card refers to.
func nicNeeds(body map[string]any) []string {
	nic := &resource{body: body}
	var needed []string
	if id := publicIPOf(nic); id != "" {
		needed = append(needed, id)
	}
	if subnet, ok := parseTarget(subnetOf(nic)); ok && len(subnet.names) == 2 {
		subnet.kind, subnet.names = kindNetwork, subnet.names[:1]
		needed = append(needed, subnet.id())
	}
	return needed
}

// deploymentOperations lists what a deployment did.
func (s *Server) deploymentOperations(c *call) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.find(c.target)
	if err != nil {
		return nil, refuse(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.",
			c.target.names[0])
	}
	values := []any{}
	for i, one := range slices.Clone(d.steps) {
		id := strconv.Itoa(i)
		values = append(values, map[string]any{
			"id": d.target.id() + "/operations/" + id, "operationId": id,
			"properties": map[string]any{
				"provisioningOperation": "Create", "provisioningState": one.state, "statusCode": "OK",
				"targetResource": map[string]any{
					"id": one.target.id(), "resourceType": one.target.kind, "resourceName": one.target.names[len(one.target.names)-1],
				},
			},
		})
	}
	if d.state == stateSucceeded {
		values = append(values, map[string]any{
			"operationId": "EvaluateOutput",
			"properties": map[string]any{
				"provisioningOperation": "EvaluateDeploymentOutput", "provisioningState": stateSucceeded, "statusCode": "OK",
			},
		})
	}
	return &reply{status: http.StatusOK, body: map[string]any{"value": values}}, nil
}
