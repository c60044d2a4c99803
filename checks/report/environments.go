// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:00:00Z
// Spec: openspec/specs/plan/spec.md#requirement-several-environments-in-one-comment
// Diagram: openspec/specs/plan/diagram.md#two-trees

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxTargetChecks bounds the checks of targets in one environment of a change.
const maxTargetChecks = 50

// all are the plans of a change, one an environment.
func (r Report) all() []Report { return append([]Report{r}, r.Beside...) }

// still says that a plan is fine and moves nothing.
func still(r Report) bool { return !blocked(r.Plan) && !r.Plan.Changes() }

// environments adds the plans of a change, a section for each environment.
func environments(m *markdown, r Report) {
	all := r.all()
	var names []string
	for _, one := range all {
		names = append(names, text.Code(one.Plan.Request.Env))
	}
	head := "## Image plan for " + and(names)
	if slices.ContainsFunc(all, func(one Report) bool { return blocked(one.Plan) }) {
		head = fmt.Sprintf("## %s Images for %s: blocked", statusMark(hybridcore.BlockedStatus), and(names))
	}
	m.add("%s", head)
	said := movement(all) + "."
	if base := compared(r.Plan); base != "" {
		said += " Compared with " + base + "."
	}
	m.add("\n%s", said)
	for _, name := range r.Gone {
		m.add("\nThe change takes the environment %s away: nothing is planned for it, and what was built for it stays.",
			text.Code(name))
	}
	m.stranger(r)
	budget := (maxMarkdown - reserved - m.units) / len(all)
	for i, one := range all {
		m.within(budget, "lines on "+names[i], func() {
			m.add("\n**Environment** %s: %s", names[i], standing(one, all))
			details(m, one)
		})
	}
}

// movement says in one sentence, without its end, in which environments something is built.
func movement(all []Report) string {
	var names, idle, held, parts []string
	targets := 0
	for _, one := range all {
		env, n := text.Code(one.Plan.Request.Env), len(one.Plan.Targets)
		names, targets = append(names, env), targets+n
		switch {
		case blocked(one.Plan):
			held = append(held, env)
		case still(one):
			idle = append(idle, env)
		default:
			said := fmt.Sprintf("%d of %s", len(one.Plan.Pending()), summary.Plural(n, "target"))
			if gone := len(one.Plan.Removed); gone > 0 {
				said += fmt.Sprintf(", and %d removed,", gone)
			}
			parts = append(parts, said+" in "+env)
		}
	}
	if len(idle) == len(all) {
		return fmt.Sprintf("**0 of %s to build** in %s", summary.Plural(targets, "target"), and(names))
	}
	var said []string
	if len(held) > 0 {
		said = append(said, "**Blocked** in "+and(held))
	}
	if len(parts) > 0 {
		said = append(said, "**To build:** "+and(parts))
	}
	if len(idle) > 0 {
		said = append(said, "nothing moves in "+and(idle))
	}
	return strings.Join(said, "; ")
}

// standing is how one of several environments stands.
func standing(one Report, all []Report) string {
	switch n := len(one.Plan.Targets); {
	case !still(one) || !slices.ContainsFunc(all, func(o Report) bool { return !still(o) }):
		plan := one.Plan
		plan.Base = nil // said once, above
		return headline(plan)
	case n == 0:
		return "nothing moves, there are no targets."
	default:
		return fmt.Sprintf("nothing moves, all %s are unchanged.", summary.Plural(n, "target"))
	}
}

// and joins words as a sentence does.
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// planTitle is the title of the check of a plan, one of those of a change.
func planTitle(one Report, all []Report) string {
	moved := slices.DeleteFunc(slices.Clone(all), still)
	first := one.Plan.Request.Env == all[0].Plan.Request.Env
	pending := func(r Report) string {
		return fmt.Sprintf("%d of %s to build", len(r.Plan.Pending()), summary.Plural(len(r.Plan.Targets), "target"))
	}
	switch {
	case blocked(one.Plan):
		return "Blocked: " + findingCounts(one.Findings())
	case !still(one) || len(moved) == 0:
		return pending(one)
	}
	said := []string{"Nothing moves in " + one.Plan.Request.Env}
	for _, r := range moved {
		if !first {
			break
		}
		state := pending(r)
		if blocked(r.Plan) {
			state = "blocked"
		}
		said = append(said, state+" in "+r.Plan.Request.Env)
	}
	return strings.Join(said, "; ")
}

// besideChecks are the checks of the other environments of a change: one for each,
// and one for each target that is to be built there.
func (r Report) besideChecks(now time.Time) []Check {
	var all []Check
	for _, one := range r.Beside {
		if one.Quiet && still(one) {
			continue
		}
		env := one.Plan.Request.Env
		whole := Check{Key: env, Name: checkName(one.Plan.Request, ""), Started: now, Summary: one.markdown()}
		whole.Annotations, whole.Text = one.annotations(one.Findings())
		whole.complete(Success, now)
		whole.Title = Clip(planTitle(one, r.all()), MaxTitle)
		pending := one.Plan.Pending()
		if blocked(one.Plan) {
			whole.Conclusion, pending = Failure, nil
		}
		all = append(all, whole)
		for _, t := range pending[:min(len(pending), maxTargetChecks)] {
			c := Check{
				Key: env + "/" + t.Target.Name(), Started: now, Summary: "Why: " + why(t) + "\n",
				Name:  Clip(text.InJobLog(fmt.Sprintf("%s (%s)", t.Target.Name(), env)), MaxTitle),
				Title: Clip(text.InJobLog("To build: "+plainly(t)), MaxTitle),
			}
			c.complete(Success, now)
			all = append(all, c)
		}
	}
	return all
}

// plainly is why a target is built, as a title says it.
func plainly(t hybridcore.PlannedTarget) string {
	var parts []string
	for i, r := range t.Reasons {
		if i == maxNamed {
			parts = append(parts, fmt.Sprintf("%d more", len(t.Reasons)-i))
			break
		}
		if r.Subject == "" || r.Kind == "new" {
			parts = append(parts, r.Text)
		} else {
			parts = append(parts, r.Kind+" "+r.Subject)
		}
	}
	return strings.Join(parts, ", ")
}
