// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:04Z
// Spec: openspec/specs/runner/spec.md#requirement-parts-of-a-release-are-not-trusted
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package runner

import (
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// ReleaseFiles is what jobs of one run have handed over of a release.
type ReleaseFiles struct {
	Plan     hybridcore.ReleasePlan
	Digest   string // of the plan
	Prepared []hybridcore.ReleasePart
	Marked   []hybridcore.ReleasePart
}
