// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:23Z
// Spec: openspec/specs/logs/spec.md#requirement-outside-text-is-sanitised
// Diagram: openspec/specs/logs/diagram.md#sinks

package text

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n":                                "plain\ttext\n",
		"\x1b[31mred\x1b[0m":                           "red",
		"\x1b[38;2;1;2;3mrgb\x1b[2J\x1b[H":             "rgb",
		"\x1b]0;title\ashown":                          "shown",
		"\x1b]8;;https://evil\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1bP1$r0m\x1b\\dcs":                          "dcs",
		"\x1b(Bcharset\x1b7\x1bM":                      "charset",
		"c1 \u009b31mred":                              "c1 red",
		"c1 osc \u009dtitle\u009cshown":                "c1 osc shown",
		"raw c1 \x9b31m":                               "raw c1 \ufffd31m",
		"nul\x00 bell\a del\x7f bs\b":                  "nul bell del bs",
		"10%\r20%\r\n":                                 "10%20%\n",
		"a\r::stop-commands::x":                        "a::stop-commands::x",
		"section_start:0:x\r\x1b[0K":                   "section_start:0:x",
		"bad \xff\xfe utf8 \xc3":                       "bad \ufffd\ufffd utf8 \ufffd",
		"kept \ufffd":                                  "kept \ufffd",
		"line\u2028sep\u2029 nel\u0085":                "linesep nel",
		"bidi \u202etxt.exe\u202c \u2066x\u2069":       "bidi txt.exe x",
		"zero\u200bwidth \ufeffbom soft\u00adhyphen":   "zerowidth bom softhyphen",
		"tags \U000e0041\U000e007f":                    "tags ",
		"Grüße 日本 👩‍👩‍👧":                               "Grüße 日本 👩‍👩‍👧",
		"unterminated \x1b]0;hides nothing\nnext":      "unterminated 0;hides nothing\nnext",
		"cut \x1b[31":                                  "cut ",
		"cut \x1b":                                     "cut ",
		"broken \x1b[3\x1b[31mx":                       "broken x",
		"sec\x1b[0mret\u200b1":                         "secret1",
	} {
		if got := Sanitize(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestSanitizePackerOutput(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text\twith tab":        "plain text\twith tab",
		"\x1b[31mred\x1b[0m":          "red",
		"\x1b[2J\x1b[1;1Hgone":        "gone",
		"\x1b]0;title\x07after":       "after",
		"\x1b]8;;http://x\x1b\\link":  "link",
		"\x1b]never ends":             "never ends",
		"\u009b31mC1":                 "C1",
		"\x1bPdcs\x1b\\x":             "x",
		"\x1b(0line":                  "line",
		"\x1bcreset":                  "reset",
		"\x1b":                        "",
		"a\x1b[":                      "a",
		"a\x00b\x07c\x7fd\u0085e":     "abcde",
		"bell\x08\x08":                "bell",
		"\xff\xfe":                    "\uFFFD\uFFFD",
		"bidi \u202egnp.exe\u2066x":   "bidi gnp.exex",
		"sep\u2028par\u2029bom\ufeff": "sepparbom",
		"öäü 日本 🙂":                    "öäü 日本 🙂",
		"\x1b[31\x1b[0mnested":        "nested",
		"\x1b[38;5;1\u00f6x":          "\u00f6x",
		"\u009dtitle\u009ctext":       "text",
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestSanitizeIsLinear(t *testing.T) {
	for _, unit := range []string{"\x1b]", "\x1b]a", "\x1bP", "\u009d", "\x1b[", "\x1b[1;", "\x1b", "\xc2", "\x1b]\n"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		start := time.Now()
		Sanitize(text)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("1 MiB of %q took %v", unit, took)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{
		"\x1b[31mred", "\x1b]0;t\a", "\u009b1m\u009d;\u009c", "\xff\x1b\xc2", "a\r\nb\u202e",
		"\x1b]0;x\x1b\\",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Sanitize(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q: invalid UTF-8 %q", s, got)
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && hidden(r) {
				t.Fatalf("%q: %U is left", s, r)
			}
		}
		if again := Sanitize(got); again != got {
			t.Fatalf("%q: not idempotent: %q, %q", s, got, again)
		}
		if strings.Count(got, "\n") != strings.Count(s, "\n") {
			t.Fatalf("%q: lines differ in %q", s, got)
		}
	})
}
