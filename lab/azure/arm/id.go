// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package arm

import (
	"slices"
	"strings"
)

// ID is what the path of a request names below a subscription.
type ID struct {
	Subscription string
	Group        string   // resource group; empty: the whole subscription
	Type         string   // type of resource as the path has it, such as Microsoft.Compute/images
	Names        []string // one for each part of the type after the namespace; one less for a list or an action
	Rest         []string // what follows, when the path is of another form
}

// ParseID reads /subscriptions/S[/resourceGroups/G][/providers/NAMESPACE/TYPE/NAME...]. Azure compares
// all of it without regard to case.
func ParseID(urlPath string) (ID, bool) {
	var t ID
	parts := strings.Split(strings.Trim(urlPath, "/"), "/")
	if slices.Contains(parts, "") || len(parts) < 2 || !strings.EqualFold(parts[0], "subscriptions") {
		return t, false
	}
	t.Subscription, parts = parts[1], parts[2:]
	if len(parts) >= 2 && strings.EqualFold(parts[0], "resourceGroups") {
		t.Group, parts = parts[1], parts[2:]
	}
	if len(parts) < 3 || !strings.EqualFold(parts[0], "providers") {
		t.Rest = parts
		return t, true
	}
	types := []string{parts[1]}
	for n, part := range parts[2:] {
		if n%2 == 0 {
			types = append(types, part)
		} else {
			t.Names = append(t.Names, part)
		}
	}
	t.Type = strings.Join(types, "/")
	return t, true
}

// Complete reports whether the path names one object and not a list or an action.
func (t ID) Complete() bool { return strings.Count(t.Type, "/") == len(t.Names) }

// Parent is the object that a list or an action belongs to.
func (t ID) Parent() (object ID, last string) {
	cut := strings.LastIndexByte(t.Type, '/')
	object, last = t, t.Type[cut+1:]
	object.Type = t.Type[:cut]
	return object, last
}

// Key is what the store knows the object by.
func (t ID) Key() string { return strings.ToLower(t.Type + "/" + strings.Join(t.Names, "/")) }

// TypeAndName interleaves types and names: Microsoft.Compute/galleries/G/images/I.
func (t ID) TypeAndName() string {
	parts := strings.Split(t.Type, "/")
	out := []string{parts[0]}
	for n, part := range parts[1:] {
		out = append(out, part)
		if n < len(t.Names) {
			out = append(out, t.Names[n])
		}
	}
	return strings.Join(out, "/")
}

// String is the identifier of the object.
func (t ID) String() string {
	return "/subscriptions/" + t.Subscription + "/resourceGroups/" + t.Group + "/providers/" + t.TypeAndName()
}
