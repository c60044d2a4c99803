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

// StandInLabel ends the version of a plugin or of a guest's system whose place
// the lab's stand-in took, as in 1.2.3+lab.
const StandInLabel = "+lab"

// PluginKey starts the key of a plugin among versions, inputs and tools.
const PluginKey = "plugin:"

// StandIns lists what among versions or inputs is a stand-in of the lab, and
// what it stands in for: plugins ("plugin:ADDRESS" → version) and guests
// ("guest:IMAGE" → system).
func StandIns(versions map[string]string) []string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(versions)) {
		if !strings.HasSuffix(versions[key], StandInLabel) {
			continue
		}
		if address, is := strings.CutPrefix(key, PluginKey); is {
			found = append(found, address+" "+versions[key]+", of the lab, not the real plugin")
		}
		if image, is := strings.CutPrefix(key, guestKey); is {
			found = append(found, "a guest of "+versions[key]+", of the lab, not "+image)
		}
	}
	return found
}
