// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:54:24Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package process

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/drift"
	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Present prints an answer in the form that was asked for. The error is that of the request, or ends with the exit
// code of the answer.
func (s Screen) Present(r *runner.Runner, answer hybridcore.Answer, failure error) error {
	if failure != nil && answer.Record == nil { // a record beside an error is what the request came to so far
		_, findings := errors.AsType[*hybridcore.FindingsError](failure)
		if findings && answer.Plan != nil && s.Output != "json" {
			return hybridcore.Exit(hybridcore.ExitCode(failure)) // the findings of the plan are on the screen
		}
		return failure
	}
	if err := s.write(r, answer); err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	if code := answer.ExitCode(); code != hybridcore.ExitOK {
		return hybridcore.Exit(code)
	}
	return nil
}

// write prints an answer.
func (s Screen) write(r *runner.Runner, answer hybridcore.Answer) error {
	switch {
	case answer.Request != nil && answer.Request.WaiverTemplate && answer.Parity != nil:
		_, err := io.WriteString(s.Out, parity.Template(answer.Parity.Parity))
		return err //nolint:wrapcheck // of standard output
	case answer.Request != nil && answer.Request.WaiverTemplate:
		_, err := io.WriteString(s.Out, waivers.Template(answer.All()))
		return err //nolint:wrapcheck // of standard output
	case s.Matrix != "" && answer.Plan != nil:
		return s.jobs(r, *answer.Plan)
	case s.Output == "json":
		answer.Request = nil // who reads it has asked
		return s.Document(func(w io.Writer) error { return checks.WriteJSON(w, answer) })
	case s.Output == "markdown" && answer.Drift != nil:
		return report.WriteDrift(s.Out, *answer.Drift)
	case s.Output == "markdown":
		return report.WritePlan(s.Out, *answer.Plan)
	}
	return s.text(r, answer)
}

// text prints an answer for people.
func (s Screen) text(r *runner.Runner, answer hybridcore.Answer) error {
	style := s.OutStyle
	switch {
	case answer.Checked != nil:
		return checks.WriteChecked(s.Out, style, answer)
	case answer.Status != nil:
		return errors.Join(checks.WriteFindings(s.Err, s.ErrStyle, answer.Findings),
			checks.WriteStatus(s.Out, style, *answer.Status, time.Now()))
	case answer.Reaped != nil:
		return checks.WriteReaped(s.Out, style, *answer.Reaped, answer.Request.DryRun)
	case answer.Drift != nil:
		return drift.Write(s.Out, style, *answer.Drift)
	case answer.Explanation != nil:
		return checks.WriteExplanation(s.Out, style, *answer.Explanation)
	case answer.Request.Action == hybridcore.ActionInspect:
		return checks.WriteInspect(s.Out, style, *answer.Record, recordFile(r, answer.Record.RunID))
	case answer.Request.Action == hybridcore.ActionFree:
		return checks.WriteFreed(s.Out, style, *answer.Record)
	case answer.Request.Action == hybridcore.ActionParity:
		return checks.WriteParity(s.Out, style, *answer.Parity)
	case answer.Request.Action == hybridcore.ActionPlan:
		return checks.WritePlan(s.Out, style, *answer.Plan)
	}
	err := checks.WriteFindings(s.Err, s.ErrStyle, answer.Findings)
	if err == nil && answer.Record != nil {
		err = checks.WriteRecord(s.Out, style, *answer.Record, where(r, *answer.Record))
	}
	if err == nil && answer.Cached != "" {
		_, err = fmt.Fprintf(s.Out, "cached verdict of run %s: nothing changed since (--no-cache asks anew)\n", answer.Cached)
	}
	return err //nolint:wrapcheck // it names what was written
}

// where is the place of a run's record, relative to the project; empty for none.
func where(r *runner.Runner, record hybridcore.Record) string {
	switch {
	case !project.Recorded(record):
		return ""
	case record.Request.Part != "":
		return build.PartDir(record.Results[0].Target)
	}
	return recordFile(r, record.RunID)
}

// recordFile is where a run's record is, for people.
func recordFile(r *runner.Runner, run string) string {
	return r.Project.Config.State.Place(state.RecordName(run))
}

// export writes artifacts/release.json of what was released.
func (p Process) export(r *runner.Runner, answer hybridcore.Answer) error {
	if answer.Request == nil || answer.Request.Action != hybridcore.ActionPublish || answer.Record == nil ||
		answer.Record.Release == nil {
		return nil
	}
	err := p.Artifact(r.Project.Config.Root, "release.json", func(w io.Writer) error {
		return checks.WriteJSON(w, hybridcore.Answer{Release: answer.Record.Release})
	})
	if err != nil {
		return fmt.Errorf("the release is published, but artifacts/release.json is not written: %w; run publish again", err)
	}
	return nil
}

// jobs prints the jobs that would build what a plan builds, and nothing besides:
// the text is for a machine. A plan that is blocked has none.
func (s Screen) jobs(r *runner.Runner, plan hybridcore.Plan) error {
	if err := checks.WriteFindings(s.Err, s.ErrStyle, plan.Findings); err != nil {
		return err
	}
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return nil // the exit code says it
	}
	of, _ := forges.Named(s.Matrix) // check has refused others
	text, err := of.Jobs.Share(forge.Shares{Plan: &plan, Runners: r.Project.Config.CI.Runners})
	if err != nil {
		return err
	}
	return s.Document(func(w io.Writer) error { // a pipeline is none, and redacted as text
		_, err := fmt.Fprintln(w, text)
		return err //nolint:wrapcheck // of standard output
	})
}

// Screen is where a request shows its progress and its answer.
type Screen struct {
	Out, Err           io.Writer // redacted
	OutStyle, ErrStyle checks.Style
	// Live is Out, or Err when Out is for JSON, as it is: the redactor would hold a
	// live line back, and events are redacted.
	Live   io.Writer
	Output string // text, json or markdown
	// Document prints one document on standard output, redacted as one.
	Document func(render func(io.Writer) error) error
	Matrix   string // print instead the jobs that would build, in the form of a forge; empty for not
	Verbose  bool   // every line of Packer
	// Reporter hears of progress too; nil for nobody else.
	Reporter runner.Reporter
}

// check refuses a system that there is no matrix for.
func (s Screen) check(req hybridcore.Request) error {
	systems := forges.Shared()
	if s.Matrix != "" && !slices.Contains(systems, s.Matrix) {
		return hybridcore.Usagef("--matrix is %.80q: it must be %s%s", s.Matrix, strings.Join(systems, " or "),
			text.DidYouMean(s.Matrix, systems))
	}
	switch {
	case s.Matrix == "":
		return nil
	case s.Output != "text":
		return hybridcore.Usagef("--matrix has a form of its own: leave --output out")
	case req.Base != "":
		return hybridcore.Usagef("--matrix is about what would be built: leave --base out, which compares with a commit")
	}
	return nil
}
