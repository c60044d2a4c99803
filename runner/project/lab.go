// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:06:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package project

import (
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// KindLab is the kind of findings and reasons that keep a lab and the real
// platforms apart.
const KindLab = "lab"

// Lab is the identity of the lab that this process runs in; empty outside.
func (p *Project) Lab() string { return hybridcore.LabOf(p.Environ) }

// RefuseProd keeps a request for a prod environment out of a lab, unless it
// only reads: what a lab builds, marks or removes is not production.
func (p *Project) RefuseProd(req hybridcore.Request, env config.Environment) error {
	if p.Lab() == "" || !env.Prod || !req.Live() && !req.Records() {
		return nil
	}
	return hybridcore.Blockedf("%s for the environment %s is refused in a lab: %s has prod = true for it, "+
		"and the platforms here are simulated; name another environment, or run it outside of the lab",
		req.Action, env.Name, config.FileName)
}

// Elsewhere says why the platforms in reach cannot have what a run left: to look
// for it here would find nothing, and forget it. Empty when they can.
func (p *Project) Elsewhere(l hybridcore.Lease) string {
	switch l.Lab {
	case p.Lab():
		return ""
	case "":
		return "it was on the real platform, and this is a lab: look for it outside"
	default:
		return "it was in the lab " + l.Lab + ": look for it in there, with packer-hybrid lab run"
	}
}

// PlaceNotes says in a target's result in which lab it was built, and what was
// a stand-in there.
func PlaceNotes(t hybridcore.Target) []string {
	notes := labNotes(t)
	for _, one := range hybridcore.StandIns(t.Inputs) {
		notes = append(notes, "stand-in: "+one)
	}
	return notes
}

// labNotes says in a target's result that its platform was a simulated one.
func labNotes(t hybridcore.Target) []string {
	if id := hybridcore.BuiltInLab(t.Inputs); id != "" {
		return []string{"lab: " + id + ", a simulated " + t.Platform.Info().Title}
	}
	return nil
}
