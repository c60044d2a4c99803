// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Side is one image on one platform.
type Side struct {
	Platform  hybridcore.Platform
	Run       string // that built it
	Inventory Normal
}

// Set is one image on the platforms that it was built for.
type Set struct {
	Image    string
	Sides    []Side               // in report order, each platform once
	Findings []hybridcore.Finding // about the sides, each for itself
}

// Rules are what a comparison is needed by.
type Rules struct {
	Env     string
	Allow   Allow
	Origins Origins
	// Listed bounds the unexpected differences that are listed; 0 means as many as a record has.
	Listed int
}
