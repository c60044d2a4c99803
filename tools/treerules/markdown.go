// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-file-headers
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Heading is one heading of a Markdown document.
type Heading struct {
	Level int // number of # signs
	Text  string
	Line  int // 1-based
}

var headingLine = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`)

// Headings lists the headings of a Markdown document, without those that
// stand in fenced code.
func Headings(markdown string) []Heading {
	var found []Heading
	fence := ""
	for i, line := range strings.Split(markdown, "\n") {
		switch mark := fenceMark(line); {
		case fence == "" && mark != "":
			fence = mark
		case fence != "" && strings.HasPrefix(mark, fence):
			fence = ""
		case fence == "":
			if m := headingLine.FindStringSubmatch(line); m != nil {
				found = append(found, Heading{Level: len(m[1]), Text: m[2], Line: i + 1})
			}
		}
	}
	return found
}

// fenceMark returns the run of ` or ~ that opens or closes fenced code.
func fenceMark(line string) string {
	text := strings.TrimLeft(line, " ")
	for _, sign := range []string{"`", "~"} {
		if run := text[:len(text)-len(strings.TrimLeft(text, sign))]; len(run) >= 3 && len(line)-len(text) < 4 {
			return run
		}
	}
	return ""
}

// Anchors lists the anchors that GitHub gives the headings of a document: the
// second heading of the same text gets "-1" at its end, the third "-2".
func Anchors(markdown string) []string {
	var anchors []string
	seen := map[string]int{}
	for _, h := range Headings(markdown) {
		slug := Slug(h.Text)
		anchor := slug
		if n := seen[slug]; n > 0 {
			anchor += "-" + strconv.Itoa(n)
		}
		seen[slug]++
		anchors = append(anchors, anchor)
	}
	return anchors
}

var inlineLink = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)

// Slug makes a heading's anchor the way GitHub does: lower case, letters,
// digits, hyphens and underscores kept, blanks turned into hyphens, all else
// dropped.
func Slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(inlineLink.ReplaceAllString(heading, "$1")) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsMark(r), unicode.IsNumber(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
