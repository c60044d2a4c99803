// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:55:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/summary"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// parity adds the comparison of one image: what nobody expects first.
func (m *markdown) parity(one hybridcore.Parity) {
	n := len(one.Unexpected) + one.Unlisted
	end := fmt.Sprintf("✅ Parity of %s: identical in what is compared, but for %s", htmlCode(one.Image),
		summary.Plural(summary.Keys(one), "expected key"))
	switch {
	case one.Blocked() && n == 0 && len(one.Manifests) > 0:
		end = fmt.Sprintf("⛔ Parity of %s: <b>blocked by findings</b>", htmlCode(one.Image))
	case one.Blocked() && n == 0:
		end = fmt.Sprintf("⛔ Parity of %s: <b>not compared</b>", htmlCode(one.Image))
	case one.Blocked() && one.Uncompared():
		end = fmt.Sprintf("⛔ Parity of %s: <b>not compared in full</b>", htmlCode(one.Image))
	case one.Blocked():
		end = fmt.Sprintf("⛔ Parity of %s: <b>%s</b>", htmlCode(one.Image), summary.Plural(n, "unexpected difference"))
	case n > 0:
		end = fmt.Sprintf("⚠️ Parity of %s: %s", htmlCode(one.Image), summary.Plural(n, "unexpected difference"))
	}
	m.folded(end, func() {
		m.unexpected(one)
		if rows := summary.PairRows(one); len(one.Manifests) > 1 {
			for _, row := range rows[1 : len(rows)-1] {
				row[0] = text.Code(row[0])
			}
			rows[0][0] = "Category"
			m.table(rows[0], rows[1:])
		}
		for _, said := range summary.Scope(one) {
			m.add("\n%s", text.Code(said))
		}
	})
}

// broken names some of the keys that differ, as the beginning of a sentence.
func broken(all []hybridcore.Parity) string {
	var names []string
	n, cannot := 0, true
	for _, one := range all {
		if !one.Blocked() {
			continue
		}
		cannot = cannot && len(one.Manifests) == 0
		keys := summary.ByKey(one.Unexpected)
		for _, d := range keys[:min(len(keys), max(0, maxNamed-len(names)))] {
			names = append(names, text.Code(d.Category+" "+d.Key))
		}
		n += len(keys) + one.Unlisted
	}
	if n == 0 && !cannot {
		return "findings about their guests block images of one recipe;"
	}
	if n == 0 {
		return "images of one recipe could not be compared;"
	}
	text := strings.Join(names, ", ")
	if more := n - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + " differ between platforms where nobody expects it;"
}

// unexpected lists the unexpected keys, a group behind the other, the first of
// each with the values of the platforms and the likely cause.
func (m *markdown) unexpected(one hybridcore.Parity) {
	groups, beyond := summary.Groups(one)
	if len(groups) > 0 {
		m.add("")
	}
	for _, g := range groups {
		for _, d := range g.Shown {
			for _, line := range differenceLines(d) {
				m.add("%s", line)
			}
		}
		if rest := g.Rest(); rest != "" {
			m.add("- %s", text.Code(rest))
		}
	}
	if n := beyond + one.Unlisted; n > 0 {
		m.add("\n%d more; %s lists them.", n, text.Code("packer-hybrid parity "+one.Image+" --output json"))
	}
}

func differenceLines(d summary.Differing) []string {
	var parts []string
	for _, p := range hybridcore.PlatformNames() {
		if value, differs := d.Values[hybridcore.Platform(p)]; differs {
			said := "none"
			if value != "" {
				said = text.Code(summary.ShortDigest(value))
			}
			parts = append(parts, p+" "+said)
		}
	}
	name := text.Code(d.Category + " " + d.Key)
	if !d.Compared() {
		name = "not compared: " + text.Code(d.Category)
	}
	lines := []string{fmt.Sprintf("- %s: %s", name, strings.Join(parts, ", "))}
	if d.Cause != "" {
		lines = append(lines, "  - likely cause: "+text.Code(d.Cause))
	}
	return lines
}
