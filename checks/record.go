// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:10Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// WriteRecord prints the report of a run: a table of all targets, what each
// left and why one failed, and where the record is kept; an empty where is a
// run without a record.
func WriteRecord(w io.Writer, s Style, r hybridcore.Record, where string) error {
	p := &printer{w: w, style: s}
	rows := [][]string{{"TARGET", "STATUS", "ARTIFACT", "DURATION", "LOG"}}
	for _, res := range r.Results {
		artifact := summary.ArtifactName(res.Artifact)
		rows = append(rows, []string{res.Target, string(res.Status), artifact, seconds(res.Duration), dash(res.Log)})
	}
	p.line("")
	p.table(rows, func(row, col int, text string) string {
		if col == 1 && row > 0 {
			return s.Status(r.Results[row-1].Status, text)
		}
		return text
	})
	for _, res := range r.Results {
		p.result(s, res)
	}
	for _, one := range r.Parity {
		p.parity(s, one)
	}
	p.line("")
	if r.Release != nil {
		p.line("release %s of %s in artifacts/release.json", text.InJobLog(r.Release.Name), text.InJobLog(r.Release.Env))
	}
	if where != "" {
		p.line("record  %s in %s (packer-hybrid inspect %s)", r.RunID, where, r.RunID)
	}
	p.line("%s in %s: %s", r.Request.Action, seconds(r.Duration), summary.Counts(r.Results))
	return p.err
}

// result prints what is worth knowing of one target beyond its row.
func (p *printer) result(s Style, res hybridcore.Result) {
	var lines [][2]string
	if len(res.Inputs) > 0 && res.Status == hybridcore.Built {
		lines = append(lines, [2]string{"inputs", inputs(res)})
	}
	lines = append(lines, res.Provenance.Lines()...)
	if res.Artifact != nil {
		for _, u := range res.Artifact.URIs {
			lines = append(lines, [2]string{u.Kind, u.ID + "  " + u.Name})
		}
	}
	for _, note := range res.Notes {
		kind, text, ok := strings.Cut(note, ": ")
		if !ok {
			kind, text = "note", note
		}
		lines = append(lines, [2]string{kind, text})
	}
	if res.Inventory != nil {
		lines = append(lines, [2]string{
			"inventory",
			fmt.Sprintf("%d packages  %s", res.Inventory.Packages, res.Inventory.File),
		})
	}
	if len(lines) == 0 && res.Failure == nil && len(res.Findings) == 0 {
		return
	}
	p.line("")
	p.line("%s  %s", res.Target, s.Status(res.Status, string(res.Status)))
	width := 0
	for _, l := range lines {
		width = max(width, len(l[0]))
	}
	for _, l := range lines {
		p.line("  %-*s  %s", width, l[0], l[1])
	}
	for _, f := range res.Findings {
		p.line("  %s %s", s.severity(f.Severity), indent(f.String(), "  "))
	}
	if res.Failure != nil {
		p.failure(s, *res.Failure)
	}
}

// inputs says what a target was built from.
func inputs(res hybridcore.Result) string {
	files, variables := 0, 0
	for key := range res.Inputs {
		switch kind, _, _ := strings.Cut(key, ":"); kind {
		case "file":
			files++
		case "var":
			variables++
		}
	}
	return fmt.Sprintf("%d files of templates/ and %d variables, sha256 %.12s", files, variables, res.Digest)
}

func (p *printer) failure(s Style, f hybridcore.Failure) {
	if f.Step != "" {
		p.line("  step   %s", f.Step)
	}
	if f.File != "" {
		p.line("  file   %s", f.File)
	}
	p.line("  cause  %s", s.Red(indent(f.Message, "         ")))
	if len(f.Tail) == 0 {
		return
	}
	p.line("  last lines")
	for _, l := range f.Tail {
		p.line("    %s %s", s.Dim("|"), l)
	}
}

func seconds(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func indent(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }
