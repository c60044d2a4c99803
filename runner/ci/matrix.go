// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:02:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package ci

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxMatrix bounds the jobs of one matrix at GitHub (docs.github.com/actions/reference/limits).
const maxMatrix = 256

// DefaultRunner is the label of GitHub's own runners.
const DefaultRunner = "ubuntu-latest"

// Unnamed says for which platforms the project file names no runners, so that jobs
// with the credentials of each go to GitHub's; empty for none. At GitLab they go where
// the second file of the child pipeline says.
func (r Runners) Unnamed(platforms []hybridcore.Platform) string {
	names := []string{}
	for _, p := range platforms {
		if len(r[p]) == 0 {
			names = append(names, string(p))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("the block ci of packer-hybrid.hcl names no runners for %s: the jobs with the credentials of "+
		"the platform go to "+
		"GitHub's own %s; name those near it: runners = { %s = [\"LABEL\"] }", strings.Join(names,
		", "), DefaultRunner, names[0])
}

// row is one job of a matrix: what is to be built. Where, with which credentials
// and by which command is not for the commit that is planned to say.
type row struct {
	Image    string              `json:"image"`
	Platform hybridcore.Platform `json:"platform"`
	Target   string              `json:"target"`
	Digest   string              `json:"digest"`
}

// Matrix is the value of strategy.matrix for the targets that a plan builds, on
// one line; without any it is {"include":[]}, to be left out with an `if:`. More
// than GitHub takes is a BlockedError.
func Matrix(plan hybridcore.Plan) (string, error) {
	if err := sharable(plan); err != nil {
		return "", err
	}
	rows := []row{}
	for _, t := range plan.Pending() {
		target := t.Target
		rows = append(rows, row{target.Image.Name, target.Platform, target.Name(), target.Digest})
	}
	text, err := json.Marshal(map[string][]row{"include": rows})
	if err != nil {
		return "", fmt.Errorf("encoding the matrix: %w", err)
	}
	if n := 2 * len(utf16.Encode([]rune(string(text)))); len(rows) > maxMatrix || n > MaxOutput {
		return "", hybridcore.Blockedf(
			"the matrix would have %d jobs in %d bytes, and GitHub takes at most %d in %d: plan fewer images or platforms at "+
				"once",
			len(rows), n, maxMatrix, MaxOutput)
	}
	return string(text), nil
}

// sharable refuses a plan whose digests other machines cannot have.
func sharable(plan hybridcore.Plan) error {
	if plan.Base != nil {
		return hybridcore.Usagef("the difference to a commit says nothing of what is built: leave --base out for a matrix")
	}
	for _, t := range plan.Pending() {
		if t.Target.Inputs["packer"] == "" {
			return hybridcore.Blockedf("%s has no digest by which its job could tell that it builds what was planned, because "+
				"Packer or its plugin is not here: install on this runner Packer and the Packer plugins that the runner of "+
				"%s has", t.Target.Name(), t.Target.Platform)
		}
	}
	return nil
}
