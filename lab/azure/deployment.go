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

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
	"github.com/packer-hybrid/packer-hybrid/lab/azure/template"
)

// deploymentAPI evaluates deployments and makes what they ask for.
type deploymentAPI struct {
	store    *store
	work     *operations
	machines *machineAPI
}

// evaluate reads a deployment and evaluates its template.
func (a *deploymentAPI) evaluate(c *call) (*template.Request, []template.Resource, error) {
	request, err := template.Parse(c.body)
	if err != nil {
		return nil, nil, err
	}
	a.store.mu.Lock()
	g, err := a.store.usableGroup(c.target.Group)
	place, location := arm.ID{Subscription: c.target.Subscription}, ""
	if err == nil {
		place.Group, location = g.name, g.location
	}
	a.store.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	all, err := template.Evaluate(request, place, location, bootable)
	if _, known := errors.AsType[*arm.Error](err); err != nil && !known {
		err = template.Invalid("%v", err)
	}
	return request, all, err
}

// validate answers whether a deployment could be made.
func (a *deploymentAPI) validate(c *call) (*reply, error) {
	request, all, err := a.evaluate(c)
	if err != nil {
		return nil, err
	}
	validated := make([]any, 0, len(all))
	for _, p := range all {
		validated = append(validated, map[string]any{"id": p.ID.String()})
	}
	return &reply{status: http.StatusOK, body: map[string]any{
		"id": c.target.String(), "name": c.target.Names[0], "type": arm.Deployments,
		"properties": map[string]any{
			"mode": request.Properties.Mode, "provisioningState": stateSucceeded,
			"parameters": request.Shown(), "validatedResources": validated,
		},
	}}, nil
}

// put begins a deployment.
func (a *deploymentAPI) put(c *call) (*reply, error) {
	request, all, err := a.evaluate(c)
	if err != nil {
		return nil, err
	}
	a.store.mu.Lock()
	g, err := a.store.usableGroup(c.target.Group)
	if err != nil {
		a.store.mu.Unlock()
		return nil, err
	}
	if old, exists := g.resources[c.target.Key()]; exists && (old.state == stateAccepted || old.state == stateRunning) {
		a.store.mu.Unlock()
		return nil, arm.Refuse(http.StatusConflict, "DeploymentActive",
			"The deployment '%s' cannot be saved because it is still active.", c.target.Names[0])
	}
	properties := map[string]any{"mode": request.Properties.Mode, "parameters": request.Shown()}
	r := a.store.add(g, c.target, map[string]any{"properties": properties})
	if request.Tags != nil {
		tags := make(map[string]any, len(request.Tags))
		for name, value := range request.Tags {
			tags[name] = value
		}
		r.body["tags"] = tags
	}
	r.state = stateAccepted
	body := r.render()
	a.store.mu.Unlock()
	op := a.work.begin(c, stateRunning, func(ctx context.Context, fail error) error { return a.deploy(ctx, r, all, fail) })
	return a.work.started(c, op, http.StatusCreated, body), nil
}

// deploy makes the resources of a deployment, one after the other.
func (a *deploymentAPI) deploy(ctx context.Context, d *resource, all []template.Resource, fail error) error {
	a.store.setState(d, stateRunning)
	for _, p := range all {
		var err error
		if p.ID.Type == arm.VirtualMachines && fail != nil {
			err = fail
		} else {
			err = a.create(ctx, p)
		}
		done := step{target: p.ID, state: stateSucceeded}
		if err != nil {
			done.state = stateFailed
		}
		a.store.mu.Lock()
		d.steps = append(d.steps, done)
		if err != nil {
			d.state = stateFailed
			arm.Object(d.body, "properties")["error"] = map[string]any{"code": "DeploymentFailed", "message": err.Error()}
		}
		a.store.mu.Unlock()
		if err != nil {
			failed := arm.Refuse(http.StatusConflict, "DeploymentFailed",
				"At least one resource deployment operation failed. Please list deployment operations for details.")
			failed.Details = []arm.Error{*arm.AsError(err)}
			return failed
		}
	}
	a.store.setState(d, stateSucceeded)
	return nil
}

// create makes one resource of a deployment.
func (a *deploymentAPI) create(ctx context.Context, p template.Resource) error {
	body := map[string]any{}
	for _, name := range []string{"location", "tags", "sku", "zones", "properties"} {
		if p.Body[name] != nil {
			body[name] = p.Body[name]
		}
	}
	if p.Location == "" {
		return arm.Refuse(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if p.ID.Type == arm.VirtualMachines {
		return a.machines.create(ctx, p.ID, body)
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	g, err := a.store.usableGroup(p.ID.Group)
	if err != nil {
		return err
	}
	if p.ID.Type == arm.NetworkInterfaces {
		for _, id := range nicNeeds(body) {
			if _, err := a.store.findID(id); err != nil {
				return err
			}
		}
	}
	a.store.add(g, p.ID, body).state = stateSucceeded
	return nil
}

// operations lists what a deployment did.
func (a *deploymentAPI) operations(c *call) (*reply, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	d, err := a.store.find(c.target)
	if err != nil {
		return nil, arm.Refuse(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.",
			c.target.Names[0])
	}
	values := []any{}
	for i, one := range slices.Clone(d.steps) {
		id := strconv.Itoa(i)
		values = append(values, map[string]any{
			"id": d.target.String() + "/operations/" + id, "operationId": id,
			"properties": map[string]any{
				"provisioningOperation": "Create", "provisioningState": one.state, "statusCode": "OK",
				"targetResource": map[string]any{
					"id": one.target.String(), "resourceType": one.target.Type,
					"resourceName": one.target.Names[len(one.target.Names)-1],
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
