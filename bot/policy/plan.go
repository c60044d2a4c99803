// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/bot/spec.md#requirement-the-approved-plan
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Absent is the digest of a target that a commit does not make.
const Absent = "-"

// Plan is what approvers see of a command: its targets, as the commit has them.
type Plan struct {
	// Targets are the digests of the targets' inputs by ENV/IMAGE@PLATFORM, or
	// Absent; empty where they are not known.
	Targets map[string]string `json:"targets"`
	// Unknown is why no digest is known; empty when all are.
	Unknown string `json:"unknown,omitempty"`
}

// NewPlan is the plan of a command's cells: inputs has the inputs of each target
// that the commit makes.
func NewPlan(cells []Cell, inputs map[string]map[string]string) Plan {
	p := Plan{Targets: map[string]string{}}
	for _, cell := range cells {
		p.Targets[cell.String()] = Absent
		if of, has := inputs[cell.String()]; has {
			p.Targets[cell.String()] = hybridcore.DigestOf(of)
		}
	}
	return p
}

// UnknownPlan is the plan of a command whose commit cannot be read: the names of
// its targets.
func UnknownPlan(cells []Cell, why string) Plan {
	p := Plan{Targets: map[string]string{}, Unknown: why}
	for _, cell := range cells {
		p.Targets[cell.String()] = ""
	}
	return p
}

// Digest is the hex sha256 of the targets' names and digests.
func (p Plan) Digest() string { return hybridcore.DigestOf(p.Targets) }

// shortDigest is how much of a digest people are shown.
const shortDigest = 12

// Short is as much of the digest as people are shown.
func (p Plan) Short() string { return p.Digest()[:shortDigest] }

// Names are the targets, sorted.
func (p Plan) Names() []string { return slices.Sorted(maps.Keys(p.Targets)) }

// Differs lists the targets whose digest is another than in the plan that was
// approved. Where that one knows no digests, none differs.
func (p Plan) Differs(now Plan) []string {
	return slices.DeleteFunc(now.Names(), func(name string) bool {
		was, planned := p.Targets[name]
		return planned && (was == "" || was == now.Targets[name])
	})
}

// Lacks says whether a target is not made by the commit.
func (p Plan) Lacks() []string {
	return slices.DeleteFunc(p.Names(), func(name string) bool { return p.Targets[name] != Absent })
}

// String is the plan in one line, for people.
func (p Plan) String() string {
	text := "plan " + p.Short() + ": " + strings.Join(p.Names(), ", ")
	if gone := p.Lacks(); len(gone) > 0 {
		text += "; the commit does not make " + strings.Join(gone, ", ")
	}
	if p.Unknown != "" {
		text += "; only the names of its targets are known: " + p.Unknown
	}
	return text
}
