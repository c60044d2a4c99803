// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:09Z
// Spec: openspec/specs/bot/spec.md#requirement-the-approved-plan
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
)

// Bounds of plans that people approve.
const (
	planTime     = 30 * time.Second
	maxDiffers   = 20 // targets, and inputs of each, that are named
	maxDifferent = 80 // characters of a value that is shown
)

// Plans says what a command means at a commit of the repository around a project.
func (h *Host) Plans(root string) func(context.Context, string, []policy.Cell) policy.Plan {
	return func(ctx context.Context, commit string, cells []policy.Cell) policy.Plan {
		ctx, cancel := context.WithTimeout(ctx, planTime)
		defer cancel()
		project, err := config.Load(root)
		if err != nil {
			return policy.UnknownPlan(cells, "the bot cannot read its project")
		}
		r := h.Process.Wire(project)
		defer func() { _ = r.Project.Close() }() // only read
		inputs, err := plan.Stage{Project: r.Project}.CommitInputs(ctx, meant(cells), commit)
		if err != nil {
			why, _, _ := strings.Cut(h.Process.Redactor.Clean(err.Error()), "\n")
			return policy.UnknownPlan(cells, "the bot's checkout does not give the commit's: "+why)
		}
		return policy.NewPlan(cells, inputs)
	}
}

// samePlan refuses a command that was approved when its plan is another one here:
// that of the commit, or of the files and variables that this job builds with.
// Where the checkout is at another commit, these are not looked at: no build of
// the ticket's commit begins there.
func (v verification) samePlan(ctx context.Context) error {
	t, h := v.ticket, v.host
	if t.Plan == nil {
		return nil
	}
	r := h.Process.Wire(v.project)
	defer func() { _ = r.Project.Close() }() // only read
	req := meant(t.Cells)
	commits, err := plan.Stage{Project: r.Project}.CommitInputs(ctx, req, t.Commit)
	if err != nil {
		return hybridcore.Blockedf("the plan that was approved cannot be computed: %v", err)
	}
	if differs := t.Plan.Differs(policy.NewPlan(t.Cells, commits)); len(differs) > 0 {
		return hybridcore.Blockedf("the plan is not the approved one (plan %s): commit %.12s gives another digest here "+
			"for %s; the bot and its jobs need the same version of packer-hybrid",
			t.Plan.Short(), t.Commit, inLine(differs))
	}
	repo, err := git.Open(v.project.Root, h.Process.Environ)
	if err != nil {
		return err
	}
	if head, err := repo.Resolve(ctx, "HEAD"); err != nil || head != t.Commit {
		return err
	}
	here, err := plan.Stage{Project: r.Project}.TreeInputs(req)
	if err != nil {
		return hybridcore.Blockedf("the plan of this checkout cannot be computed, and another one was approved (plan "+
			"%s): %v", t.Plan.Short(), err)
	}
	if lines := v.differences(t.Cells, commits, here); len(lines) > 0 {
		return hybridcore.Blockedf("the plan is not the approved one (plan %s of commit %.12s):\n%s\n  hint: what is "+
			"built is what the commit has: set variables in configs/, not in the job's environment, and change no files "+
			"after the checkout",
			t.Plan.Short(), t.Commit, strings.Join(lines, "\n"))
	}
	return nil
}

// differences says for each target which of its inputs are others than those of
// the commit.
func (v verification) differences(cells []policy.Cell, was, now map[string]map[string]string) []string {
	var lines []string
	for _, cell := range cells {
		before, after := was[cell.String()], now[cell.String()]
		names := map[string]bool{}
		for _, one := range []map[string]string{before, after} {
			for name := range one {
				names[name] = true
			}
		}
		var found []string
		for _, name := range slices.Sorted(maps.Keys(names)) {
			old, had := before[name]
			value, has := after[name]
			if had && has && old == value {
				continue
			}
			found = append(found, v.difference(name, old, value))
		}
		if len(found) > 0 || (before == nil) != (after == nil) {
			lines = append(lines, "  "+cell.String()+": "+inLine(found))
		}
	}
	if more := len(lines) - maxDiffers; more > 0 {
		lines = append(lines[:maxDiffers], fmt.Sprintf("  and %d more targets", more))
	}
	return lines
}

// difference names an input; of a variable it has both values, of which none is secret.
func (v verification) difference(name, was, now string) string {
	shown := func(value string) string {
		if value == "" {
			return "not set"
		}
		if runes := []rune(text.Sanitize(v.host.Process.Redactor.String(value))); len(runes) <= maxDifferent {
			return string(runes)
		}
		return "a longer value"
	}
	if strings.HasPrefix(name, "var:") {
		return fmt.Sprintf("%s is %s, and %s in the commit", name, shown(now), shown(was))
	}
	return text.Sanitize(name)
}

// inLine is a list in one line, of which not everything may be told.
func inLine(names []string) string {
	if more := len(names) - maxDiffers; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxDiffers], ", "), more)
	}
	return strings.Join(names, ", ")
}

// meant is a request for the targets of cells, which are of one environment.
func meant(cells []policy.Cell) (req hybridcore.Request) {
	for _, cell := range cells {
		req.Env = cell.Env
		if !slices.Contains(req.Images, cell.Image) {
			req.Images = append(req.Images, cell.Image)
		}
		if !slices.Contains(req.Platforms, cell.Platform) {
			req.Platforms = append(req.Platforms, cell.Platform)
		}
	}
	return req
}
