// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:55:00Z
// Spec: openspec/specs/ci/spec.md#requirement-every-environment-of-a-change
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Everywhere makes of each request of a change whose line names no environment one for
// each that the change may move, the default one first. declared are the environments
// of the checkout's own project file: to plan for one gives nothing that a change has not.
// Where the change takes each of them away, nothing is planned for another one.
func (j Job) Everywhere(declared []string) (Job, error) {
	all, gone := j.reading.policy.changed(declared)
	switch {
	case !j.Unreviewed || len(all)+len(gone) == 0 || !slices.Contains(j.Spread, true):
		return j, nil
	case len(all) > maxEnvironments:
		return Job{}, hybridcore.Usagef("a change of this project is about %d environments, and %d are planned at once: "+
			"name those that count in change_environments of the block ci", len(all), maxEnvironments)
	}
	j.Gone = gone
	var requests []hybridcore.Request
	var spread []bool
	for i, r := range j.Requests {
		if !j.Spread[i] {
			requests, spread = append(requests, r), append(spread, false)
			continue
		}
		for _, r.Env = range all {
			requests, spread = append(requests, r), append(spread, true)
		}
	}
	j.Requests, j.Spread = requests, spread
	if len(requests) == 0 {
		return j.nothing("the change takes away each environment that changes are planned for: %s", strings.Join(gone, ", "))
	}
	return j, nil
}

// changed are the environments that a change is planned for: those of its base, and
// without a narrower setting those that it adds; gone are those that it takes away. A
// project without a file has none.
func (p Policy) changed(declared []string) (all, gone []string) {
	names := p.ChangeEnvironments
	if names == nil && len(p.Environments) > 0 {
		for _, env := range p.Environments {
			names = append(names, env.Name)
		}
		names = union(names, declared)
	}
	if slices.Contains(names, p.DefaultEnv) {
		all = []string{p.DefaultEnv}
	}
	for _, name := range names {
		switch {
		case name == p.DefaultEnv:
		case declared != nil && !slices.Contains(declared, name):
			gone = append(gone, name)
		default:
			all = append(all, name)
		}
	}
	return all, gone
}
