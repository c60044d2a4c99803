// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:54:24Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// present prints an answer in the form that was asked for. The error is that of the request, or ends with the exit
// code of the answer.
func (a *app) present(r *runner.Runner, answer hybridcore.Answer, failure error) error {
	if failure != nil && answer.Record == nil { // a record beside an error is what the request came to so far
		_, findings := errors.AsType[*hybridcore.FindingsError](failure)
		if findings && answer.Plan != nil && a.Output != "json" {
			return cli.Exit(hybridcore.ExitCode(failure)) // the findings of the plan are on the screen
		}
		return failure
	}
	if err := a.write(r, answer); err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	if code := answer.ExitCode(); code != hybridcore.ExitOK {
		return cli.Exit(code)
	}
	return nil
}

// write prints an answer.
func (a *app) write(r *runner.Runner, answer hybridcore.Answer) error {
	switch {
	case a.matrix != "" && answer.Plan != nil:
		return a.fanOut(r, *answer.Plan)
	case a.Output == "json":
		answer.Request = nil // who reads it has asked
		return a.JSON(func(w io.Writer) error { return checks.WriteJSON(w, answer) })
	case a.Output == "markdown":
		return checks.WritePlanMarkdown(a.Out, *answer.Plan)
	}
	return a.text(r, answer)
}

// text prints an answer for people.
func (a *app) text(r *runner.Runner, answer hybridcore.Answer) error {
	style := a.Style(a.Raw.Out)
	switch {
	case answer.Checked != nil:
		return checks.WriteChecked(a.Out, style, answer)
	case answer.Status != nil:
		return checks.WriteStatus(a.Out, style, *answer.Status, time.Now())
	case answer.Reaped != nil:
		return checks.WriteReaped(a.Out, style, *answer.Reaped, answer.Request.DryRun)
	case answer.Explanation != nil:
		return checks.WriteExplanation(a.Out, style, *answer.Explanation)
	case answer.Request.Action == hybridcore.ActionInspect:
		return checks.WriteInspect(a.Out, style, *answer.Record, recordFile(r, answer.Record.RunID))
	case answer.Request.Action == hybridcore.ActionParity:
		return checks.WriteParity(a.Out, style, *answer.Parity)
	case answer.Request.Action == hybridcore.ActionPlan:
		return checks.WritePlan(a.Out, style, *answer.Plan)
	}
	err := checks.WriteFindings(a.Err, a.Style(a.Raw.Err), answer.Findings)
	if err == nil && answer.Record != nil {
		err = checks.WriteRecord(a.Out, style, *answer.Record, where(r, *answer.Record))
	}
	if err == nil && answer.Cached != "" {
		_, err = fmt.Fprintf(a.Out, "cached verdict of run %s: nothing changed since (--no-cache asks anew)\n", answer.Cached)
	}
	return err //nolint:wrapcheck // it names what was written
}

// where is the place of a run's record, relative to the project; empty for none.
func where(r *runner.Runner, record hybridcore.Record) string {
	switch {
	case !runner.Recorded(record):
		return ""
	case record.Request.Part != "":
		return runner.PartDir(record.Results[0].Target)
	}
	return recordFile(r, record.RunID)
}

// recordFile is where a run's record is, relative to the project.
func recordFile(r *runner.Runner, run string) string {
	return path.Join(r.Project.State.Path, state.RecordName(run))
}

// export writes artifacts/release.json of what was released.
func (a *app) export(r *runner.Runner, answer hybridcore.Answer) error {
	if answer.Request == nil || answer.Request.Action != hybridcore.ActionPublish || answer.Record == nil ||
		answer.Record.Release == nil {
		return nil
	}
	err := a.artifact(r.Project.Root, "release.json", func(w io.Writer) error {
		return checks.WriteJSON(w, hybridcore.Answer{Release: answer.Record.Release})
	})
	if err != nil {
		return fmt.Errorf("the release is published, but artifacts/release.json is not written: %w; run publish again", err)
	}
	return nil
}

// program names this build of packer-hybrid: the rules that a verdict rests on
// are part of it.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return cli.Version()
	}
	info, err := os.Stat(path)
	if err != nil {
		return cli.Version()
	}
	return fmt.Sprintf("%s %s %d %d", cli.Version(), path, info.Size(), info.ModTime().UnixNano())
}
