// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:48:30Z
// Spec: openspec/specs/state/spec.md#requirement-what-a-record-says-of-a-build
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"cmp"
	"maps"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// provenance is what a target of a plan is built with, as it is known before Packer starts.
// Others are tools beside Packer and its plugins.
func provenance(x *run, t hybridcore.Target, plugins []packer.Plugin, others []hybridcore.Tool) *hybridcore.Provenance {
	p := &hybridcore.Provenance{
		Checkout: hybridcore.Checkout{Commit: x.plan.Commit, Unknown: "nobody asked"},
		StandIns: hybridcore.StandIns(t.Inputs),
		Tools: []hybridcore.Tool{
			{Name: "packer-hybrid", Version: cmp.Or(x.project.Tools.Version, "unknown")},
			{Name: "packer", Version: x.tool.Version},
		},
	}
	for _, planned := range x.plan.Targets {
		if planned.Target.Key() == t.Key() && planned.Checkout != nil {
			p.Checkout = *planned.Checkout
		}
	}
	for _, one := range plugins {
		p.Tools = append(p.Tools, hybridcore.Tool{
			Name: hybridcore.PluginKey + one.Address, Version: one.Version, SHA256: one.SHA256,
		})
	}
	p.Tools = append(p.Tools, others...)
	if lock, err := sources.Load(x.project.Config.Root); err == nil { // the plan says what is wrong with it
		p.Sources = map[string]string{}
		for _, one := range lock.Sources {
			p.Sources[one.Name] = one.Commit
		}
	}
	return p
}

// cleanProvenance makes what the part of a build says of itself fit for a report and the state.
func cleanProvenance(redact func(string) string, was *hybridcore.Provenance) *hybridcore.Provenance {
	if was == nil {
		return nil
	}
	p := *was
	p.Checkout.Commit, p.Checkout.Unknown = redact(p.Checkout.Commit), redact(p.Checkout.Unknown)
	p.Checkout.Differs = slices.Clone(p.Checkout.Differs)
	for i, one := range p.Checkout.Differs {
		p.Checkout.Differs[i] = hybridcore.Uncommitted{
			Input: redact(one.Input), SHA256: redact(one.SHA256),
			State: hybridcore.UncommittedState(redact(string(one.State))),
		}
	}
	p.Tools = slices.Clone(p.Tools)
	for i, one := range p.Tools {
		p.Tools[i] = hybridcore.Tool{
			Name: redact(one.Name), Version: redact(one.Version), SHA256: redact(one.SHA256),
		}
	}
	p.Sources = nil
	for _, name := range slices.Sorted(maps.Keys(was.Sources)) {
		if p.Sources == nil {
			p.Sources = map[string]string{}
		}
		p.Sources[redact(name)] = redact(was.Sources[name])
	}
	p.StandIns = slices.Clone(p.StandIns)
	for i, one := range p.StandIns {
		p.StandIns[i] = redact(one)
	}
	return &p
}
