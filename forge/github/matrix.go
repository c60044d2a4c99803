// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:02:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package github

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// maxMatrix bounds the jobs of one matrix at GitHub (docs.github.com/actions/reference/limits).
const maxMatrix = 256

// DefaultRunner is the label of GitHub's own runners.
const DefaultRunner = "ubuntu-latest"

// unnamed says for which platforms the project file names no runners, so that jobs
// with the credentials of each go to GitHub's; empty for none. At GitLab they go where
// the second file of the child pipeline says.
func unnamed(runners ci.Runners, platforms []hybridcore.Platform) string {
	names := []string{}
	for _, p := range platforms {
		if len(runners[p]) == 0 {
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

// matrix is the value of strategy.matrix for the targets that a plan builds, on
// one line; without any it is {"include":[]}, to be left out with an `if:`. More
// than GitHub takes is a BlockedError.
func matrix(s forge.Shares) (string, error) {
	var plan hybridcore.Plan
	if s.Plan != nil {
		plan = *s.Plan
	}
	if err := forge.Sharable(plan); err != nil {
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
	if n := 2 * len(utf16.Encode([]rune(string(text)))); len(rows) > maxMatrix || n > maxOutput {
		return "", hybridcore.Blockedf(
			"the matrix would have %d jobs in %d bytes, and GitHub takes at most %d in %d: plan fewer images or platforms at "+
				"once",
			len(rows), n, maxMatrix, maxOutput)
	}
	return string(text), nil
}

// outputs are those of the step that decides, with what the project file of the
// default branch says of runners. The zero decision is that nothing is to be done.
func outputs(d ci.Decision, runners ci.Runners) ([]forge.Value, error) {
	text, platforms := "", []hybridcore.Platform{}
	labels, environments := map[hybridcore.Platform][]string{}, map[hybridcore.Platform]string{}
	if d.SHA != "" {
		var err error
		if text, err = d.Encode(); err != nil {
			return nil, err
		}
	}
	requests, err := d.Requests()
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		if r.Action == hybridcore.ActionPublish || r.Action == hybridcore.ActionReap || r.Looks() {
			for _, p := range d.Reached(r) {
				if !slices.Contains(platforms, p) {
					platforms = append(platforms, p)
				}
			}
		}
	}
	for _, p := range d.Platforms {
		labels[p], environments[p] = labelsOf(runners, p), d.Env+"-"+string(p)
	}
	planned := d.Ticket || d.Has(hybridcore.ActionBuild, hybridcore.ActionPlan, hybridcore.ActionValidate,
		hybridcore.ActionStatus, hybridcore.ActionParity, hybridcore.ActionFree) ||
		d.Has(hybridcore.ActionDrift) && !d.Looks()
	all := []forge.Value{
		{Name: "decision", Value: text},
		{Name: "sha", Value: d.SHA},
		{Name: "plan", Value: fmt.Sprint(planned)},
		{Name: "release", Value: fmt.Sprint(d.Has(hybridcore.ActionPublish))},
		{Name: "reap", Value: fmt.Sprint(d.Has(hybridcore.ActionReap) || d.Looks())},
	}
	if len(d.Next) > 0 {
		all = append(all, forge.Value{Name: "next", Value: d.Next[0]})
	}
	for _, one := range []struct {
		name  string
		value any
	}{{"platforms", platforms}, {"runners", labels}, {"environments", environments}} {
		encoded, err := json.Marshal(one.value)
		if err != nil {
			return nil, fmt.Errorf("encoding the output %s: %w", one.name, err)
		}
		all = append(all, forge.Value{Name: one.name, Value: string(encoded)})
	}
	return all, nil
}

// labelsOf are the labels of a platform's runners.
func labelsOf(runners ci.Runners, platform hybridcore.Platform) []string {
	if labels := runners[platform]; len(labels) > 0 {
		return labels
	}
	return []string{DefaultRunner}
}
