// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-capture
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// region is the name of a region as identifiers have it: "West Europe" is westeurope.
func region(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

// regions lists the target regions of a gallery version.
func regions(properties map[string]any) []string {
	var names []string
	for _, one := range arm.List(properties, "publishingProfile", "targetRegions") {
		names = append(names, region(arm.Text(one, "name")))
	}
	return names
}

// replication is the replication status of a gallery version: each region has what the version has, unless
// something else was planted.
func replication(r *resource) map[string]any {
	state, progress := "Replicating", 0
	switch r.state {
	case stateSucceeded:
		state, progress = "Completed", 100
	case stateFailed:
		state = "Failed"
	}
	var summary []any
	all := state
	for _, name := range regions(arm.Object(r.body, "properties")) {
		one := map[string]any{"region": name, "state": state, "progress": progress}
		if other := r.regions[name]; other != "" {
			one["state"], one["progress"], all = other, 0, other
		}
		summary = append(summary, one)
	}
	return map[string]any{"aggregatedState": all, "summary": summary}
}
