// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:05:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package main

import (
	"fmt"
	"io"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// fanOut prints the jobs that would build what a plan builds, and nothing besides:
// the text is for a machine. A plan that is blocked has none.
func (a *app) fanOut(r *runner.Runner, plan hybridcore.Plan) error {
	if err := checks.WriteFindings(a.Err, a.Style(a.Raw.Err), plan.Findings); err != nil {
		return err
	}
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return nil // the exit code says it
	}
	text, err := jobs(ci.System(a.matrix), &plan, ci.Child{Runners: r.Project.CI.Runners})
	if err != nil {
		return err
	}
	return a.JSON(func(w io.Writer) error { // a pipeline is none, and redacted as text
		_, err := fmt.Fprintln(w, text)
		return err //nolint:wrapcheck // of standard output
	})
}

// jobs are the jobs for a plan in the form of a CI system; nil: nothing is built.
func jobs(system ci.System, plan *hybridcore.Plan, child ci.Child) (string, error) {
	switch {
	case system == ci.GitLab:
		return ci.Pipeline(plan, child)
	case plan == nil:
		return ci.Matrix(hybridcore.Plan{})
	}
	return ci.Matrix(*plan)
}

// checkMatrix refuses a system that there is no matrix for.
func (a *app) checkMatrix(req hybridcore.Request) error {
	systems := []string{string(ci.GitHub), string(ci.GitLab)}
	switch a.matrix {
	case "", systems[0], systems[1]:
	default:
		return hybridcore.Usagef("--matrix is %.80q: it must be github or gitlab%s", a.matrix, hybridcore.DidYouMean(a.matrix, systems))
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
