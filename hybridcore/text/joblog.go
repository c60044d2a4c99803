// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-foreign-text-in-a-ci-log
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package text

import (
	"strings"
	"unicode"
)

// markers are what a CI system obeys wherever it stands in a line of a job's log.
var markers = strings.NewReplacer("##[", "## [", "section_start:", "section_start :", "section_end:", "section_end :")

// JobLog returns foreign text in a form in which no line is a command to a CI
// system: sanitised, with a blank put into "::" at the beginning of a line, into
// "##[" and into GitLab's section markers. A lone carriage return, which ends a
// line for GitHub's runner, becomes a line break.
//
// The runner looks for "::" after any white space, and for the older "##[" in
// the whole line (actions/runner, ActionCommand.cs).
func JobLog(s string) string {
	if !strings.ContainsAny(s, "\r:#") {
		return Sanitize(s)
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(markers.Replace(Sanitize(s)), "\n")
	for i, line := range lines {
		if rest := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(rest, "::") {
			lines[i] = line[:len(line)-len(rest)] + ": :" + rest[len("::"):]
		}
	}
	return strings.Join(lines, "\n")
}

// InJobLog is JobLog for text within a line, behind words of ours: there "::" is no command.
func InJobLog(s string) string { return markers.Replace(Line(s)) }
