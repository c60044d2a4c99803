// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:32:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-one-folder-a-platform
// Diagram: openspec/specs/platforms/diagram.md#one-folder-a-platform

package platforms

import (
	"strconv"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestEveryPlatformHasAClient checks that the table of clients and that of platforms have the same rows.
func TestEveryPlatformHasAClient(t *testing.T) {
	t.Parallel()
	for _, row := range hybridcore.Platforms() {
		if openers[row.Name] == nil {
			t.Errorf("%s has no client", row.Title)
		}
	}
	if len(openers) != len(hybridcore.Platforms()) {
		t.Errorf("%d clients are of %d platforms", len(openers), len(hybridcore.Platforms()))
	}
}

// TestLabReach checks for each platform that a client in a lab connects to this machine and to no other.
func TestLabReach(t *testing.T) {
	t.Parallel()
	for _, row := range hybridcore.Platforms() {
		target := hybridcore.Target{Platform: row.Name}
		for _, name := range row.Connection {
			value := "x"
			if name == row.Endpoints[0] {
				value = "https://192.0.2.1:8006" // of a network that exists in documents only (RFC 5737)
			}
			target.Variables = append(target.Variables, hybridcore.Variable{Name: name, JSON: strconv.Quote(value)})
		}
		_, err := OpenInLab(t.Context(), target)
		if err == nil || !strings.Contains(err.Error(), "in a lab, nothing is sent to another machine") {
			t.Errorf("%s: %v", row.Title, err)
		}
	}
}
