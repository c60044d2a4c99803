// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:36Z
// Spec: openspec/specs/plan/spec.md#requirement-a-plan-as-a-comment
// Diagram: openspec/specs/plan/diagram.md#two-trees

package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// Bounds of a Markdown answer. GitHub takes comments of 65,536 characters, which
// it counts in UTF-16 units; whoever posts one adds a marker and a link.
const (
	maxMarkdown = 60_000
	reserved    = 500 // of it, for the note about what is left out and for closing tags
)

// markdown collects blocks of text up to the bound. Everything that others
// wrote must pass through text.Code.
type markdown struct {
	text    strings.Builder
	units   int
	dropped int    // lines that did not fit, and of which nothing was said yet
	end     int    // bound of the section that is written; 0: that of the whole
	full    string // where everything is; empty: JSON on the command line
}

// rest says where everything is.
func (m *markdown) rest() string {
	if m.full == "" {
		return "`--output json` has all"
	}
	return "all is in " + m.full
}

func (m *markdown) limit() int {
	if m.end == 0 {
		return maxMarkdown - reserved
	}
	return m.end
}

// within bounds what body adds, and says how much of it is left out.
func (m *markdown) within(budget int, what string, body func()) {
	before, end := m.dropped, m.end
	m.end = min(m.limit(), m.units+budget)
	body()
	m.end = end
	if n := m.dropped - before; n > 0 && m.add("\n%d more %s do not fit here; %s.", n, what, m.rest()) {
		m.dropped = before
	}
}

// add appends a line when it fits.
func (m *markdown) add(format string, args ...any) bool {
	line := fmt.Sprintf(format, args...) + "\n"
	n := units(line)
	if m.units+n > m.limit() {
		m.dropped++
		return false
	}
	m.text.WriteString(line)
	m.units += n
	return true
}

// close appends what ends a section, for which there is always room.
func (m *markdown) close(line string) {
	m.text.WriteString(line + "\n")
	m.units += units(line) + 1
}

// table appends a table, or nothing when it has no rows.
func (m *markdown) table(head []string, rows [][]string) {
	if len(rows) == 0 || !m.add("\n| %s |", strings.Join(head, " | ")) {
		return
	}
	m.close("|" + strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		m.add("| %s |", strings.Join(row, " | "))
	}
}

// folded appends a section that is closed at first.
func (m *markdown) folded(summary string, body func()) {
	if !m.add("\n<details><summary>%s</summary>", summary) {
		return
	}
	body()
	m.close("\n</details>")
}

// write ends the text with what was left out and writes it.
func (m *markdown) write(w io.Writer) error {
	if m.dropped > 0 {
		m.close(fmt.Sprintf("\n%d lines do not fit here; %s.", m.dropped, m.rest()))
	}
	if _, err := io.WriteString(w, m.text.String()); err != nil {
		return fmt.Errorf("writing Markdown: %w", err)
	}
	return nil
}

// units is the length of a text as GitHub counts it.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}
