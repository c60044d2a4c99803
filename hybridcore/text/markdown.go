// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:36Z
// Spec: openspec/specs/plan/spec.md#requirement-a-plan-as-a-comment
// Diagram: openspec/specs/plan/diagram.md#two-trees

package text

import (
	"fmt"
	"strings"
)

// maxCode bounds one piece of foreign text in a comment, in characters.
const maxCode = 160

// Code renders foreign text as one code span of Markdown on one line, in which nothing is
// a mention, a link, a reference, HTML, the end of a table's cell, or a command
// to another bot. Text that could end the span is written in character
// references instead.
func Code(s string) string {
	s = Cut(Line(s), maxCode)
	switch {
	case s == "":
		return "–"
	case inBackticks(s):
		return "`" + s + "`"
	}
	return "<code>" + HTML(s) + "</code>"
}

// HTML writes as character references what could be markup, of HTML or of Markdown.
func HTML(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 0x80 || r == ' ' || isAlnum(r) || strings.ContainsRune("./-,", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// inBackticks says whether text may stand between two backticks as it is. An @ after
// a letter or digit, as in IMAGE@PLATFORM, mentions nobody.
func inBackticks(s string) bool {
	before := ' '
	for _, r := range s {
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

// CodeBlock renders foreign text as lines of code in Markdown: each is indented, which nothing in
// it can end.
func CodeBlock(s string) string {
	return "    " + strings.ReplaceAll(Sanitize(s), "\n", "\n    ") + "\n"
}
