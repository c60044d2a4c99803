// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:45:00Z
// Spec: openspec/specs/packer/spec.md#requirement-stand-ins
// Diagram: openspec/specs/packer/diagram.md#which-plugin

package hybridcore

import (
	"maps"
	"slices"
	"strings"
)

// StandInLabel ends the version of a plugin whose place the lab's stand-in
// took, as in 1.2.3+lab.
const StandInLabel = "+lab"

// pluginKey starts the key of a plugin among versions and inputs.
const pluginKey = "plugin:"

// StandIns lists, as "ADDRESS VERSION", the plugins among versions or inputs
// ("plugin:ADDRESS" → version) that are stand-ins.
func StandIns(versions map[string]string) []string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(versions)) {
		address, is := strings.CutPrefix(key, pluginKey)
		if is && strings.HasSuffix(versions[key], StandInLabel) {
			found = append(found, address+" "+versions[key])
		}
	}
	return found
}
