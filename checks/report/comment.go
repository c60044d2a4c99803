// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:36Z
// Spec: openspec/specs/plan/spec.md#requirement-a-plan-as-a-comment
// Diagram: openspec/specs/plan/diagram.md#two-trees

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxNamed is how many targets of one cause are named beside it; the folded
// section has all.
const maxNamed = 3

// cause is one reason with the targets that it touches.
type cause struct {
	reason  hybridcore.Reason
	targets []string
}

// causes lists the reasons of what is built, each once, in the order of the plan.
func causes(plan hybridcore.Plan) []cause {
	var all []cause
	at := map[hybridcore.Reason]int{}
	for _, t := range plan.Pending() {
		for _, r := range t.Reasons {
			if r.Kind == "new" {
				r.Subject, r.File, r.Line = "", "", 0 // differ by target and say no more
			}
			i, seen := at[r]
			if !seen {
				i, at[r] = len(all), len(all)
				all = append(all, cause{reason: r})
			}
			all[i].targets = append(all[i].targets, t.Target.Name())
		}
	}
	return all
}

// moved are changes of upstream that no target reads.
func moved(plan hybridcore.Plan) []cause {
	var all []cause
	for _, r := range plan.Moved {
		all = append(all, cause{reason: r})
	}
	return all
}

// WritePlan renders a plan for a comment on a change: what changed
// first, each cause once, and the targets in folded sections. See maxMarkdown
// for its bound.
func WritePlan(w io.Writer, plan hybridcore.Plan) error {
	m := &markdown{}
	m.plan(Report{Plan: plan})
	return m.write(w)
}

// plan adds a whole plan, or what a build is doing.
func (m *markdown) plan(r Report) {
	plan := r.Plan
	switch env := text.Code(plan.Request.Env); {
	case blocked(plan):
		m.add("## %s Images for %s: blocked", statusMark(hybridcore.BlockedStatus), env)
	case plan.Request.Action == hybridcore.ActionBuild:
		m.add("## ⏳ Images for %s: building", env)
	default:
		m.add("## Image plan for %s", env)
	}
	m.add("\n%s", headline(plan))
	m.stranger(r)
	details(m, r)
}

// details adds what is behind the headline of a plan.
func details(m *markdown, r Report) {
	m.allFindings(r)
	m.causes(r.Plan)
	m.toBuild(r.Plan)
	m.beside(r.Plan)
}

// causes adds the table of what changed.
func (m *markdown) causes(plan hybridcore.Plan) {
	all := append(causes(plan), moved(plan)...)
	rows := make([][]string, 0, len(all))
	for _, c := range all {
		targets := "none reads it"
		if len(c.targets) > 0 {
			targets = touched(c.targets, len(plan.Pending()))
		}
		rows = append(rows, []string{what(c.reason), where(c.reason.File, c.reason.Line), targets})
	}
	m.table([]string{"Change", "Where", "Targets"}, rows)
}

// headline is the answer in one sentence.
func headline(plan hybridcore.Plan) string {
	if blocked(plan) {
		return "**Blocked:** nothing is built before the errors below are corrected."
	}
	pending := len(plan.Pending())
	said := fmt.Sprintf("**%d of %d targets to build**, %d unchanged", pending, len(plan.Targets),
		len(plan.Targets)-pending)
	if n := len(plan.Removed); n > 0 {
		said += fmt.Sprintf(", %d removed", n)
	}
	if base := compared(plan); base != "" {
		said += ", compared with " + base
	}
	return said + "."
}

// compared says what a plan is the difference to; empty for the last records.
func compared(plan hybridcore.Plan) string {
	if plan.Base == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", text.Code(plan.Base.Revision),
		text.Code(summary.Short(plan.Base.Commit)))
}

// blocked says whether nothing of a plan would be built.
func blocked(plan hybridcore.Plan) bool {
	return hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked
}

// what says what changed.
func what(r hybridcore.Reason) string {
	subject := kind(r) + " " + text.Code(r.Subject)
	if r.Part != "" {
		subject += " of " + text.Code(r.Part)
	}
	was, now := r.Was, r.Now
	switch r.Kind {
	case "file":
		switch {
		case was == "":
			return subject + " is new"
		case now == "":
			return subject + " is gone"
		}
		return subject + " changed"
	case "source":
		return "source " + text.Code(was) + " → " + text.Code(now)
	case "variable", "version", "upstream":
		switch {
		case was == "":
			subject += " is new: " + text.Code(now)
		case now == "":
			subject += " is gone: was " + text.Code(was)
		default:
			subject += ": " + text.Code(was) + " → " + text.Code(now)
		}
		if r.WasLayer != "" {
			subject += ", set by " + text.Code(r.Layer) + " instead of " + text.Code(r.WasLayer)
		}
		return subject
	case "renamed":
		return "image " + text.Code(was) + " is called " + text.Code(now)
	default:
		return text.Code(r.Text)
	}
}

// kind is the kind of a reason, one of our own words: records may come from
// another machine.
func kind(r hybridcore.Reason) string {
	if strings.Trim(r.Kind, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return text.Code(r.Kind)
	}
	return r.Kind
}

// touched names the targets of one cause, as far as that stays short.
func touched(targets []string, all int) string {
	if len(targets) == all && all > maxNamed {
		return fmt.Sprintf("all %d", all)
	}
	names := make([]string, 0, maxNamed)
	for _, t := range targets[:min(len(targets), maxNamed)] {
		names = append(names, text.Code(t))
	}
	text := strings.Join(names, ", ")
	if more := len(targets) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// toBuild is the folded section of targets to build.
func (m *markdown) toBuild(plan hybridcore.Plan) {
	if pending := plan.Pending(); len(pending) > 0 {
		m.folded(fmt.Sprintf("%d to build", len(pending)), func() {
			rows := make([][]string, 0, len(pending))
			for _, t := range pending {
				rows = append(rows, []string{text.Code(t.Target.Name()), why(t), known(t)})
			}
			m.table([]string{"Target", "Why", "Last build"}, rows)
		})
	}
}

// beside are the other folded sections: targets removed, not supported, unchanged.
func (m *markdown) beside(plan hybridcore.Plan) {
	var rows [][]string
	for _, r := range plan.Removed {
		rows = append(rows, []string{text.Code(hybridcore.TargetName(r.Image, r.Platform)), text.Code(r.Text)})
	}
	if len(rows) > 0 {
		m.folded(fmt.Sprintf("%d removed", len(rows)), func() { m.table([]string{"Target", "Why"}, rows) })
	}
	if len(plan.Unsupported) > 0 {
		m.folded(fmt.Sprintf("%d not supported", len(plan.Unsupported)), func() {
			rows := [][]string{}
			for _, u := range plan.Unsupported {
				rows = append(rows, []string{
					text.Code(hybridcore.TargetName(u.Image, u.Platform)), text.Code(u.Reason),
					where(u.File, u.Line),
				})
			}
			m.table([]string{"Target", "Why", "Where"}, rows)
		})
	}
	m.unchanged(plan)
}

func (m *markdown) unchanged(plan hybridcore.Plan) {
	groups := summary.Unchanged(plan)
	if len(groups) == 0 {
		return
	}
	n := 0
	for _, g := range groups {
		n += len(g.Targets)
	}
	m.folded(fmt.Sprintf("%d unchanged", n), func() {
		m.add("")
		for _, g := range groups {
			line := fmt.Sprintf("- %d equal to %s", len(g.Targets), text.Code(g.String()))
			m.add("%s", line)
			if plan.Request.All {
				for _, t := range g.Targets {
					m.add("  - %s", text.Code(t))
				}
			}
		}
	})
}

// why names the causes of one target, in short.
func why(t hybridcore.PlannedTarget) string {
	var parts []string
	for i, r := range t.Reasons {
		if i == maxNamed && len(t.Reasons) > maxNamed+1 {
			parts = append(parts, fmt.Sprintf("%d more", len(t.Reasons)-i))
			break
		}
		if r.Subject == "" || r.Kind == "new" {
			parts = append(parts, text.Code(r.Text))
		} else {
			parts = append(parts, kind(r)+" "+text.Code(r.Subject))
		}
	}
	return strings.Join(parts, ", ")
}

// known is what is known of a target's last build, and no guess about the next.
func known(t hybridcore.PlannedTarget) string {
	switch {
	case t.Current == nil:
		return "–"
	case t.Current.Inventory == nil:
		return text.Code(t.Current.RunID)
	default:
		return fmt.Sprintf("%s: %d packages, new ones are known after the build", text.Code(t.Current.RunID),
			t.Current.Inventory.Packages)
	}
}
