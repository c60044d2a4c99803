// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:40:00Z
// Spec: openspec/specs/runner/spec.md#requirement-stages-stand-on-one-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package runner

import (
	"context"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// sandbox is a copy of the fixture project, with real Packer, and all stages on it.
type sandbox struct {
	*project.Project
	dir      string
	events   *events
	reporter build.Reporter
	folders  build.Folders
	renewal  time.Duration
}

func (s *sandbox) planner() plan.Stage { return plan.Stage{Project: s.Project} }

func (s *sandbox) builder() build.Stage {
	return build.Stage{Project: s.Project, Folders: s.folders, Reporter: s.reporter, Renewal: s.renewal}
}

func (s *sandbox) releaser() release.Stage { return release.Stage{Project: s.Project} }

func (s *sandbox) Plan(ctx context.Context, req hybridcore.Request) (hybridcore.Plan, error) {
	return s.planner().Plan(ctx, req)
}

func (s *sandbox) Build(ctx context.Context, planned hybridcore.Plan) (hybridcore.Record, error) {
	return s.builder().Build(ctx, planned)
}

func (s *sandbox) Reap(ctx context.Context, req hybridcore.Request) ([]hybridcore.Reaped, error) {
	return s.builder().Reap(ctx, req)
}

func (s *sandbox) comparer() compare.Stage { return compare.Stage{Project: s.Project} }
