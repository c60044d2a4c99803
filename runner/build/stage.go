// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:10:00Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

// Package build is the stage that makes images: it takes a lease of each target,
// stages its templates, runs Packer, looks the artifact up and records the run. It
// also removes what ended runs left, and lets Packer and the plugins validate.
package build

import (
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Stage builds the targets of plans.
type Stage struct {
	Project  *project.Project
	Folders  Folders
	Reporter Reporter
	// Renewal is how often leases are renewed; zero is state.Renewal.
	Renewal time.Duration
}

// Folders are where a run writes for people.
type Folders struct {
	Logs    string // a folder for each run
	Uploads string // takes the place of artifacts/ in the project; empty for that one
}

// Reporter shows progress. Event may be called from several goroutines.
type Reporter interface {
	Event(e hybridcore.Event)
}

// compare is the stage below.
func (s Stage) compare() compare.Stage { return compare.Stage{Project: s.Project} }
