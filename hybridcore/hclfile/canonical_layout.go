// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:05:00Z
// Spec: openspec/specs/hclfile/spec.md#requirement-canonical-files-are-recognised
// Diagram: openspec/specs/hclfile/diagram.md#a-file-that-is-certainly-canonical

package hclfile

import (
	"slices"
	"unicode/utf8"
)

// layout follows hclwrite/format.go of hcl v2.25.0: indents, spaces between
// tokens, and columns of "=" and of comments that stand in lines above each
// other. Where that sets spaces, this compares them with those of the source.
type layout struct {
	src       []byte
	indents   []int
	assigned  column
	commented column
}

// column is a run of lines whose "=" or comment stands at one place.
type column struct {
	widths, spaces []int
}

// line adds a line to the run.
func (c *column) line(width, spaces int) {
	c.widths, c.spaces = append(c.widths, width), append(c.spaces, spaces)
}

// ends ends the run and says whether it is aligned.
func (c *column) ends() bool {
	if len(c.widths) == 0 {
		return true
	}
	widest := slices.Max(c.widths)
	for i, width := range c.widths {
		if c.spaces[i] != widest-width+1 {
			return false
		}
	}
	c.widths, c.spaces = c.widths[:0], c.spaces[:0]
	return true
}

func laidOut(src []byte, all []lexeme) bool {
	p := layout{src: src}
	for from := 0; from < len(all); {
		to := from
		for all[to].kind != newline && all[to].kind != comment {
			to++ // a file ends with a line break
		}
		to++
		start := 0
		if from > 0 {
			start = int(all[from-1].end)
		}
		if !p.line(all[from:to], start) {
			return false
		}
		from = to
	}
	return p.assigned.ends() && p.commented.ends()
}

// line checks the tokens of one line, which begins at that offset.
func (p *layout) line(lead []lexeme, start int) bool {
	var assign, note []lexeme
	if last := len(lead) - 1; last > 0 && lead[last].kind == comment {
		lead, note = lead[:last], lead[last:]
	}
	for i, x := range lead {
		if i > 0 && x.kind == '=' {
			if brackets(lead[i:]) == 0 {
				lead, assign = lead[:i], lead[i:]
			}
			break
		}
	}
	end := lead[len(lead)-1].end
	switch {
	case assign == nil && !p.assigned.ends():
		return false
	case assign != nil:
		if !ascii(p.src[start:end]) {
			return false
		}
		p.assigned.line(int(end)-start, int(assign[0].start-end))
		end = assign[len(assign)-1].end
	}
	switch {
	case note == nil && !p.commented.ends():
		return false
	case note != nil:
		if !ascii(p.src[start:end]) {
			return false
		}
		p.commented.line(int(end)-start, int(note[0].start-end))
	}
	return int(lead[0].start)-start == p.indent(lead, assign) && spaced(lead) && spaced(assign)
}

// indent is the number of spaces that a line begins with.
func (p *layout) indent(lead, assign []lexeme) int {
	if lead[0].kind == newline {
		return 0
	}
	net := brackets(lead) + brackets(assign)
	if net > 0 {
		p.indents = append(p.indents, net)
		return 2 * (len(p.indents) - 1)
	}
	for closed := -net; closed > 0 && len(p.indents) > 0; {
		last := &p.indents[len(p.indents)-1]
		if closed < *last {
			*last -= closed
			break
		}
		closed -= *last
		p.indents = p.indents[:len(p.indents)-1]
	}
	return 2 * len(p.indents)
}

// brackets is how many more brackets some tokens open than they close.
func brackets(some []lexeme) int {
	net := 0
	for _, x := range some {
		net += bracket(x.kind)
	}
	return net
}

func bracket(k kind) int {
	switch k {
	case '{', '[', '(', interp:
		return 1
	case '}', ']', ')', endInterp:
		return -1
	default:
		return 0
	}
}

func ascii(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf })
}

// spaced says whether the spaces between the tokens of one cell are right.
func spaced(cell []lexeme) bool {
	before := none
	for i := range len(cell) - 1 {
		want := int32(0)
		if spaceBetween(before, cell[i].kind, cell[i+1].kind) {
			want = 1
		}
		if cell[i+1].start-cell[i].end != want {
			return false
		}
		before = cell[i].kind
	}
	return true
}

func name(k kind) bool { return k == ident || k == wordIn || k == wordFor || k == wordIf }

// spaceBetween is spaceAfterToken of hclwrite: whether there is a space behind
// x, which stands between two others.
func spaceBetween(before, x, after kind) bool {
	switch {
	case after == newline, name(x) && after == '(', x == '.', after == '.', after == ',':
		return false
	case x == ',':
		return true
	case inText(x, after), x == endInterp && after == interp:
		return false
	case x == wordIn && name(before):
		return true
	case after == '[' && (name(x) || x == number || bracket(x) < 0), x == '!':
		return false
	case x == '-':
		return subtracts(before)
	default:
		return spaceAtBrackets(x, after)
	}
}

func spaceAtBrackets(x, after kind) bool {
	switch {
	case x == '{' || after == '}':
		return x != '{' || after != '}'
	case x == interp && after == '{', x == '}' && after == endInterp:
		return true
	default:
		return bracket(x) <= 0 && bracket(after) >= 0
	}
}

// inText says whether the place between two tokens belongs to a template.
func inText(x, after kind) bool {
	return x == text || x == quote || x == heredoc || after == text || after == unquote || after == endHeredoc
}

// subtracts says whether a "-" behind that token has an operand before it.
func subtracts(before kind) bool {
	switch before {
	case none, '(', '{', '[', '=', ':', ',', '?', '+', '*', '/', '%', '-', equal, notEqual, '>', moreEqual, '<', lessEqual, and, or, '!':
		return false
	default:
		return true
	}
}
