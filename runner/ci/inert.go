// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-foreign-text-in-a-ci-log
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package ci

import (
	"strings"
	"unicode"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Inert returns foreign text in a form in which no line is a command to a CI
// system: sanitised, with a blank put into "::" at the beginning of a line, into
// "##[" and into GitLab's section markers. A lone carriage return, which ends a
// line for GitHub's runner, becomes a line break.
//
// The runner looks for "::" after any white space, and for the older "##[" in
// the whole line (actions/runner, ActionCommand.cs).
func Inert(text string) string {
	if !strings.ContainsAny(text, "\r:#") {
		return hybridcore.Sanitize(text)
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(hybridcore.Sanitize(text), "\n")
	for i, line := range lines {
		line = strings.ReplaceAll(line, "##[", "## [")
		line = strings.ReplaceAll(line, "section_start:", "section_start :")
		line = strings.ReplaceAll(line, "section_end:", "section_end :")
		if rest := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(rest, "::") {
			line = line[:len(line)-len(rest)] + ": :" + rest[len("::"):]
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
