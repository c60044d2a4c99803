// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:05:00Z
// Spec: openspec/specs/hclfile/spec.md#requirement-canonical-files-are-recognised
// Diagram: openspec/specs/hclfile/diagram.md#a-file-that-is-certainly-canonical

package hclfile

import "bytes"

// grammar reads the tokens of a file as the parser of hclsyntax does. Its
// recursion is as deep as brackets are open, which the lexer bounds, and as
// deep as the counted operators.
type grammar struct {
	src       []byte
	rest      []lexeme
	lines     bool // a line break is a token, as outside round and square brackets
	operators int  // of the argument
	deepening int  // conditions and unary operators of the argument
}

// peek is the kind of the next token; none is the end of the file. A comment
// is its line break.
func (g *grammar) peek() kind {
	for len(g.rest) > 0 {
		switch k := g.rest[0].kind; {
		case k != newline && k != comment:
			return k
		case g.lines:
			return newline
		}
		g.rest = g.rest[1:]
	}
	return none
}

// take reads the next token if it is of that kind.
func (g *grammar) take(k kind) bool {
	if g.peek() != k || k == none {
		return false
	}
	g.rest = g.rest[1:]
	return true
}

// within reads with or without line breaks as tokens.
func (g *grammar) within(lines bool, read func() bool) bool {
	before := g.lines
	g.lines = lines
	ok := read()
	g.lines = before
	return ok
}

// body reads arguments and blocks up to that token.
func (g *grammar) body(end kind) bool {
	var names [][]byte
	for {
		switch g.peek() {
		case newline:
			g.take(newline)
		case ident:
			first := g.rest[0]
			g.take(ident)
			if g.peek() != '=' {
				if !g.block() {
					return false
				}
				continue
			}
			name := g.src[first.start:first.end]
			for _, other := range names {
				if bytes.Equal(name, other) {
					return false
				}
			}
			if names = append(names, name); len(names) > maxArguments || !g.argument() || !g.take(newline) {
				return false
			}
		case end:
			return end == none || g.take(end)
		default:
			return false
		}
	}
}

// block reads on behind the type of a block.
func (g *grammar) block() bool {
	for g.peek() != '{' {
		if !g.take(ident) && !g.label() {
			return false
		}
	}
	g.take('{')
	switch g.peek() {
	case newline, '}':
		return g.body('}') && g.take(newline)
	default:
		return g.take(ident) && g.peek() == '=' && g.argument() && g.take('}') && g.take(newline)
	}
}

// label reads a quoted label without anything to interpret.
func (g *grammar) label() bool {
	if len(g.rest) < 3 || g.rest[0].kind != quote || g.rest[1].kind != text || g.rest[2].kind != unquote {
		return false
	}
	if bytes.ContainsAny(g.src[g.rest[1].start:g.rest[1].end], `\$%`) {
		return false
	}
	g.rest = g.rest[3:]
	return true
}

// argument reads "=" and a value.
func (g *grammar) argument() bool {
	g.operators, g.deepening = 0, 0
	return g.take('=') && g.value()
}

func (g *grammar) value() bool {
	if g.peek() == heredoc {
		return g.template(heredoc, endHeredoc)
	}
	return g.expression()
}

func (g *grammar) expression() bool {
	for {
		if !g.operand() {
			return false
		}
		switch g.peek() {
		case equal, notEqual, '<', '>', lessEqual, moreEqual, and, or, '+', '-', '*', '/', '%':
			g.operators++
			g.take(g.peek())
		case '?':
			g.operators++
			g.deepening++
			return g.bounded() && g.take('?') && g.expression() && g.take(':') && g.expression()
		default:
			return g.bounded()
		}
	}
}

func (g *grammar) bounded() bool { return g.operators <= maxOperators && g.deepening <= maxDeepening }

// operand reads a term with what follows it: attributes and indexes.
func (g *grammar) operand() bool {
	for g.take('!') || g.take('-') {
		if g.deepening++; !g.bounded() {
			return false
		}
	}
	index := false
	switch g.peek() {
	case number:
		return g.take(number) && g.peek() != '.' && g.peek() != '['
	case quote:
		return g.template(quote, unquote) && g.peek() != '.' && g.peek() != '['
	case ident:
		g.take(ident)
		if g.peek() == '(' {
			g.take('(')
			if !g.within(false, func() bool { return g.items(')') }) {
				return false
			}
		}
		index = true
	case '(':
		g.take('(')
		index = g.within(false, func() bool { return g.expression() && g.take(')') })
	case '[':
		g.take('[')
		g.operators++
		index = g.within(false, g.list)
	case '{':
		g.take('{')
		index = g.object()
	}
	return index && g.traversals()
}

func (g *grammar) traversals() bool {
	for {
		switch g.peek() {
		case '.':
			g.take('.')
			if !g.take(ident) {
				return false
			}
		case '[':
			g.take('[')
			g.operators++
			if !g.within(false, func() bool { return g.expression() && g.take(']') }) {
				return false
			}
		default:
			return true
		}
	}
}

// template reads a quoted string or a heredoc.
func (g *grammar) template(open, end kind) bool {
	g.take(open)
	for {
		switch g.peek() {
		case text:
			g.take(text)
		case interp:
			g.take(interp)
			if !g.within(false, func() bool { return g.expression() && g.take(endInterp) }) {
				return false
			}
		default:
			return g.take(end)
		}
	}
}

// items reads expressions between commas up to a closing bracket.
func (g *grammar) items(end kind) bool {
	for !g.take(end) {
		if !g.expression() || !g.take(',') && g.peek() != end {
			return false
		}
	}
	return true
}

func (g *grammar) list() bool {
	if g.peek() == wordFor {
		return g.loop(']')
	}
	return g.items(']')
}

// loop reads a for expression from its first word to its bracket.
func (g *grammar) loop(end kind) bool {
	ok := g.take(wordFor) && g.take(ident)
	if ok && g.take(',') {
		ok = g.take(ident)
	}
	if !ok || !g.take(wordIn) || !g.expression() || !g.take(':') || !g.expression() {
		return false
	}
	if end == '}' && (!g.take(arrow) || !g.expression()) {
		return false
	}
	return (!g.take(wordIf) || g.expression()) && g.take(end)
}

// object reads on behind its "{".
func (g *grammar) object() bool {
	start := g.rest
	loop := g.within(false, func() bool { return g.peek() == wordFor })
	if loop {
		return g.within(false, func() bool { return g.loop('}') })
	}
	g.rest = start // with its line breaks
	return g.within(true, func() bool {
		for {
			if g.take(newline) {
				continue
			}
			if g.take('}') {
				return true
			}
			key := g.take(ident) || g.peek() == quote && g.template(quote, unquote)
			if !key || !g.take('=') && !g.take(':') || !g.value() {
				return false
			}
			if !g.take(',') && g.peek() != newline && g.peek() != '}' {
				return false
			}
		}
	})
}
