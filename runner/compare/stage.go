// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:02:00Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

// Package compare is the stage that says whether images are what they should be:
// the same on all platforms, and what has changed in them since.
package compare

import "github.com/packer-hybrid/packer-hybrid/runner/project"

// Stage compares the recorded images of a project.
type Stage struct{ Project *project.Project }
