// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:14:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

// Package release is the stage that publishes what is built: it plans a release,
// looks its artifacts up, marks them, and records what came of it, in one process
// or as jobs of a CI system.
package release

import (
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Stage publishes the builds of a project.
type Stage struct{ Project *project.Project }

// compare is the stage below.
func (s Stage) compare() compare.Stage { return compare.Stage{Project: s.Project} }
