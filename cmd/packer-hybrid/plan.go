// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:05:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package main

import (
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// checkMatrix refuses a system that there is no matrix for.
func (a *app) checkMatrix(req hybridcore.Request) error {
	systems := []string{string(ci.GitHub), string(ci.GitLab)}
	switch a.matrix {
	case "", systems[0], systems[1]:
	default:
		return hybridcore.Usagef("--matrix is %.80q: it must be github or gitlab%s", a.matrix,
			hybridcore.DidYouMean(a.matrix, systems))
	}
	switch {
	case a.matrix == "":
		return nil
	case a.Output != "text":
		return hybridcore.Usagef("--matrix has a form of its own: leave --output out")
	case req.Base != "":
		return hybridcore.Usagef("--matrix is about what would be built: leave --base out, which compares with a commit")
	}
	return nil
}
