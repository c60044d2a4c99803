// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:36Z
// Spec: openspec/specs/plan/spec.md#requirement-a-plan-as-a-comment
// Diagram: openspec/specs/plan/diagram.md#two-trees

package checks

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Bounds of a Markdown answer. GitHub takes comments of 65,536 characters, which
// it counts in UTF-16 units; whoever posts one adds a marker and a link.
const (
	maxMarkdown = 60_000
	reserved    = 500 // of it, for the note about what is left out and for closing tags
	maxCode     = 160 // runes of one piece of foreign text
)

// markdown collects blocks of text up to the bound. Everything that others
// wrote must pass through code.
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

// code renders foreign text as one code span on one line, in which nothing is
// a mention, a link, a reference, HTML, the end of a table's cell, or a command
// to another bot. Text that could end the span is written in character
// references instead.
func code(text string) string {
	text = strings.Join(strings.Fields(hybridcore.Sanitize(text)), " ")
	if runes := []rune(text); len(runes) > maxCode {
		text = string(runes[:maxCode-1]) + "…"
	}
	if text == "" {
		return "–"
	}
	if plain(text) {
		return "`" + text + "`"
	}
	return "<code>" + escape(text) + "</code>"
}

// escape writes as character references what could be markup.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 0x80 || r == ' ' || isAlnum(r) || strings.ContainsRune("./-,", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// plain says whether text may stand between two backticks as it is. An @ after
// a letter or digit, as in IMAGE@PLATFORM, mentions nobody.
func plain(text string) bool {
	before := ' '
	for _, r := range text {
		if strings.ContainsRune("`|\\<>&", r) || r == '@' && !isAlnum(before) {
			return false
		}
		before = r
	}
	return true
}

func isAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// Code renders foreign text as code: each line is indented, which nothing in
// it can end.
func Code(text string) string {
	return "    " + strings.ReplaceAll(hybridcore.Sanitize(text), "\n", "\n    ") + "\n"
}
