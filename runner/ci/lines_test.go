// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:41Z
// Spec: openspec/specs/ci/spec.md#requirement-foreign-text-in-a-ci-log
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package ci

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestForeignLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"::error file=a,line=1::x":               ": :error file=a,line=1::x\n",
		" \t\u00a0\u2003::error::x":              " \t\u00a0\u2003: :error::x\n",
		"\u0085::error::x":                       ": :error::x\n",
		"\u200b::error::x":                       ": :error::x\n",
		"a\r::stop-commands::x":                  "a\n: :stop-commands::x\n",
		"a\r\nb\n":                               "a\nb\n",
		"\x1b[31m::error::x":                     ": :error::x\n",
		"#\x1b[0m#[error]x":                      "## [error]x\n",
		"##\u200b[error]x ###[b]":                "## [error]x ### [b]\n",
		":\x00:error::x":                         ": :error::x\n",
		"\x1b[0Ksection_start:0:x\r\x1b[0Kowned": "section_start :0:x\nowned\n",
		"section_end:0:x":                        "section_end :0:x\n",
		strings.Repeat("a", maxLine+5) + "\nb":   strings.Repeat("a", maxLine) + "\naaaaa\nb\n",
		"std::vector a::b # [x]":                 "std::vector a::b # [x]\n",
		"":                                       "",
		"\n\n":                                   "\n\n",
		strings.Repeat("a", maxLine-2) + "##[error]x":  strings.Repeat("a", maxLine-2) + "##\n[error]x\n",
		strings.Repeat("a", maxLine) + "::error::x":    strings.Repeat("a", maxLine) + "\n: :error::x\n",
		"\u202egnp.exe\u2066 \xff ]8;;http://evil\x07": "gnp.exe \ufffd ]8;;http://evil\n",
	} {
		for _, size := range []int{len(text) + 1, 1, 3} {
			var out bytes.Buffer
			lines := NewLines(&out)
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if _, err := io.WriteString(lines, rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := lines.Close(); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != want {
				t.Errorf("%.60q in pieces of %d:\ngot  %.120q\nwant %.120q", text, size, got, want)
			}
		}
	}
}
