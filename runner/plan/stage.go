// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:02:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

// Package plan is the stage that decides: which targets a request means, what is
// wrong with them, which of them are to be built, and why. It changes nothing.
package plan

import "github.com/packer-hybrid/packer-hybrid/runner/project"

// Stage plans, explains and checks the targets of a project.
type Stage struct{ Project *project.Project }
