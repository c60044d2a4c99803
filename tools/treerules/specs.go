// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-specs-and-diagrams
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

const specsDir = "openspec/specs"

// Specs reports capabilities without a spec or diagram, documents that the
// spec tool would ignore in silence, repeated requirements, and diagrams with
// labels that are not quoted.
func Specs(t *Tree) []Problem {
	var problems []Problem
	capabilities := map[string]bool{}
	for _, f := range t.Files {
		if !strings.HasPrefix(f.Path, specsDir+"/") {
			continue
		}
		dir, name := f.Dir(), path.Base(f.Path)
		capabilities[dir] = true
		switch {
		case path.Dir(dir) != specsDir || name != "spec.md" && name != "diagram.md":
			problems = append(problems, Problem{f.Path, 0, "is ignored: a capability has " + specsDir + "/NAME/spec.md and diagram.md"})
		case name == "spec.md":
			problems = append(problems, repeated(f)...)
		default:
			problems = append(problems, diagrams(f)...)
		}
	}
	if len(capabilities) == 0 {
		problems = append(problems, Problem{specsDir, 0, "holds no specs"})
	}
	for _, dir := range slices.Sorted(maps.Keys(capabilities)) {
		for _, name := range []string{"spec.md", "diagram.md"} {
			if t.Get(dir+"/"+name) == nil {
				problems = append(problems, Problem{dir + "/" + name, 0, "is missing"})
			}
		}
	}
	return problems
}

// repeated reports requirements whose anchors are not unique.
func repeated(f *File) []Problem {
	var problems []Problem
	seen := map[string]int{}
	for _, h := range Headings(f.Text) {
		if !strings.HasPrefix(h.Text, "Requirement: ") {
			continue
		}
		slug := Slug(h.Text)
		if at := seen[slug]; at > 0 {
			problems = append(problems, Problem{f.Path, h.Line, fmt.Sprintf("%q stands in line %d already", h.Text, at)})
		}
		seen[slug] = h.Line
	}
	if len(seen) == 0 {
		problems = append(problems, Problem{f.Path, 0, "has no \"### Requirement: \" heading"})
	}
	return problems
}

// diagrams checks that each section of a diagram.md draws something, with
// quoted labels.
func diagrams(f *File) []Problem {
	var problems []Problem
	lines := strings.Split(f.Text, "\n")
	var sections []Heading
	for _, h := range Headings(f.Text) {
		if h.Level == 2 {
			sections = append(sections, h)
		}
	}
	if len(sections) == 0 {
		return []Problem{{f.Path, 0, "has no \"## \" section with a diagram"}}
	}
	for i, h := range sections {
		end := len(lines)
		if i+1 < len(sections) {
			end = sections[i+1].Line - 1
		}
		drawn := 0
		for at := h.Line; at < end; at++ {
			if strings.TrimSpace(lines[at]) != "```mermaid" {
				continue
			}
			drawn++
			problems = append(problems, mermaid(f, lines, at+1)...)
		}
		if drawn != 1 {
			problems = append(problems, Problem{f.Path, h.Line, fmt.Sprintf("section %q draws %d Mermaid diagrams, not one", h.Text, drawn)})
		}
	}
	return problems
}

var (
	quoted = regexp.MustCompile(`"[^"]*"`)
	// Once quoted text is gone: bareLabel finds text in a node's brackets,
	// bareBars text between the bars of an edge, bareEdge `-- text -->`, and
	// bareGroup a group's title outside brackets.
	bareLabel = regexp.MustCompile(`[\[({]\s*[^\[\](){}/\\\s]`)
	bareBars  = regexp.MustCompile(`\|\s*[^|\s][^|]*\|`)
	bareEdge  = regexp.MustCompile(`(--|==|-\.)\s+[\pL\pN]`)
	bareGroup = regexp.MustCompile(`^\s*subgraph\s+\S+\s+[^\s\[]`)
)

// mermaid checks the labels of a flowchart that starts at a line (0-based).
// In other kinds of diagrams text needs no quotes.
func mermaid(f *File, lines []string, at int) []Problem {
	var problems []Problem
	kind, _, _ := strings.Cut(strings.TrimSpace(lines[at]), " ")
	for ; at < len(lines) && strings.TrimSpace(lines[at]) != "```"; at++ {
		line := strings.ReplaceAll(quoted.ReplaceAllString(lines[at], ""), "||", "")
		if strings.HasPrefix(strings.TrimSpace(line), "%%") || kind != "flowchart" && kind != "graph" {
			continue
		}
		if bareLabel.MatchString(line) || bareBars.MatchString(line) || bareEdge.MatchString(line) || bareGroup.MatchString(line) {
			problems = append(problems, Problem{f.Path, at + 1, fmt.Sprintf("a label is not quoted: %s", strings.TrimSpace(lines[at]))})
		}
	}
	return problems
}
