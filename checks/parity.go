// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:28:05Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package checks

import (
	"fmt"
	"io"
	"slices"
	"strings"

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
	case one.Blocked():
		p.line("  %s", s.Red(fmt.Sprintf(
			"blocked: %d unexpected differences; correct them, or have them reviewed into templates/parity.hcl", n)))
	case n > 0:
		p.line("  %s", s.Yellow(fmt.Sprintf("%d unexpected differences; the policy for them is warn", n)))
	case len(one.Manifests) > 1 && hybridcore.Blocked(one.Findings) == hybridcore.NotBlocked:
		p.line("  %s", s.green(fmt.Sprintf("identical but for %d keys that templates/parity.hcl expects", keys(one))))
	}
}

func keys(one hybridcore.Parity) int {
	all := map[string]bool{}
	for _, e := range one.Expected {
		for _, k := range e.Keys {
			all[k] = true
		}
	}
	return len(all)
}

// pairRows are a table of categories and pairs of platforms, the first row
// being its head.
func pairRows(one hybridcore.Parity) [][]string {
	rows := [][]string{{"CATEGORY"}}
	columns := map[[2]hybridcore.Platform]int{}
	for i, a := range one.Manifests {
		for _, b := range one.Manifests[i+1:] {
			columns[[2]hybridcore.Platform{a.Platform, b.Platform}] = len(rows[0])
			rows[0] = append(rows[0], fmt.Sprintf("%s = %s", a.Platform, b.Platform))
		}
	}
	line := map[string]int{}
	for _, n := range one.Pairs {
		at, known := line[n.Category]
		if !known {
			at = len(rows)
			line[n.Category] = at
			rows = append(rows, append([]string{n.Category}, slices.Repeat([]string{"equal"}, len(columns))...))
		}
		rows[at][columns[[2]hybridcore.Platform{n.A, n.B}]] = cell(n)
	}
	return append(rows, append([]string{"all others"}, slices.Repeat([]string{"equal"}, len(columns))...))
}

// pairs prints that table.
func (p *printer) pairs(s Style, one hybridcore.Parity) {
	rows := pairRows(one)
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

func cell(n hybridcore.ParityCount) string {
	switch {
	case n.Unexpected == 0:
		return fmt.Sprintf("%d expected", n.Expected)
	case n.Expected == 0:
		return fmt.Sprintf("%d UNEXPECTED", n.Unexpected)
	default:
		return fmt.Sprintf("%d UNEXPECTED, %d expected", n.Unexpected, n.Expected)
	}
}

// manifests prints the proof: one digest a platform.
func (p *printer) manifests(s Style, one hybridcore.Parity) {
	if len(one.Manifests) == 0 {
		return
	}
	same := true
	for _, m := range one.Manifests {
		same = same && m.SHA256 != "" && m.SHA256 == one.Manifests[0].SHA256
	}
	if len(one.Manifests) > 1 {
		p.line("")
	}
	p.line("  content manifest: packages and managed files without what is expected to differ")
	for _, m := range one.Manifests {
		sum := m.SHA256
		if sum == "" {
			sum = "none: the guest could not read its packages or files"
		}
		if same {
			sum = s.green(sum)
		} else {
			sum = s.Red(sum)
		}
		p.line("  %-8s %s  %d packages, %d files, run %s", m.Platform, sum, m.Packages, m.Files, m.Run)
	}
	p.line("")
}

// differing is one unexpected key with the value of every platform that is
// known to differ; an empty value says that the platform does not have it.
type differing struct {
	hybridcore.Difference

	values map[hybridcore.Platform]string
}

// byKey lists each key of unexpected differences once, in their order.
func byKey(all []hybridcore.Difference) []differing {
	var keys []differing
	for i := 0; i < len(all); {
		one := differing{all[i], map[hybridcore.Platform]string{}}
		for ; i < len(all) && all[i].Category == one.Category && all[i].Key == one.Key; i++ {
			one.values[all[i].A], one.values[all[i].B] = all[i].InA, all[i].InB
		}
		keys = append(keys, one)
	}
	return keys
}

// differences prints each unexpected key with its values.
func (p *printer) differences(s Style, one hybridcore.Parity) {
	for _, d := range byKey(one.Unexpected) {
		p.line("  %s %s %s", s.Red("unexpected"), d.Category, d.Key)
		for _, m := range one.Manifests {
			if value, differs := d.values[m.Platform]; differs {
				p.line("    %-8s %s", m.Platform, shortDigest(dash(value)))
			}
		}
		p.line("    %-8s %s", "cause", d.Cause)
	}
	if one.Unlisted > 0 {
		p.line("  and %d more", one.Unlisted)
	}
	if len(one.Unexpected) > 0 {
		p.line("")
	}
}

// shortDigest cuts the digest at the end of a file's value to what tells two apart.
func shortDigest(value string) string {
	const mark = "sha256:"
	if i := strings.LastIndex(value, mark); i >= 0 && len(value) > i+len(mark)+12 {
		return value[:i+len(mark)+12]
	}
	return value
}

// change is what changed alike on some platforms of one image.
type change struct {
	image string
	hybridcore.Change
	platforms []string
}

// merged lists what changed, by image; alike on several platforms is one.
func merged(reports []hybridcore.Changes) []change {
	type id struct {
		image string
		hybridcore.Change
	}
	at, all := map[id]int{}, []change{}
	for _, r := range reports {
		for _, c := range r.Changes {
			i, seen := at[id{r.Image, c}]
			if !seen {
				i = len(all)
				at[id{r.Image, c}] = i
				all = append(all, change{image: r.Image, Change: c})
			}
			all[i].platforms = append(all[i].platforms, string(r.Platform))
		}
	}
	slices.SortStableFunc(all, func(a, b change) int { return strings.Compare(a.image, b.image) })
	return all
}

// changes prints change reports; what changed alike on several platforms of
// one image is one line.
func (p *printer) changes(s Style, reports []hybridcore.Changes) {
	for _, r := range reports {
		p.line("")
		p.line("%s@%s  %s → %s: %s", r.Image, r.Platform, r.From, r.To, totals(r.Counts))
	}
	order := merged(reports)
	if len(order) == 0 {
		return
	}
	p.line("")
	rows := [][]string{}
	for _, c := range order[:min(len(order), maxChanges)] {
		text := shortDigest(c.Was) + " → " + shortDigest(c.Now)
		switch {
		case c.Was == "":
			text = "added " + shortDigest(c.Now)
		case c.Now == "":
			text = "removed " + shortDigest(c.Was)
		}
		rows = append(rows, []string{c.image, c.Category, c.Key, text, "on " + strings.Join(c.platforms, ", ")})
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
