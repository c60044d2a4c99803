// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:55:00Z
// Spec: openspec/specs/ci/spec.md#requirement-foreign-text-in-a-ci-log
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package text

import (
	"strings"
	"testing"
	"unicode"
)

// obeyed says whether GitHub's runner would take a line for a command, by the
// rules of ActionCommand.cs, or GitLab's viewer for a section.
func obeyed(line string) bool {
	return strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") ||
		strings.ContainsAny(line, "\r\x1b") || strings.Contains(line, "section_start:") ||
		strings.Contains(line, "section_end:")
}

func FuzzJobLog(f *testing.F) {
	for _, text := range []string{
		"a\r::b", "#\x1b[#[x", " \u0085::x", "section_\u200bstart:", "::::", "####[[",
		"sectionsection_start:_start:",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := JobLog(raw)
		for line := range strings.SplitSeq(got, "\n") {
			if obeyed(line) {
				t.Errorf("%q became %q, of which a line is obeyed", raw, got)
			}
		}
		if again := JobLog(got); again != got {
			t.Errorf("%q became %q, and then %q", raw, got, again)
		}
	})
}
