// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:10:00Z
// Spec: openspec/specs/reports/spec.md#requirement-checks-of-a-run
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// MaxAnnotations bounds the annotations of one check-run: five requests, and
// more than anybody reads.
const MaxAnnotations = 250

// Bounds of a finding's texts, in runes. GitHub takes 255 and 64 KB.
const (
	MaxTitle   = 200
	MaxMessage = 2000
)

// checkName is what branch rules name: action, environment and target only. A
// plan that is fine must not stand for a validation that is not. A build is a
// build on however many machines.
func checkName(req hybridcore.Request, target string) string {
	action := req.Action
	if action == hybridcore.ActionCollect {
		action = hybridcore.ActionBuild
	}
	name := fmt.Sprintf("packer-hybrid %s %s", action, req.Env)
	if target != "" {
		name += "/" + target
	}
	return Clip(text.InJobLog(name), MaxTitle)
}

// Checks renders the checks of a run at a moment: before its end, when the
// report has no record, they are queued and the run's own is in progress. A
// plan has the run's own only, and that is completed.
func Checks(r Report, now time.Time) []Check {
	req := r.Plan.Request
	whole := Check{Name: checkName(req, ""), Started: now, Summary: r.markdown()}
	whole.Annotations, whole.Text = r.annotations(r.Findings())
	planned := r.Record == nil && req.Action == hybridcore.ActionPlan
	switch {
	case r.Drift != nil:
		whole.drifted(*r.Drift, now)
		return []Check{whole}
	case r.Record != nil:
		return r.completed(whole, now)
	case planned || blocked(r.Plan):
		whole.complete(Success, now)
		whole.Title = Clip(planTitle(r, r.all()), MaxTitle)
		if blocked(r.Plan) {
			whole.Conclusion = Failure
		}
		return append([]Check{whole}, r.besideChecks(now)...)
	}
	whole.Status, whole.Title = CheckRunning, summary.Plural(len(r.Plan.Pending()), "target")+" to do"
	whole.Annotations = nil
	all := []Check{whole}
	for _, t := range r.Plan.Pending() {
		all = append(all, Check{
			Key: t.Target.Name(), Name: checkName(req, t.Target.Name()), Status: CheckQueued, Title: "Waiting",
			Summary: "Why: " + why(t) + "\n", Started: now,
		})
	}
	return all
}

// Running renders the check of a target that does a step.
func Running(req hybridcore.Request, e hybridcore.Event) Check {
	return Check{
		Key: e.Target, Name: checkName(req, e.Target), Status: CheckRunning, Title: Clip(text.InJobLog(e.Text), MaxTitle),
		Summary: fmt.Sprintf("%s after %s.\n", text.Code(e.Text), took(e.Elapsed)), Started: e.At.Add(-e.Elapsed),
	}
}

func (c *Check) complete(conclusion string, at time.Time) {
	c.Status, c.Conclusion, c.Completed = CheckCompleted, conclusion, at
}

// markdown is the report as text; writing to memory cannot fail.
func (r Report) markdown() string {
	var b strings.Builder
	_ = Write(&b, r)
	return b.String()
}

// completed renders the checks of a run that is over. Targets that were to be
// built and have no result are cancelled.
func (r Report) completed(whole Check, now time.Time) []Check {
	rec := r.Record
	whole.Started = rec.At
	whole.complete(conclusion(rec.Status), now)
	whole.Title = Clip(r.outcome(), MaxTitle)
	all, ended := []Check{whole}, map[string]bool{}
	for _, res := range rec.Results {
		ended[res.Target] = true
		if res.Status != hybridcore.UnchangedDone {
			all = append(all, r.target(res, now))
		}
	}
	for _, t := range r.Plan.Pending() {
		name := t.Target.Name()
		if ended[name] {
			continue
		}
		c := Check{
			Key: name, Name: checkName(r.Plan.Request, name), Title: "Not begun",
			Summary: "The run ended before this target began.\n", Started: rec.At,
		}
		c.complete(CancelledDone, now)
		all = append(all, c)
	}
	return all
}

// target renders the check of one result.
func (r Report) target(res hybridcore.Result, now time.Time) Check {
	c := Check{Key: res.Target, Name: checkName(r.Plan.Request, res.Target), Started: res.Started}
	if c.Started.IsZero() {
		c.Started = r.Record.At
	}
	c.complete(conclusion(res.Status), now)
	if !res.Started.IsZero() {
		c.Completed = res.Started.Add(res.Duration)
	}
	m := &markdown{full: r.Full}
	m.add("**%s** after %s.", res.Status, took(res.Duration))
	if res.Artifact != nil {
		m.table(artifactHead, [][]string{artifactRow(res)})
	}
	c.Title = fmt.Sprintf("%s in %s", res.Status, took(res.Duration))
	if res.Failure != nil {
		c.Title = Clip(text.InJobLog(res.Failure.Message), MaxTitle)
		m.add("\n%s", text.Code(res.Failure.Message))
		m.failure(*res.Failure, res.Log)
	}
	for _, note := range res.Notes {
		m.add("\n- %s", text.Code(note))
	}
	m.findings(res.Findings)
	c.Annotations, c.Text = r.annotations(res.Findings)
	var b strings.Builder
	_ = m.write(&b) // to memory
	c.Summary = b.String()
	return c
}

// conclusion of a check for a status. What is blocked fails: a branch rule must not pass.
func conclusion(s hybridcore.Status) string {
	switch s {
	case hybridcore.Failed, hybridcore.BlockedStatus:
		return Failure
	case hybridcore.Cancelled:
		return CancelledDone
	default:
		return Success
	}
}

// annotations renders findings at lines, and says what it left out.
func (r Report) annotations(findings []hybridcore.Finding) (all []Annotation, note string) {
	left := 0
	for _, f := range findings {
		file := path.Join(r.Prefix, f.File)
		if f.File == "" || path.IsAbs(f.File) || !inside(file) || f.File != text.Sanitize(f.File) ||
			strings.ContainsAny(f.File, "\n\t") {
			continue
		}
		if len(all) == MaxAnnotations {
			left++
			continue
		}
		message := f.Message
		if f.Hint != "" {
			message += "\n" + f.Hint
		}
		all = append(all, Annotation{
			Path: file, Line: max(f.Line, 1), Level: level(f.Severity), Title: Clip(text.InJobLog(f.Kind), MaxTitle),
			Message: Clip(text.Sanitize(message), MaxMessage),
		})
	}
	if left > 0 {
		m := markdown{full: r.Full}
		note = fmt.Sprintf("%d of %d findings are annotations of their lines; %s.\n", len(all), len(all)+left, m.rest())
	}
	return all, note
}

// inside says whether a clean path stays in its tree.
func inside(file string) bool { return file != ".." && !strings.HasPrefix(file, "../") && file != "." }

func level(s hybridcore.Severity) string {
	switch s {
	case hybridcore.Error:
		return LevelFailure
	case hybridcore.Warning:
		return LevelWarning
	default:
		return LevelNotice
	}
}

// Clip bounds a text in runes; an empty one becomes a dash, as GitHub takes none.
func Clip(text string, most int) string {
	runes := []rune(text)
	switch {
	case len(runes) == 0:
		return "–"
	case len(runes) > most:
		return string(runes[:most-1]) + "…"
	}
	return text
}
