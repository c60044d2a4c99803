// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:24:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

var (
	tag     = regexp.MustCompile(`<(/?)([A-Za-z!][^\s>/]*)([^>]*)>`)
	inCode  = regexp.MustCompile(`(?s)<(code|pre)>.*?</(code|pre)>`)
	ours    = regexp.MustCompile(`^(h2|p|strong|b|table|thead|tbody|tr|th|td|code|pre|details|summary|ul|li)$`)
	mention = regexp.MustCompile(`(^|[^A-Za-z0-9])@[A-Za-z0-9]|#[0-9]|GH-[0-9]|https?:`)
)

// rendered is the HTML that a parser of GitHub's Markdown makes, with nothing
// of it filtered.
func rendered(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	if err := md.Convert([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// checkRendered fails when a parser sees anything but our own elements, or a
// mention, reference or link outside of code.
func checkRendered(t *testing.T, text string) {
	t.Helper()
	page := rendered(t, text)
	var open []string
	for _, m := range tag.FindAllStringSubmatch(page, -1) {
		switch {
		case !ours.MatchString(m[2]) || m[3] != "":
			t.Errorf("the element %s", m[0])
		case m[1] == "":
			open = append(open, m[2])
		case len(open) == 0 || open[len(open)-1] != m[2]:
			t.Errorf("</%s> ends none of %v", m[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	if bare := html.UnescapeString(inCode.ReplaceAllString(page, "X")); mention.MatchString(bare) {
		t.Errorf("a mention, reference or link: %q", mention.FindString(bare))
	}
}

// The checks by pattern in checkMarkdown may be wrong as a parser of Markdown
// is not: nothing hostile becomes an element.
func TestRenderedReportIsInert(t *testing.T) {
	t.Parallel()
	for _, r := range scenarios() {
		checkRendered(t, r.markdown())
	}
	for _, said := range append(hostile, "</pre><script>alert(1)</script>", "</summary>", "https://evil.example",
		"[x](javascript:y)", "&lt;b&gt;", "~~~\n***\n# x", "- [ ] x") {
		r := hostileReport(said)
		planned := r
		planned.Record = nil
		checkRendered(t, planned.markdown())
		checkRendered(t, r.markdown())
		for _, c := range Checks(r, at) {
			checkRendered(t, c.Summary)
		}
		page := rendered(t, r.markdown())
		if want := text.Line(said); text.Code(said) == "`"+want+"`" &&
			!strings.Contains(html.UnescapeString(page), "<code>"+want+"</code>") {
			t.Errorf("%q is not shown as it is", said)
		}
	}
}
