// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:40:00Z
// Spec: openspec/specs/reports/spec.md#requirement-foreign-text-is-inert
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	gfm "github.com/yuin/goldmark/extension/ast"
	goldmarktext "github.com/yuin/goldmark/text"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

var (
	htmlTag = regexp.MustCompile(`(?s)<(/?)([A-Za-z!?][^\s>/]*)([^>]*)>`)
	ourTag  = regexp.MustCompile(`^(details|summary|code|pre|b|sub)$`)
	// active is what GitHub and GitLab make a link, a notification or a formula of, wherever it stands in text.
	active   = regexp.MustCompile("(^|[^A-Za-z0-9`])@[A-Za-z0-9]|#[0-9]|![0-9]|GH-[0-9]|https?:|www\\.|[^\\s]@[a-z]+\\.|\\b[0-9a-f]{40}\\b|\\$|:[a-z]+:")
	botsLine = regexp.MustCompile(`(?m)^(/|@|atlantis )`)
)

// markdownText collects what a reader of Markdown sees outside of code.
type markdownText struct {
	bare strings.Builder
	code int // how many elements of code are open
	bad  []string
}

// markup reads HTML with the text in it.
func (m *markdownText) markup(source string) {
	at := 0
	for _, loc := range htmlTag.FindAllStringSubmatchIndex(source, -1) {
		m.plain(source[at:loc[0]])
		at = loc[1]
		closes, name, rest := source[loc[2]:loc[3]], source[loc[4]:loc[5]], source[loc[6]:loc[7]]
		if !ourTag.MatchString(name) || rest != "" {
			m.bad = append(m.bad, "the element "+source[loc[0]:loc[1]])
		}
		switch {
		case name != "code" && name != "pre":
		case closes == "/":
			m.code--
		default:
			m.code++
		}
	}
	m.plain(source[at:])
}

func (m *markdownText) plain(source string) {
	if m.code == 0 {
		m.bare.WriteString(html.UnescapeString(source))
	}
}

// walk visits the nodes of a document.
func (m *markdownText) walk(source []byte) func(ast.Node, bool) (ast.WalkStatus, error) {
	return func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link, *ast.Image, *ast.AutoLink, *gfm.TaskCheckBox, *gfm.Strikethrough, *ast.ThematicBreak, *ast.Blockquote, *ast.FencedCodeBlock:
			m.bad = append(m.bad, "a "+n.Kind().String())
		case *ast.Heading:
			if n.Level != 2 || n.PreviousSibling() != nil {
				m.bad = append(m.bad, "a heading that is not ours")
			}
		case *ast.CodeSpan, *ast.CodeBlock:
			return ast.WalkSkipChildren, nil
		case *ast.RawHTML:
			m.markup(string(n.Segments.Value(source)))
		case *ast.HTMLBlock:
			block := string(n.Lines().Value(source))
			if n.HasClosure() {
				block += string(n.ClosureLine.Value(source))
			}
			m.markup(block)
		case *ast.Text:
			m.plain(string(n.Segment.Value(source)))
			if n.SoftLineBreak() {
				m.plain("\n")
			}
		case *ast.Paragraph, *ast.ListItem, *gfm.TableCell:
			m.plain("\n")
		}
		return ast.WalkContinue, nil
	}
}

// checkMarkdown has a parser of GitHub's Markdown look for anything but text.
func checkMarkdown(t *testing.T, got, _ string) {
	t.Helper()
	source := []byte(got)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(goldmarktext.NewReader(source))
	m := &markdownText{}
	if err := ast.Walk(doc, m.walk(source)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range m.bad {
		t.Errorf("%s in\n%.3000s", bad, got)
	}
	if m.code != 0 {
		t.Errorf("%d elements of code stay open", m.code)
	}
	if found := active.FindString(m.bare.String()); found != "" {
		t.Errorf("%q is not in code:\n%.3000s", found, m.bare.String())
	}
	if line := botsLine.FindString(got); line != "" {
		t.Errorf("a line begins with %q", line)
	}
	checkInert(t, got, "")
}

// checkEach is checkMarkdown for several texts.
func checkEach(t *testing.T, got, _ string) {
	t.Helper()
	for one := range strings.SplitSeq(got, "\f\n") {
		checkMarkdown(t, one, "")
	}
}

// checkPlain is for text that is shown as it is, on one line.
func checkPlain(t *testing.T, got, benign string) {
	t.Helper()
	checkInert(t, got, benign)
	if strings.Count(got, "\n") != strings.Count(benign, "\n") {
		t.Errorf("a value has a line of its own: %.500q", got)
	}
}

// checkInert looks for what a terminal or a browser would obey.
func checkInert(t *testing.T, got, _ string) {
	t.Helper()
	for _, r := range got {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || text.Sanitize(string(r)) == "") {
			t.Errorf("the control or formatting character %U in %.500q", r, got)
			return
		}
	}
}

// commands are those that GitHub's runner obeys in a log, as it reads them
// (actions/runner, ActionCommand.cs).
func commands(log string) []string {
	var all []string
	stopped := ""
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(log), "\n") {
		rest := strings.TrimLeftFunc(line, unicode.IsSpace)
		name, data, found := strings.Cut(strings.TrimPrefix(rest, "::"), "::")
		switch {
		case strings.Contains(line, "##["):
			all = append(all, "##[")
		case !strings.HasPrefix(rest, "::") || !found:
		case stopped != "" && !strings.EqualFold(name, stopped):
		case stopped != "":
			stopped, all = "", append(all, "go on")
		default:
			if name, _, _ = strings.Cut(strings.ToLower(name), " "); name == "stop-commands" {
				stopped = data
			}
			all = append(all, name)
		}
	}
	return all
}

// checkRunner compares the commands with those of a harmless value.
func checkRunner(t *testing.T, got, benign string) {
	t.Helper()
	want := []string{"add-mask", "group", "stop-commands", "go on", "endgroup"}
	if all := commands(benign); len(all) < len(want) || !slices.Equal(all[:len(want)], want) {
		t.Fatalf("the reader of logs reads %q", all)
	}
	if diff := cmp.Diff(commands(benign), commands(got)); diff != "" {
		t.Error(diff)
	}
	checkInert(t, got, benign)
}

var sectionMark = regexp.MustCompile(`section_(start|end):\d+:`)

// checkSections looks for marks of sections: the two of the job, and no other.
func checkSections(t *testing.T, got, _ string) {
	t.Helper()
	if marks := sectionMark.FindAllString(got, -1); len(marks) != 2 || strings.Count(got, "\r") != 2 || strings.Count(got, "\x1b") != 4 {
		t.Errorf("the marks %q, %d returns and %d escapes", marks, strings.Count(got, "\r"), strings.Count(got, "\x1b"))
	}
	checkInert(t, strings.NewReplacer("\x1b[0K", "", "\r", "").Replace(got), "")
}

// checkHeredocs reads the outputs of a step as the runner does.
func checkHeredocs(t *testing.T, got, _ string) {
	t.Helper()
	var names []string
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, _ := strings.Cut(lines[i], "<<")
		names = append(names, name)
		for i++; i < len(lines) && lines[i] != delimiter; i++ { //nolint:revive // the value ends at its delimiter
		}
	}
	if !slices.Equal(names, []string{"plan", "record"}) && !slices.Equal(names, []string{"record"}) { // a NUL is refused
		t.Errorf("the outputs %q", names)
	}
}

// checkDotenv reads variables as GitLab does: one a line.
func checkDotenv(t *testing.T, got, _ string) {
	t.Helper()
	for line := range strings.Lines(got) {
		if name, value, _ := strings.Cut(line, "="); name != "PACKER_HYBRID_PLAN" && name != "PACKER_HYBRID_RECORD" || strings.ContainsAny(value, "$\"'`") && name != "PACKER_HYBRID_PLAN" {
			t.Errorf("the line %q", line)
		}
	}
	checkInert(t, got, "")
}

// texts are all strings of a JSON document.
func texts(value any) []string {
	var all []string
	switch v := value.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	case map[string]any:
		for key, one := range v {
			all = append(append(all, key), texts(one)...)
		}
	}
	return all
}

// checkJSON reads a report of findings, which has as many as with a harmless value.
func checkJSON(t *testing.T, got, benign string) {
	t.Helper()
	var read, want any
	if err := errors.Join(json.Unmarshal([]byte(got), &read), json.Unmarshal([]byte(benign), &want)); err != nil {
		t.Fatal(err)
	}
	if a, b := len(texts(read)), len(texts(want)); a != b {
		t.Errorf("%d texts, %d with a harmless value", a, b)
	}
	for _, one := range texts(read) {
		checkInert(t, one, "")
	}
}

// checkDocument reads the JSON of an answer, whose values are as they were.
func checkDocument(t *testing.T, got, _ string) {
	t.Helper()
	var read any
	if err := json.Unmarshal([]byte(got), &read); err != nil {
		t.Error(err)
	}
	checkInert(t, got, "")
}

// checkJUnit reads XML: the elements are those of a harmless value.
func checkJUnit(t *testing.T, got, benign string) {
	t.Helper()
	elements := func(doc string) (names []string) {
		decoder := xml.NewDecoder(strings.NewReader(doc))
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				return names
			}
			if err != nil {
				t.Fatal(err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				names = append(names, token.Name.Local)
				for _, a := range token.Attr {
					names = append(names, a.Name.Local)
					checkInert(t, a.Value, "")
				}
			case xml.CharData:
				checkInert(t, string(token), "")
			}
		}
	}
	if diff := cmp.Diff(elements(benign), elements(got)); diff != "" {
		t.Error(diff)
	}
}
