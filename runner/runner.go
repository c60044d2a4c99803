// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:42Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

// Package runner answers requests: Do gives each to the stage that knows how, and
// returns what it came to as one value. It renders nothing.
package runner

import (
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// Runner answers requests about one project.
type Runner struct {
	Project *project.Project
	Folders build.Folders
	// Policy is of a tree whose author is not trusted; nil trusts it.
	Policy *untrusted.Policy
	// Remember is what earlier validations found; the zero value remembers nothing.
	Remember plan.Memory
	// Compare says that the answer of a build also has what changed in its images.
	Compare bool
}

// Reporter shows progress. Event may be called from several goroutines.
type Reporter interface {
	Event(e hybridcore.Event)
}

// silent is a reporter that tells nobody.
type silent struct{}

// Event implements Reporter.
func (silent) Event(hybridcore.Event) {}

func (r *Runner) plan() plan.Stage { return plan.Stage{Project: r.Project} }

func (r *Runner) live() live.Stage { return live.Stage{Project: r.Project} }

func (r *Runner) compare() compare.Stage { return compare.Stage{Project: r.Project} }

func (r *Runner) release() release.Stage { return release.Stage{Project: r.Project} }

func (r *Runner) build(reporter Reporter) build.Stage {
	if reporter == nil {
		reporter = silent{}
	}
	return build.Stage{Project: r.Project, Folders: r.Folders, Reporter: reporter}
}
