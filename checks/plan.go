// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:10Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-plan
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxReasons is how many reasons of one target a console plan shows; the JSON
// plan has all of them.
const maxReasons = 10

// WritePlan prints what would be done with each target, and why. Unchanged
// targets are counted; the request may ask to list them.
func WritePlan(w io.Writer, s Style, plan hybridcore.Plan) error {
	p := &printer{w: w, style: s}
	p.findings(s, plan.Findings)
	p.decisions(s, plan)
	p.beside(s, plan)
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		p.line("%s", s.Red("blocked: nothing is built before the errors above are corrected"))
		return p.err
	}
	pending := len(plan.Pending())
	end := fmt.Sprintf("plan for %s: %d to build, %d unchanged", plan.Request.Env, pending, len(plan.Targets)-pending)
	if len(plan.Removed) > 0 {
		end += fmt.Sprintf(", %d removed", len(plan.Removed))
	}
	if plan.Base != nil {
		end += fmt.Sprintf(", compared with %s (%s)", plan.Base.Revision, summary.Short(plan.Base.Commit))
	}
	p.line("%s", text.InJobLog(end))
	unseen := plan.Request.Action == hybridcore.ActionPlan && plan.Base == nil && !plan.Request.Look
	if unseen && pending < len(plan.Targets) {
		p.line("not looked at: whether the platforms still have what is unchanged; --live asks them")
	}
	return p.err
}

// decisions prints the table of targets with their reasons.
func (p *printer) decisions(s Style, plan hybridcore.Plan) {
	rows := [][]string{{"TARGET", "SOURCE", "PLAN", "WHY"}}
	decisions := []hybridcore.Decision{""}
	for _, t := range plan.Targets {
		if t.Decision == hybridcore.Unchanged && !plan.Request.All {
			continue
		}
		name, source, decision := text.InJobLog(t.Target.Name()), text.InJobLog(t.Target.Source), string(t.Decision)
		for i, r := range t.Reasons {
			text := reason(r)
			if i == maxReasons && len(t.Reasons) > maxReasons+1 {
				text = fmt.Sprintf("and %d more reasons (--output json shows all)", len(t.Reasons)-maxReasons)
			}
			rows = append(rows, []string{name, source, decision, text})
			decisions = append(decisions, t.Decision)
			if i == maxReasons {
				break
			}
			name, source, decision = "", "", ""
		}
	}
	if len(rows) == 1 {
		return
	}
	p.table(rows, func(row, col int, text string) string {
		switch {
		case row == 0 || col != 2:
			return text
		case decisions[row] == hybridcore.Build:
			return s.Yellow(text)
		default:
			return s.green(text)
		}
	})
	p.line("")
}

// beside prints what is no target of the plan, and what is known of the last builds.
func (p *printer) beside(s Style, plan hybridcore.Plan) {
	before := p.lines
	for _, r := range plan.Removed {
		p.line("%s %s: %s", s.Yellow("removed"), targetName(r.Image, r.Platform), text.InJobLog(r.Text))
	}
	for _, r := range plan.Moved {
		p.line("%s %s; no target reads it", s.Yellow("moved"), reason(r))
	}
	for _, u := range plan.Unsupported {
		p.line("not supported %s: %s (%s:%d)", targetName(u.Image, u.Platform), text.InJobLog(u.Reason),
			text.InJobLog(u.File), u.Line)
	}
	for _, g := range summary.Unchanged(plan) {
		p.line("%s %d equal to %s", s.green("unchanged"), len(g.Targets), text.InJobLog(g.String()))
	}
	n := 0
	for _, t := range plan.Pending() {
		if t.Current == nil || t.Current.Inventory == nil {
			continue
		}
		if n++; n > maxReasons {
			continue
		}
		p.line("packages %s: %d in run %s; those of a new build are known after it", text.InJobLog(t.Target.Name()),
			t.Current.Inventory.Packages, text.InJobLog(t.Current.RunID))
	}
	if n > maxReasons {
		p.line("packages of %d more targets (--output json shows them)", n-maxReasons)
	}
	if p.lines > before {
		p.line("")
	}
}

// reason is on one line: file names and values are somebody else's.
func reason(r hybridcore.Reason) string {
	said := r.Text
	switch {
	case r.File != "" && r.Line == 0:
		said += " (" + r.File + ")"
	case r.File != "":
		said += fmt.Sprintf(" (%s:%d)", r.File, r.Line)
	}
	return text.InJobLog(said)
}

func targetName(image string, platform hybridcore.Platform) string {
	return text.InJobLog(hybridcore.TargetName(image, platform))
}

// WriteFindings prints findings, one after the other.
func WriteFindings(w io.Writer, s Style, findings []hybridcore.Finding) error {
	p := &printer{w: w, style: s}
	p.findings(s, findings)
	return p.err
}

func (p *printer) findings(s Style, findings []hybridcore.Finding) {
	for _, f := range findings {
		p.line("%s %s", s.severity(f.Severity), f.String())
	}
	if len(findings) > 0 {
		p.line("")
	}
}

// WriteJSON prints an answer, indented, with a line break at the end. What a
// terminal would obey is written as \uXXXX: the values stay what they are.
func WriteJSON(w io.Writer, d hybridcore.Answer) error {
	d.FormatVersion = 1
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	if _, err := w.Write(visible(text.Bytes())); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// visible escapes the control and formatting characters that encoding/json
// leaves as they are; they are within strings only.
func visible(said []byte) []byte {
	if bytes.IndexFunc(said, func(r rune) bool { return r >= 0x7f }) < 0 {
		return said
	}
	var b bytes.Buffer
	for _, r := range string(said) {
		switch {
		case r < 0x7f || text.Sanitize(string(r)) != "":
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "\\u%04x", unit)
			}
		}
	}
	return b.Bytes()
}

// printer remembers the first write error, so that a report is written
// without a check at every line.
type printer struct {
	w     io.Writer
	style Style
	err   error
	lines int // that were printed
}

func (p *printer) line(format string, args ...any) {
	if p.err != nil {
		return
	}
	p.lines++
	_, p.err = fmt.Fprintln(p.w, strings.TrimRight(p.style.inert(fmt.Sprintf(format, args...)), " "))
}

// table prints rows in columns; paint colours a cell after it was padded.
func (p *printer) table(rows [][]string, paint func(row, col int, text string) string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		cells := slices.Clone(row)
		for i := range cells {
			if i < len(cells)-1 {
				cells[i] += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(row[i]))
			}
			cells[i] = paint(n, i, cells[i])
		}
		p.line("%s", strings.Join(cells, "  "))
	}
}
