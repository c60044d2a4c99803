// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:51Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

// Package template evaluates the templates of Azure's deployments, as far as the simulated Azure has their language.
package template

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// Request is the body of a deployment.
type Request struct {
	Properties struct {
		Mode       string                    `json:"mode"`
		Template   deploymentTemplate        `json:"template"`
		Parameters map[string]parameterValue `json:"parameters"`
	} `json:"properties"`
	Tags map[string]string `json:"tags"`
}

type deploymentTemplate struct {
	Schema     string               `json:"$schema"`
	Parameters map[string]parameter `json:"parameters"`
	Variables  map[string]any       `json:"variables"`
	Resources  []templateResource   `json:"resources"`
}

type parameter struct {
	Type    string `json:"type"`
	Default any    `json:"defaultValue"`
}

// secret reports whether the value of the parameter must never be shown.
func (p parameter) secret() bool { return strings.HasPrefix(strings.ToLower(p.Type), "secure") }

type parameterValue struct {
	Value any `json:"value"`
}

// templateResource is one resource of a template; its values may be expressions.
type templateResource struct {
	Type       string         `json:"type"`
	Name       string         `json:"name"`
	APIVersion string         `json:"apiVersion"`
	Condition  any            `json:"condition"`
	DependsOn  []string       `json:"dependsOn"`
	Location   string         `json:"location"`
	Tags       any            `json:"tags"`
	SKU        any            `json:"sku"`
	Zones      any            `json:"zones"`
	Properties map[string]any `json:"properties"`
}

// Resource is one resource of an evaluated template.
type Resource struct {
	ID        arm.ID
	Location  string
	dependsOn []string // keys
	Body      map[string]any
}

// Invalid is the error about a template that makes no sense.
func Invalid(format string, args ...any) *arm.Error {
	return arm.Refuse(http.StatusBadRequest, "InvalidTemplate", "Deployment template validation failed: '%s'.",
		fmt.Sprintf(format, args...))
}

// Parse reads the body of a deployment.
func Parse(body []byte) (*Request, error) {
	var request Request
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%v'.", err)
	}
	if len(request.Properties.Template.Resources) == 0 {
		return nil, Invalid("the template has no resources")
	}
	if mode := request.Properties.Mode; !strings.EqualFold(mode, "Incremental") {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidDeploymentMode",
			"The lab only simulates the deployment mode Incremental, not '%s'.", mode)
	}
	return &request, nil
}

// Shown are the parameters without the secret ones.
func (d *Request) Shown() map[string]any {
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

// newScope checks the parameters and makes what expressions can refer to.
func newScope(request *Request, place arm.ID, location string) (*scope, error) {
	s := &scope{
		place: place, location: location, parameters: map[string]any{}, variables: map[string]any{},
		busy: map[string]bool{},
	}
	given := map[string]any{}
	for name, v := range request.Properties.Parameters {
		given[strings.ToLower(name)] = v.Value
	}
	declared := map[string]bool{}
	for name, p := range request.Properties.Template.Parameters {
		lower := strings.ToLower(name)
		declared[lower] = true
		v, ok := given[lower]
		if !ok {
			v = p.Default
		}
		if v == nil {
			return nil, Invalid("the value for the template parameter '%s' is not provided", name)
		}
		s.parameters[lower] = v
	}
	for name := range given {
		if !declared[name] {
			return nil, Invalid("the template parameter '%s' is not valid; it is not present in the original template", name)
		}
	}
	for name, v := range request.Properties.Template.Variables {
		s.variables[strings.ToLower(name)] = v
	}
	return s, nil
}

// Evaluate evaluates a deployment's template: its resources, which check may refuse, in the order in which they can be
// made.
func Evaluate(request *Request, place arm.ID, location string, check func(Resource) error) ([]Resource, error) {
	s, err := newScope(request, place, location)
	if err != nil {
		return nil, err
	}
	var all []Resource
	made := map[string]bool{}
	for i, r := range request.Properties.Template.Resources {
		p, skip, err := s.resource(r)
		if err == nil && !skip {
			err = check(p)
		}
		if err != nil {
			located := *arm.AsError(err)
			located.Message = fmt.Sprintf("Resource %d (%s): %s", i+1, arm.Clip(r.Type), located.Message)
			return nil, &located
		}
		if skip {
			continue
		}
		if key := p.ID.Key(); made[key] {
			return nil, Invalid("the resource '%s' is defined multiple times", p.ID.TypeAndName())
		}
		made[p.ID.Key()] = true
		all = append(all, p)
	}
	return order(all)
}

// resource evaluates one resource; skip says that its condition is false.
func (s *scope) resource(r templateResource) (p Resource, skip bool, err error) {
	if r.Condition != nil {
		wanted, err := s.value(r.Condition)
		if err != nil {
			return p, false, Invalid("the condition: %v", err)
		}
		if wanted == false {
			return p, true, nil
		}
	}
	evaluated, err := s.value(map[string]any{
		"name": r.Name, "type": r.Type, "apiVersion": r.APIVersion, "location": r.Location,
		"tags": r.Tags, "sku": r.SKU, "zones": r.Zones, "properties": r.Properties,
	})
	if err != nil {
		return p, false, Invalid("%v", err)
	}
	body, _ := evaluated.(map[string]any)
	name, _ := body["name"].(string)
	version, _ := body["apiVersion"].(string)
	location, _ := body["location"].(string)
	p = Resource{Location: location, Body: body, ID: s.place}
	p.ID.Names = strings.Split(name, "/")
	if p.ID.Type, err = deployableKind(r.Type, version); err != nil {
		return p, false, err
	}
	if !p.ID.Complete() || slices.Contains(p.ID.Names, "") {
		return p, false, Invalid("the name '%s' does not fit the type '%s'", name, r.Type)
	}
	for _, dependency := range r.DependsOn {
		on, err := s.value(dependency)
		if err != nil {
			return p, false, Invalid("dependsOn: %v", err)
		}
		p.dependsOn = append(p.dependsOn, dependencyKey(fmt.Sprint(on)))
	}
	return p, false, nil
}

// deployableKind is the type's own spelling, if a deployment can make it.
func deployableKind(name, version string) (string, error) {
	k, known := arm.FindType(name)
	if !known || !k.Deployable {
		return "", arm.Refuse(http.StatusBadRequest, "InvalidTemplateDeployment",
			"The lab does not simulate resources of type '%s' in a deployment.", name)
	}
	return k.Name, arm.CheckVersion(version, k.Name, k.Versions)
}

// dependencyKey turns a resource's identifier, or its type and name, into a key of the store.
func dependencyKey(on string) string {
	if !strings.HasPrefix(on, "/") {
		on = "/subscriptions/s/resourceGroups/g/providers/" + on
	}
	t, ok := arm.ParseID(on)
	if !ok {
		return on
	}
	return t.Key()
}

// order sorts resources so that each comes after those that it depends on, and keeps their order otherwise.
func order(all []Resource) ([]Resource, error) {
	byKey := map[string]Resource{}
	for _, p := range all {
		byKey[p.ID.Key()] = p
	}
	var sorted []Resource
	state := map[string]int{} // 1: under way, 2: sorted
	var visit func(p Resource) error
	visit = func(p Resource) error {
		key := p.ID.Key()
		switch state[key] {
		case 1:
			return Invalid("circular dependency detected on resource: '%s'", p.ID.TypeAndName())
		case 2:
			return nil
		}
		state[key] = 1
		for _, on := range p.dependsOn {
			if next, ours := byKey[on]; ours {
				if err := visit(next); err != nil {
					return err
				}
			}
		}
		state[key] = 2
		sorted = append(sorted, p)
		return nil
	}
	for _, p := range all {
		if err := visit(p); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}
