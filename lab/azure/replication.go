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

// replication is the replication status of a gallery version: each region has what the first one has.
func replication(r *resource) map[string]any {
	state, progress := "Replicating", 0
	switch r.state {
	case stateSucceeded:
		state, progress = "Completed", 100
	case stateFailed:
		state = "Failed"
	}
	var summary []any
	for _, name := range regions(arm.Object(r.body, "properties")) {
		summary = append(summary, map[string]any{"region": name, "state": state, "progress": progress})
	}
	return map[string]any{"aggregatedState": state, "summary": summary}
}
