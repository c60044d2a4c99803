// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:04:00Z
// Spec: openspec/specs/logs/spec.md#requirement-escapes-are-undone
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

func TestUndo(t *testing.T) {
	for text, want := range map[string]string{
		`\\ \/ \" \' \$ \& \  \n\r\t`:             "\\ / \" ' $ &   \n\r\t",
		`\x41\xf6\101\377\u00f6\u65e5`:            "A\xf6A\xffö日",
		`\ud83d\udd11 \U0001f511 \u{1F511}`:       "🔑 🔑 🔑",
		`\ud83d \ud83d\u0041 \udd11`:              "\ufffd \ufffdA \ufffd",
		`\a \e \x4 \xg1 \u12 \U1234 \401 \18`:     `\a \e \x4 \xg1 \u12 \U1234 \401 \18`,
		`\u{} \u{12 \u{g} \x{000000041}`:          `\u{} \u{12 \u{g} \x{000000041}`,
		`\\\\u0041\\\u0041`:                       `\\u0041\A`,
		"%41%c3%B6%25%4":                          "Aö%%4",
		"%%41 %4g %":                              "%A %4g %",
		"&amp;&lt;&quot;&apos;&sol;&ouml;":        "&<\"'/ö",
		"&#39;&#039;&#0000039;&#x27;&#X00027;":    "'''''",
		"&#000000000039; &amp &#39 &; &#; &zzzz;": "&#000000000039; &amp &#39 &; &#; &zzzz;",
		"$$ $$$ ${x}":                             "$ $$ ${x}",
		"`$x`n``\"`\"":                            "$x\n`\"\"",
		"`code`":                                  "`code`",
	} {
		kind := strings.IndexByte(escapeBytes, text[strings.IndexAny(text, escapeBytes)])
		var l layer
		if l.undo([]byte(text), nil, kind, true); string(l.text) != want {
			t.Errorf("%q means %q, want %q", text, l.text, want)
		}
		for i, from := range l.from {
			if to := l.to[i]; to <= from || to-from > maxEscape || i > 0 && from < l.from[i-1] {
				t.Errorf("%q: byte %d is of %d to %d", text, i, from, to)
			}
		}
		for cut := range len(text) { // a part is undone alike when the rest is not yet seen
			var part, rest layer
			_, end := part.undo([]byte(text[:cut]), nil, kind, false)
			rest.undo([]byte(text[end:]), nil, kind, true)
			if got := string(part.text) + string(rest.text); got != want || cut-end > maxEscape {
				t.Errorf("%q cut at %d, from %d on, means %q, want %q", text, cut, end, got, want)
			}
		}
	}
}

// TestEscapedValuesCutEverywhere cuts escaped values, also in and around another encoding, at every byte.
func TestEscapedValuesCutEverywhere(t *testing.T) {
	secrets := []Secret{{"A", `p@s,w"o'r\d$x&1/`}, {"B", "Schlüssel-日🔑"}, {"C", "one lin\ntwo"}}
	r, _ := New(secrets...)
	list := encodings()
	outer := []encoding{list[0], list[1], list[7], list[11], list[14], list[22], list[len(list)-1]}
	for _, s := range secrets {
		for _, e := range escapeEncodings() {
			for _, o := range outer {
				for _, pair := range [2][2]encoding{{e, o}, {o, e}} {
					text := "x " + pair[0].encode("yz "+pair[1].encode("vw "+s.Value+" vw")+" yz") + " x\n"
					out := cuts(t, r, text)
					run := sample{s.Value, pair[1], pair[0]}.leak(out)
					if run != "" || !strings.Contains(out, "<sensitive:"+s.Name) {
						t.Errorf("%q of %s in %s: %q shows %q", text, pair[1].name, pair[0].name, out, run)
					}
				}
			}
		}
	}
}

// TestEscapesAreNotHeldBack holds that a line with escapes reaches the sink before the next, and how much of hostile
// escapes is held.
func TestEscapesAreNotHeldBack(t *testing.T) {
	r, _ := New(Secret{"PW", "correct horse"})
	var out strings.Builder
	w := r.Writer(&out)
	lines := []string{`{"a":"x\ny\"z\\"}`, `C:\new\temp\`, "%20 %", "&lt;b&gt; &", "$$ $", "`$x`", "`"}
	for _, line := range lines {
		out.Reset()
		if _, err := w.Write([]byte(line + "\n")); err != nil || out.String() != line+"\n" {
			t.Errorf("after %q the sink has %q, %v", line, out.String(), err)
		}
	}
	for _, hostile := range []string{
		`\`, `\\`, `\u005c`, "%25", "&amp;", "$", "`", `\%\&`, `&#x5c;u005c`, `\u0026#92;`, "eyJ%2e", `:\/\/a`,
		`Authorization\u003a Digest `,
	} {
		for range (1 << 17) / len(hostile) {
			if _, err := w.Write([]byte(hostile)); err != nil || len(w.held) > shape.MaxHold+shape.MaxHold/8 {
				t.Fatalf("%q: %d bytes held, %v", hostile, len(w.held), err)
			}
		}
	}
}
