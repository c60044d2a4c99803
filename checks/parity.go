// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:28:05Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package checks

import (
	"fmt"
	"io"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxChanges bounds the changes that are printed; JSON has them all.
const maxChanges = 60

// WriteParity prints comparisons across platforms, then change reports.
func WriteParity(w io.Writer, s Style, r hybridcore.ParityReport) error {
	p := &printer{w: w, style: s}
	for _, one := range r.Parity {
		p.parity(s, one)
	}
	for _, note := range r.Notes {
		p.line("%s %s", s.Yellow("note:"), note)
	}
	p.changes(s, r.Changes)
	return p.err
}

// parity prints one image: the table, the manifests, what is unexpected.
func (p *printer) parity(s Style, one hybridcore.Parity) {
	p.line("")
	p.line("parity of %s", one.Image)
	if len(one.Manifests) > 1 {
		p.pairs(s, one)
	}
	p.manifests(s, one)
	p.differences(s, one)
	for _, f := range one.Findings {
		p.line("  %s %s", s.severity(f.Severity), indent(f.String(), "  "))
	}
	switch n := len(one.Unexpected) + one.Unlisted; {
	case one.Blocked() && len(one.Manifests) == 0: // the finding says why
		p.line("  %s", s.Red("blocked: not compared"))
	case one.Blocked() && n == 0:
		p.line("  %s", s.Red("blocked by the findings above"))
	case one.Blocked() && one.Uncompared():
		p.line("  %s", s.Red("blocked: not compared in full"))
	case one.Blocked():
		p.line("  %s", s.Red(fmt.Sprintf(
			"blocked: %d unexpected differences; correct them, or have them reviewed into templates/parity.hcl", n)))
	case n > 0:
		p.line("  %s", s.Yellow(fmt.Sprintf("%d unexpected differences; the policy for them is warn", n)))
	case len(one.Manifests) > 1 && hybridcore.Blocked(one.Findings) == hybridcore.NotBlocked:
		p.line("  %s", s.green(fmt.Sprintf("identical in what is compared, but for %d keys that templates/parity.hcl expects",
			summary.Keys(one))))
	}
}

// pairs prints that table.
func (p *printer) pairs(s Style, one hybridcore.Parity) {
	rows := summary.PairRows(one)
	for i := range rows {
		rows[i][0] = "  " + rows[i][0]
	}
	p.table(rows, func(row, col int, text string) string {
		switch {
		case row == 0 || col == 0:
			return text
		case strings.Contains(text, "UNEXPECTED"):
			return s.Red(text)
		default:
			return s.green(text)
		}
	})
}

// manifests prints the proof: one digest a platform.
func (p *printer) manifests(s Style, one hybridcore.Parity) {
	if len(one.Manifests) == 0 {
		return
	}
	same, comparable := true, true
	for _, m := range one.Manifests {
		same = same && m.SHA256 != "" && m.SHA256 == one.Manifests[0].SHA256
		comparable = comparable && (m.Scope == nil) == (one.Manifests[0].Scope == nil)
	}
	if len(one.Manifests) > 1 {
		p.line("")
	}
	p.line("  content manifest: packages and files without what is expected to differ")
	for _, m := range one.Manifests {
		sum := m.SHA256
		if sum == "" {
			sum = "none: the guest could not read its packages or files"
		}
		switch {
		case !comparable: // said below
		case same:
			sum = s.green(sum)
		default:
			sum = s.Red(sum)
		}
		p.line("  %-8s %s  %d packages, %d files, run %s", m.Platform, sum, m.Packages, m.Files, m.Run)
	}
	for _, said := range summary.Scope(one) {
		p.line("  %s", said)
	}
	p.line("")
}

// differences prints the unexpected keys, a group behind the other, the first
// of each with their values.
func (p *printer) differences(s Style, one hybridcore.Parity) {
	groups, beyond := summary.Groups(one)
	for _, g := range groups {
		for _, d := range g.Shown {
			p.difference(s, one, d)
		}
		if rest := g.Rest(); rest != "" {
			p.line("  %s", rest)
		}
	}
	if n := beyond + one.Unlisted; n > 0 {
		p.line("  and %d more; packer-hybrid parity %s --output json lists them", n, one.Image)
	}
	if len(one.Unexpected) > 0 {
		p.line("")
	}
}

func (p *printer) difference(s Style, one hybridcore.Parity, d summary.Differing) {
	if d.Compared() {
		p.line("  %s %s %s", s.Red("unexpected"), d.Category, d.Key)
	} else {
		p.line("  %s %s", s.Red("not compared"), d.Category)
	}
	for _, m := range one.Manifests {
		if value, differs := d.Values[m.Platform]; differs {
			p.line("    %-8s %s", m.Platform, summary.ShortDigest(dash(value)))
		}
	}
	p.line("    %-8s %s", "cause", d.Cause)
}

// changes prints change reports; what changed alike on several platforms of
// one image is one line.
func (p *printer) changes(s Style, reports []hybridcore.Changes) {
	for _, r := range reports {
		p.line("")
		p.line("%s@%s  %s → %s: %s", r.Image, r.Platform, r.From, r.To, totals(r.Counts))
	}
	order := summary.Merged(reports)
	if len(order) == 0 {
		return
	}
	p.line("")
	rows := [][]string{}
	for _, c := range order[:min(len(order), maxChanges)] {
		text := summary.ShortDigest(c.Was) + " → " + summary.ShortDigest(c.Now)
		switch {
		case c.Was == "":
			text = "added " + summary.ShortDigest(c.Now)
		case c.Now == "":
			text = "removed " + summary.ShortDigest(c.Was)
		}
		rows = append(rows, []string{c.Image, c.Category, c.Key, text, "on " + strings.Join(c.Platforms, ", ")})
	}
	p.table(rows, func(_, col int, text string) string {
		if col == 4 {
			return s.Dim(text)
		}
		return text
	})
	if more := len(order) - maxChanges; more > 0 {
		p.line("and %d more changes (--output json shows them)", more)
	}
}

func totals(counts []hybridcore.ChangeCount) string {
	if len(counts) == 0 {
		return "no change"
	}
	var parts []string
	for _, c := range counts {
		parts = append(parts, fmt.Sprintf("%s +%d -%d ~%d", c.Category, c.Added, c.Removed, c.Changed))
	}
	return strings.Join(parts, ", ")
}
