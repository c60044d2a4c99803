// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// run is what the targets of one run share.
type run struct {
	stage   Stage
	project *project.Project
	plan    hybridcore.Plan
	id      string
	tool    packer.Tool

	pulse *pulse

	mu   sync.Mutex
	held map[string]*state.Held // by target
	// inventories by attachment name, written with the record
	inventories map[string][]byte
	rules       parity.Rules
	parity      []hybridcore.Parity
	collected   bool // the results were made elsewhere: no lease of theirs is held here
}

// start refuses a plan that must not run, and finds what its targets share.
func (s Stage) start(ctx context.Context, plan hybridcore.Plan) (*run, error) {
	if err := project.Refused(plan); err != nil {
		return nil, err
	}
	x := &run{
		stage: s, project: s.Project, plan: plan, id: plan.Request.ID, inventories: map[string][]byte{},
		held: map[string]*state.Held{},
	}
	if len(plan.Pending()) == 0 {
		return x, nil
	}
	var err error
	if x.tool, err = s.Project.Tools.Packer(ctx); err != nil {
		return nil, err
	}
	if _, _, err = s.Project.Templates(); err != nil {
		return nil, err
	}
	return x, nil
}

// compare compares what the run built with what its other platforms have.
func (x *run) compare(ctx context.Context, results []hybridcore.Result) []hybridcore.Parity {
	built := compare.Built{Run: x.id, Results: results, Inventories: x.inventories}
	return x.stage.compare().Built(ctx, built, x.rules)
}
