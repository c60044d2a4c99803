// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"net/http"
	"slices"
	"strings"
)

// target is what the path of a request names below a subscription.
type target struct {
	subscription string
	group        string   // resource group; empty: the whole subscription
	kind         string   // type of resource as the path has it, such as Microsoft.Compute/images
	names        []string // one for each part of the type after the namespace; one less for a list or an action
	rest         []string // what follows, when the path is of another form
}

// parseTarget reads /subscriptions/S[/resourceGroups/G][/providers/NAMESPACE/TYPE/NAME...]. Azure compares
// all of it without regard to case.
func parseTarget(urlPath string) (target, bool) {
	var t target
	parts := strings.Split(strings.Trim(urlPath, "/"), "/")
	if slices.Contains(parts, "") || len(parts) < 2 || !strings.EqualFold(parts[0], "subscriptions") {
		return t, false
	}
	t.subscription, parts = parts[1], parts[2:]
	if len(parts) >= 2 && strings.EqualFold(parts[0], "resourceGroups") {
		t.group, parts = parts[1], parts[2:]
	}
	if len(parts) < 3 || !strings.EqualFold(parts[0], "providers") {
		t.rest = parts
		return t, true
	}
	types := []string{parts[1]}
	for n, part := range parts[2:] {
		if n%2 == 0 {
			types = append(types, part)
		} else {
			t.names = append(t.names, part)
		}
	}
	t.kind = strings.Join(types, "/")
	return t, true
}

// complete reports whether the path names one object and not a list or an action.
func (t target) complete() bool { return strings.Count(t.kind, "/") == len(t.names) }

// parent is the object that a list or an action belongs to.
func (t target) parent() (object target, last string) {
	cut := strings.LastIndexByte(t.kind, '/')
	object, last = t, t.kind[cut+1:]
	object.kind = t.kind[:cut]
	return object, last
}

// key is what the store knows the object by.
func (t target) key() string { return strings.ToLower(t.kind + "/" + strings.Join(t.names, "/")) }

// typeAndName interleaves types and names: Microsoft.Compute/galleries/G/images/I.
func (t target) typeAndName() string {
	parts := strings.Split(t.kind, "/")
	out := []string{parts[0]}
	for n, part := range parts[1:] {
		out = append(out, part)
		if n < len(t.names) {
			out = append(out, t.names[n])
		}
	}
	return strings.Join(out, "/")
}

// id is the identifier of the object.
func (t target) id() string {
	return "/subscriptions/" + t.subscription + "/resourceGroups/" + t.group + "/providers/" + t.typeAndName()
}

// checkVersion compares the request's api-version with those of a type.
func checkVersion(version, name string, known []string) error {
	if version == "" {
		return refuse(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	}
	if !slices.Contains(known, version) {
		return refuse(http.StatusBadRequest, "NoRegisteredProviderFound",
			"No registered resource provider found for API version '%s' for type '%s'. The supported api-versions are '%s'.",
			version, name, strings.Join(known, ", "))
	}
	return nil
}
