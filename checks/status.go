// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:26Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-the-state
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// WriteStatus prints what was last built, what is running and what died.
func WriteStatus(w io.Writer, s Style, st hybridcore.StatusReport, now time.Time) error {
	p := &printer{w: w, style: s}
	if len(st.Targets) == 0 {
		p.line("nothing is built yet")
	} else {
		rows := [][]string{{"ENV", "TARGET", "ARTIFACT", "AGE", "PACKAGES", "RUN"}}
		for _, key := range slices.Sorted(maps.Keys(st.Targets)) {
			current := st.Targets[key]
			env, name, _ := strings.Cut(key, "/")
			artifact, packages := summary.ArtifactName(current.Artifact), "-"
			if current.Inventory != nil {
				packages = fmt.Sprint(current.Inventory.Packages)
			}
			rows = append(rows, []string{env, name, artifact, age(now.Sub(current.At)), packages, current.RunID})
		}
		p.table(rows, func(_, _ int, text string) string { return text })
		p.labs(s, st.Targets)
		p.standIns(s, st.Targets)
		p.looks(s, st.Looks)
		for _, key := range slices.Sorted(maps.Keys(st.Targets)) {
			if name := st.Targets[key].Release; name != "" {
				p.line("released: %s is %s", key, text.InJobLog(name))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(st.Releasing)) {
		p.releasing(s, key, st.Releasing[key], now)
	}
	for _, l := range st.Running {
		p.line("%s %s for %s by %s (pid %d), run %s, phase %s; it counts as held until %s UTC and is renewed while its "+
			"holder lives",
			s.Yellow("running:"), l.Key, age(now.Sub(l.At)), l.Owner, l.PID, l.RunID, l.Phase, l.Expires.UTC().Format(
				time.DateTime))
	}
	for _, l := range st.Dead {
		if again := l.LookAgain(); !again.IsZero() {
			p.line("%s run %s of %s by %s%s %s; nothing of it is there since %s UTC; packer-hybrid reap or the next build of "+
				"this target makes sure, from %s UTC on",
				s.Yellow("settling:"), l.RunID, l.Key, l.Owner, inLab(l), l.End(), l.QuietSince.UTC().Format(
					time.DateTime), again.UTC().Format(time.DateTime))
			p.freed(l)
			continue
		}
		p.line("%s run %s of %s by %s%s %s; packer-hybrid reap removes what is left, and so does the next build of this "+
			"target",
			s.Red("interrupted:"), l.RunID, l.Key, l.Owner, inLab(l), l.End())
		p.freed(l)
	}
	return p.err
}

// freed says who took the lease from a run by hand, and why.
func (p *printer) freed(l hybridcore.Lease) {
	if l.Freed != nil {
		p.line("  its lease was released by %s at %s UTC: %s (packer-hybrid inspect %s)", text.InJobLog(l.Freed.By),
			l.Freed.At.UTC().Format(time.DateTime), text.InJobLog(l.Freed.Reason), text.InJobLog(l.Freed.RunID))
	}
}

// WriteFreed prints whose lease was released by hand, and what comes of it.
func WriteFreed(w io.Writer, s Style, r hybridcore.Record) error {
	p := &printer{w: w, style: s}
	if l := r.Freed; l != nil {
		p.line("%s the lease of %s, held by run %s of %s (host %s, process %d), is free", s.Yellow("released:"),
			text.InJobLog(l.Key), text.InJobLog(l.RunID), text.InJobLog(l.Owner), text.InJobLog(l.Host), l.PID)
		p.line("recorded as run %s: packer-hybrid inspect %s", r.RunID, r.RunID)
		p.line("what that run left on its platform is removed by packer-hybrid reap, and by the next build of this target; " +
			"if it lives after all, it learns of this when it renews its lease, and its result does not count")
	}
	return p.err
}

// looks says what the platforms have of what was built, or that nobody asked them.
func (p *printer) looks(s Style, looks map[string]hybridcore.Look) {
	if looks == nil {
		p.line("not looked at: whether the platforms still have them; --live asks them")
		return
	}
	there := 0
	for _, key := range slices.Sorted(maps.Keys(looks)) {
		switch look := looks[key]; look.Presence {
		case hybridcore.There:
			if look.Text == "" {
				there++
				continue
			}
			p.line("%s %s", s.Yellow("partly looked at:"), text.InJobLog(look.Text))
		case hybridcore.Changed:
			p.line("%s %s: %s", s.Red("changed:"), key, text.InJobLog(look.Text))
		case hybridcore.Gone:
			p.line("%s %s: %s; the next build makes it again", s.Red("gone:"), key, text.InJobLog(look.Text))
		default:
			p.line("%s %s", s.Yellow(key), text.InJobLog(look.Text))
		}
	}
	p.line("looked at: %d of %d are on their platforms as they were built", there, len(looks))
}

// labs names the images that were built in a lab: no platform has them.
func (p *printer) labs(s Style, targets map[string]hybridcore.Current) {
	for _, key := range slices.Sorted(maps.Keys(targets)) {
		if id := hybridcore.BuiltInLab(targets[key].Inputs); id != "" {
			_, platform, _ := strings.Cut(key, "@")
			p.line("%s %s was built in the lab %s, on a simulated %s: no real platform has it",
				s.Yellow("lab:"), key, text.InJobLog(id), text.InJobLog(title(platform)))
		}
	}
}

// title is the name of a platform as its vendor writes it.
func title(platform string) string {
	if known, err := hybridcore.ParsePlatform(platform); err == nil {
		return known.Info().Title
	}
	return platform
}

// standIns names the images that were not built with the real plugins, or not
// of the real system.
func (p *printer) standIns(s Style, targets map[string]hybridcore.Current) {
	for _, key := range slices.Sorted(maps.Keys(targets)) {
		for _, one := range hybridcore.StandIns(targets[key].Inputs) {
			p.line("%s %s was built with %s", s.Yellow("stand-in:"), key, text.InJobLog(one))
		}
	}
}

// releasing names a release that is not complete.
func (p *printer) releasing(s Style, key string, intent hybridcore.ReleaseIntent, now time.Time) {
	env, name, _ := strings.Cut(key, "/")
	p.line("%s release %s of %s, %s, begun %s ago by run %s, is not complete; packer-hybrid publish --env %s --release "+
		"%s completes it",
		s.Yellow("releasing:"), text.InJobLog(name), text.InJobLog(env),
		text.InJobLog(strings.Join(slices.Sorted(maps.Keys(intent.Builds)), ", ")),
		age(now.Sub(intent.At)), text.InJobLog(intent.RunID), text.InJobLog(env), text.InJobLog(name))
}

// WriteReapedOn prints what jobs did about dead runs, each on one platform.
func WriteReapedOn(w io.Writer, s Style, parts []hybridcore.ReapPart) error {
	p := &printer{w: w, style: s}
	for _, part := range parts {
		p.line("%s:", part.Platform.Info().Title)
		if part.Error != "" {
			p.line("%s %s", s.Red("error:"), indent(part.Error, ""))
		}
		if p.err == nil && (part.Error == "" || len(part.Reaped) > 0) {
			p.err = WriteReaped(w, s, part.Reaped, part.DryRun)
		}
	}
	return p.err
}

// inLab says that a run is of a lab, where alone something can be left of it.
func inLab(l hybridcore.Lease) string {
	if l.Lab == "" {
		return ""
	}
	return " in the lab " + text.InJobLog(l.Lab)
}

// WriteReaped prints what was done about dead runs.
func WriteReaped(w io.Writer, s Style, reaped []hybridcore.Reaped, dry bool) error {
	p := &printer{w: w, style: s}
	removed := s.green("removed")
	if dry {
		removed = s.Yellow("would remove")
	}
	for _, r := range reaped {
		p.line("%s  run %s by %s, started %s UTC, %s", r.Lease.Key, r.Lease.RunID, r.Lease.Owner,
			r.Lease.At.UTC().Format(time.DateTime), r.Lease.End())
		for _, u := range r.Removed {
			p.line("  %s  %s %s  %s", removed, u.Kind, u.ID, u.Name)
		}
		for _, u := range r.Kept {
			p.line("  kept     %s %s  %s: it is complete, but no record has it as built", u.Kind, u.ID, u.Name)
		}
		if r.Error != "" {
			p.line("  %s %s", s.Red("error:"), indent(r.Error, "  "))
		}
		switch {
		case r.Error != "":
		case r.Elsewhere != "":
			p.line("  not looked for: %s", text.InJobLog(r.Elsewhere))
		case !r.LookAgain.IsZero():
			p.line("  look again from %s UTC on: until then the platform may still create what the run asked for",
				r.LookAgain.UTC().Format(time.DateTime))
		case len(r.Removed)+len(r.Kept) > 0:
		case dry:
			p.line("  nothing of it is there")
		default:
			p.line("  nothing of it is left")
		}
	}
	if len(reaped) == 0 {
		p.line("no dead run: nothing to reap")
	}
	return p.err
}

// WriteInspect prints the record of one run in full.
func WriteInspect(w io.Writer, s Style, r hybridcore.Record, where string) error {
	p := &printer{w: w, style: s}
	p.line("run        %s", r.RunID)
	p.line("status     %s", s.Status(r.Status, string(r.Status)))
	p.line("request    %s --env %s", strings.TrimSpace(string(r.Request.Action)+" "+strings.Join(r.Request.Images, " ")),
		r.Request.Env)
	p.line("from       %s", strings.TrimSpace(r.Request.Origin.Kind+" "+r.Request.Origin.Actor))
	if l := r.Freed; l != nil {
		p.line("released   the lease of %s, held by run %s of %s", text.InJobLog(l.Key), text.InJobLog(l.RunID),
			text.InJobLog(l.Owner))
	}
	if r.Request.Origin.Reason != "" {
		p.line("reason     %s", text.InJobLog(r.Request.Origin.Reason))
	}
	p.line("started    %s UTC", r.At.UTC().Format(time.DateTime))
	p.line("commit     %s", dash(r.Commit))
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		p.line("version    %s %s", name, r.Versions[name])
	}
	for _, id := range labsOf(r.Results) {
		p.line("lab        %s, on simulated platforms", text.InJobLog(id))
	}
	for _, one := range standInsOf(r) {
		p.line("stand-in   %s", text.InJobLog(one))
	}
	for _, res := range r.Results {
		if len(res.Steps) == 0 {
			continue
		}
		p.line("")
		p.line("%s steps", res.Target)
		for _, step := range res.Steps {
			p.line("  %8s  %s", seconds(step.Duration), step.Name)
		}
	}
	if p.err != nil || r.Freed != nil {
		return p.err
	}
	return WriteRecord(w, s, r, where)
}

// labsOf are the labs that results are of: one, unless a record was put together.
func labsOf(results []hybridcore.Result) []string {
	var ids []string
	for _, res := range results {
		if id := hybridcore.BuiltInLab(res.Inputs); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// standInsOf are the stand-ins of a run, each once: plugins that its targets
// share, and guests.
func standInsOf(r hybridcore.Record) []string {
	all := hybridcore.StandIns(r.Versions)
	for _, res := range r.Results {
		for _, one := range hybridcore.StandIns(res.Inputs) {
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// age is a duration as people say it: 40s, 12m, 5h, 3d.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "in the future"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}
