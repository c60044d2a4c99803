// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package plan

import (
	"io/fs"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/runner/gate"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// planning is what the targets of one plan share.
type planning struct {
	project  *project.Project
	leaks    gate.Leaks
	now      *tree // the working tree
	req      hybridcore.Request
	snapshot hybridcore.Snapshot
	base     *base // nil for a plan against the state
	plan     hybridcore.Plan

	head       *head            // nil where nothing is compared with it
	repository *git.Repository  // nil until it is needed
	commits    map[string]fs.FS // the files of commits that were read
	lines      map[string]int   // where files begin to differ
}

// base is the commit that a plan is compared with.
type base struct {
	*tree                     // nil when the commit's project does not load
	name    string            // for people: main (0123456789ab)
	renamed map[string]string // image now → image then
}
