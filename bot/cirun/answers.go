// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:00Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package cirun

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// OutcomeOf is what a run came to, by its answer: hostile text, as what runs in a job writes it.
func OutcomeOf(a hybridcore.Answer) Outcome {
	var out Outcome
	switch {
	case a.Record != nil && a.Request != nil && a.Request.Action == hybridcore.ActionInspect:
		out = inspected(*a.Record)
	case a.Record != nil && a.Record.Freed != nil:
		out = freedOf(*a.Record)
	case a.Record != nil:
		out = recorded(*a.Record)
	case a.Status != nil:
		out = statusOf(*a.Status)
	case a.Drift != nil:
		out = driftOf(*a.Drift)
	case a.Parity != nil:
		out = parityOf(*a.Parity)
	case a.Reaped != nil:
		out = reapedOf(a, hybridcore.ReapPart{Reaped: *a.Reaped})
	case a.ReapedOn != nil:
		out = reapedOf(a, *a.ReapedOn...)
	case len(a.Plans) > 0:
		out = plannedIn(a.Plans)
	case a.Plan != nil:
		out = plannedOf(a)
	}
	if out.Status == "" {
		out.Status = Answered
	}
	if a.Exit != nil && out.Status == Answered {
		out.Status = Ended(*a.Exit)
	}
	if out.Why == "" {
		out.Why = text.Cut(text.Sanitize(a.Error), MaxWhy)
	}
	a.Drift = nil // its findings are in the table
	for _, f := range a.All() {
		if f.Severity == hybridcore.Info {
			continue
		}
		out.note("%s: %s", f.Severity, cmp.Or(placed(f), f.Message))
	}
	return out
}

// placed is a finding with its place.
func placed(f hybridcore.Finding) string {
	switch {
	case f.File != "" && f.Line > 0:
		return f.File + ":" + strconv.Itoa(f.Line) + ": " + f.Message
	case f.File != "":
		return f.File + ": " + f.Message
	}
	return ""
}

// plannedOf is what was planned: each target that would be built first, with its reasons.
func plannedOf(a hybridcore.Answer) Outcome {
	out := Outcome{}
	plan := *a.Plan
	pending := plan.Pending()
	grid := &Grid{Columns: []string{"Target", "Plan", "Why"}}
	if a.Request != nil && a.Request.Action == hybridcore.ActionValidate {
		out.Title = "Valid"
		if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
			out.Title = "Not valid"
		}
		out.Why = fmt.Sprintf("%s of %s checked: %s", counted(len(plan.Targets), "target"), plan.Request.Env,
			counted(len(plan.Findings), "finding"))
		return out
	}
	out.Title = "Planned"
	out.Why = fmt.Sprintf("%d to build and %d unchanged in %s", len(pending), len(plan.Targets)-len(pending),
		plan.Request.Env)
	row := func(t hybridcore.PlannedTarget) {
		var why []string
		for _, reason := range t.Reasons[:min(len(t.Reasons), 3)] {
			why = append(why, reason.Text)
		}
		if more := len(t.Reasons) - 3; more > 0 {
			why = append(why, fmt.Sprintf("and %d more", more))
		}
		grid.add(t.Target.Name(), string(t.Decision), strings.Join(why, "; "))
	}
	for _, t := range pending {
		row(t)
	}
	for _, t := range plan.Targets {
		if t.Decision != hybridcore.Build {
			row(t)
		}
	}
	for _, gone := range plan.Removed {
		grid.add(hybridcore.TargetName(gone.Image, gone.Platform), "removed", gone.Text)
	}
	out.Grid = grid
	for _, one := range hybridcore.StandIns(plan.Versions) {
		out.note("stand-in: %s", one)
	}
	return out
}

// plannedIn is what was planned for several environments: what would be built in each.
func plannedIn(plans []hybridcore.EnvPlan) Outcome {
	out, grid := Outcome{Title: "Planned"}, &Grid{Columns: []string{"Target", "Plan", "Why"}}
	var said []string
	for _, one := range plans {
		if one.Plan == nil {
			said = append(said, "not planned in "+one.Env)
			out.note("%s: %s", one.Env, one.Error)
			continue
		}
		said = append(said, fmt.Sprintf("%d of %s to build in %s", len(one.Plan.Pending()),
			counted(len(one.Plan.Targets), "target"), one.Env))
		for _, t := range one.Plan.Pending() {
			var why []string
			for _, reason := range t.Reasons[:min(len(t.Reasons), 3)] {
				why = append(why, reason.Text)
			}
			grid.add(one.Env+"/"+t.Target.Name(), string(t.Decision), strings.Join(why, "; "))
		}
	}
	out.Why, out.Grid = strings.Join(said, ", "), grid
	return out
}

// statusOf is what was last built, and what is running.
func statusOf(st hybridcore.StatusReport) Outcome {
	out := Outcome{Title: "Status", Why: counted(len(st.Targets), "target") + " built"}
	if len(st.Targets) == 0 {
		out.Why = "Nothing is built yet."
	}
	grid := &Grid{Columns: []string{"Target", "Artifact", "Built", "Run", "Release"}}
	for _, key := range slices.Sorted(maps.Keys(st.Targets)) {
		current := st.Targets[key]
		grid.add(key, current.Artifact.Name(), current.At.UTC().Format("2006-01-02 15:04 UTC"), current.RunID,
			current.Release)
		if lab := hybridcore.BuiltInLab(current.Inputs); lab != "" {
			out.note("lab: %s was built in the lab %s: no real platform has it", key, lab)
		}
		for _, one := range hybridcore.StandIns(current.Inputs) {
			out.note("stand-in: %s was built with %s", key, one)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(st.Looks)) {
		if look := st.Looks[key]; look.Presence != hybridcore.There {
			out.note("%s: %s: %s", look.Presence, key, look.Text)
		}
	}
	if st.Looks == nil && len(st.Targets) > 0 {
		out.note("not looked at: whether the platforms still have them")
	}
	for _, key := range slices.Sorted(maps.Keys(st.Releasing)) {
		out.note("releasing: the release %s is not complete", key)
	}
	for _, l := range st.Running {
		out.note("running: %s since %s, run %s, phase %s", l.Key, l.At.UTC().Format(time.DateTime), l.RunID, l.Phase)
	}
	for _, l := range st.Dead {
		out.note("interrupted: run %s of %s; what it may have left is removed by reap, and by the next build", l.RunID, l.Key)
	}
	out.Grid = grid
	return out
}

// parityOf compares images.
func parityOf(report hybridcore.ParityReport) Outcome {
	out := Outcome{
		Title: "Parity", Why: fmt.Sprintf("%s of %s compared", counted(len(report.Parity), "image"), report.Env),
	}
	grid := &Grid{Columns: []string{"Image", "Platforms", "Parity", "First difference"}}
	for _, p := range report.Parity {
		var on []string
		for _, m := range p.Manifests {
			on = append(on, string(m.Platform))
		}
		first := ""
		if len(p.Unexpected) > 0 {
			first = p.Unexpected[0].Category + " " + p.Unexpected[0].Key
		}
		grid.add(p.Image, strings.Join(on, ", "), parityWord(p), first)
	}
	for _, said := range report.Notes {
		out.note("%s", said)
	}
	out.Grid = grid
	return out
}

// parityWord is how the images of a comparison differ, in a word.
func parityWord(p hybridcore.Parity) string {
	unread := slices.ContainsFunc(p.Manifests, func(m hybridcore.Manifest) bool { return m.SHA256 == "" })
	switch n := len(p.Unexpected) + p.Unlisted; {
	case p.Uncompared():
		return "not compared"
	case n > 0:
		return strconv.Itoa(n) + " unexpected"
	case p.Blocked(): // by a finding, such as a guest of another system
		return "blocked"
	case unread || len(p.Manifests) < 2:
		return "not compared"
	}
	return "identical"
}

// reapedOf is what was removed: by this run, or by jobs, each on one platform.
func reapedOf(a hybridcore.Answer, parts ...hybridcore.ReapPart) Outcome {
	grid := &Grid{Columns: []string{"Target", "Run", "Removed", "Kept", "Left"}}
	looked, not := 0, 0
	for _, part := range parts {
		if part.Error != "" {
			grid.add(string(part.Platform), "", "", "", part.Error)
		}
		for _, one := range part.Reaped {
			if grid.reaped(one); one.Elsewhere == "" {
				looked++
			} else {
				not++
			}
		}
	}
	out := Outcome{Title: "Reaped", Why: counted(looked, "interrupted run") + " looked for"}
	if not > 0 {
		out.Why += fmt.Sprintf(", %d not", not)
	}
	if a.Request != nil && a.Request.DryRun {
		out.Title, out.Why = "Reap, dry run", out.Why+"; nothing was removed"
	}
	if len(grid.Rows) > 0 {
		out.Grid = grid
	}
	return out
}

// reaped appends what was done about a run.
func (g *Grid) reaped(one hybridcore.Reaped) {
	names := func(list []hybridcore.URI) string {
		var all []string
		for _, uri := range list {
			all = append(all, uri.Kind+" "+uri.Name)
		}
		return strings.Join(all, ", ")
	}
	left := cmp.Or(one.Error, one.Elsewhere)
	if left == "" && !one.LookAgain.IsZero() {
		left = "looks again from " + one.LookAgain.UTC().Format("15:04 UTC") + " on"
	}
	g.add(one.Lease.Key, one.Lease.RunID, names(one.Removed), names(one.Kept), left)
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

// statuses are those that a record may have.
var statuses = []hybridcore.Status{
	hybridcore.Built, hybridcore.UnchangedDone, hybridcore.Validated, hybridcore.Published, hybridcore.Failed,
	hybridcore.Cancelled, hybridcore.BlockedStatus, hybridcore.FreedDone,
}

// recorded is what a run came to, by its record: the first of its targets, and how many more there are.
func recorded(rec hybridcore.Record) Outcome {
	out := Outcome{Status: rec.Status, More: max(len(rec.Results)-MaxRows, 0)}
	if !slices.Contains(statuses, rec.Status) {
		out.Status, out.Why = hybridcore.Failed, fmt.Sprintf("the run's answer has the status %.40q, which is none",
			Cell(string(rec.Status)))
	}
	parity := map[string]string{}
	for _, p := range rec.Parity {
		parity[p.Image] = parityWord(p)
	}
	for n, res := range rec.Results {
		if n < MaxRows {
			out.Targets = append(out.Targets, targetOf(res, parity[res.Image]))
		}
		if res.Failure != nil && out.Why == "" {
			out.Why = text.Cut(text.Sanitize(res.Target+": "+res.Failure.Message), MaxWhy)
			for _, one := range res.Failure.Tail[max(len(res.Failure.Tail)-MaxTail, 0):] {
				out.Tail = append(out.Tail, text.Cut(text.Sanitize(one), MaxWhy))
			}
		}
	}
	standIns := hybridcore.StandIns(rec.Versions)
	for _, res := range rec.Results { // a guest is an input of its target
		standIns = append(standIns, hybridcore.StandIns(res.Inputs)...)
	}
	slices.Sort(standIns)
	for _, one := range slices.Compact(standIns) {
		out.note("stand-in: %s", one)
	}
	return out
}

// freedOf is a lease that was released.
func freedOf(rec hybridcore.Record) Outcome {
	out := recorded(rec)
	out.Why = text.Cut(text.Line(fmt.Sprintf("the lease of %s, which run %s of %s held, is free; reap and the next build "+
		"look for what that run left", rec.Freed.Key, rec.Freed.RunID, rec.Freed.Owner)), MaxWhy)
	return out
}

// inspected is the record of another run. That it failed is no failure of who looks at it.
func inspected(rec hybridcore.Record) Outcome {
	out := recorded(rec)
	if out.Why != "" {
		out.note("%s", out.Why)
	}
	if rec.Freed != nil {
		out.note("released: the lease of %s, held by run %s: %s", rec.Freed.Key, rec.Freed.RunID, rec.Request.Origin.Reason)
	}
	out.Status, out.Title, out.Tail = Answered, "Record", nil
	out.Why = text.Cut(text.Line(fmt.Sprintf("%s, %s of %s at %s: %s", rec.RunID, rec.Request.Action, rec.Request.Env,
		rec.At.UTC().Format("2006-01-02 15:04 UTC"), rec.Status)), MaxWhy)
	return out
}

// targetOf is the row of a result.
func targetOf(res hybridcore.Result, parity string) Target {
	t := Target{
		Name: Cell(res.Target), Status: Cell(string(res.Status)), Duration: res.Duration,
		Artifact: text.Cut(text.Sanitize(res.Artifact.Name()), MaxWhy), Parity: parity, // names of artifacts are whole
	}
	if res.Failure != nil {
		t.Step = Cell(res.Failure.Step)
	}
	return t
}
