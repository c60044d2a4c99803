// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:05:00Z
// Spec: openspec/specs/hclfile/spec.md#requirement-canonical-files-are-recognised
// Diagram: openspec/specs/hclfile/diagram.md#a-file-that-is-certainly-canonical

package hclfile

import (
	"bytes"
	"unicode/utf8"
)

// Bounds of what is recognised. They are far below those of Limit, so that a
// recognised file keeps within every limit. A longer file takes the long way.
const (
	maxRecognised = 150_000 // bytes, and with that tokens
	maxOpen       = 32      // brackets, blocks and sequences that are open at once
	maxOperators  = 500     // in one argument
	maxDeepening  = 16      // conditions and unary operators in one argument
	maxArguments  = 200     // of one body
	maxDigits     = 18      // of one number
)

// Canonical says whether src is certainly in the form that hclwrite.Format
// leaves as it is, and certainly parses without a diagnostic within the limits
// of every kind of file. It knows the plain part of the language and none of
// the rest: false means that hcl has to decide. It takes a fiftieth of its time.
func Canonical(src []byte) bool {
	if len(src) == 0 || len(src) > maxRecognised || src[len(src)-1] != '\n' || bytes.IndexByte(src, '\r') >= 0 ||
		bytes.IndexByte(src, 0) >= 0 || !utf8.Valid(src) {
		return false
	}
	l := lexemes{src: src, all: make([]lexeme, 0, len(src)/4)}
	if !l.code(false) {
		return false
	}
	g := grammar{src: src, rest: l.all, lines: true}
	return g.body(0) && laidOut(src, l.all)
}

// kind is that of a lexeme: a character that stands for itself, or one of these.
type kind byte

const (
	none    kind = 0
	newline kind = '\n'
)

const (
	comment kind = utf8.RuneSelf + iota // with its line break
	ident
	wordFor
	wordIn
	wordIf
	number
	quote
	unquote
	text       // inside quotes or a heredoc
	heredoc    // the first line, with its line break
	endHeredoc // with the spaces around
	interp
	endInterp
	equal
	notEqual
	lessEqual
	moreEqual
	and
	or
	arrow
)

// lexeme is one token of a file: src[start:end].
type lexeme struct {
	kind       kind
	start, end int32
}

// lexemes makes tokens as hclsyntax does, of what it knows.
type lexemes struct {
	src  []byte
	at   int
	open int
	all  []lexeme
}

func (l *lexemes) add(k kind, size int) bool {
	l.all = append(l.all, lexeme{k, int32(l.at), int32(l.at + size)})
	l.at += size
	return true
}

// peek is the byte that many places on, or 0 behind the end.
func (l *lexemes) peek(ahead int) byte {
	if l.at+ahead < len(l.src) {
		return l.src[l.at+ahead]
	}
	return 0
}

// code reads to the end of the file, or of the sequence "${" that it is in.
func (l *lexemes) code(inside bool) bool {
	braces := 0
	for l.at < len(l.src) {
		c := l.src[l.at]
		switch {
		case c == ' ':
			l.at++
			continue
		case c == '}' && inside && braces == 0:
			return l.add(endInterp, 1)
		case c == '{':
			braces++
		case c == '}':
			braces--
		}
		if !l.token(c, inside) {
			return false
		}
	}
	return !inside
}

// token reads the token that begins with c. Inside a sequence nothing ends a line.
func (l *lexemes) token(c byte, inside bool) bool {
	switch {
	case letter(c):
		return l.word()
	case digit(c):
		return l.number()
	case c == '"':
		return l.quoted()
	case c == '\n':
		return !inside && l.add(newline, 1)
	case c == '#' || c == '/' && l.peek(1) == '/':
		return !inside && l.add(comment, bytes.IndexByte(l.src[l.at:], '\n')+1)
	case c == '<' && l.peek(1) == '<':
		return !inside && l.heredoc()
	default:
		change := bracket(kind(c))
		l.open += change
		return l.open <= maxOpen && (change != 0 && l.add(kind(c), 1) || change == 0 && l.operator(c))
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexemes) word() bool {
	n := 1
	for letter(l.peek(n)) || digit(l.peek(n)) || l.peek(n) == '-' {
		n++
	}
	if l.peek(n) >= utf8.RuneSelf { // a letter of another script may continue the name
		return false
	}
	switch string(l.src[l.at : l.at+n]) {
	case "for":
		return l.add(wordFor, n)
	case "in":
		return l.add(wordIn, n)
	case "if":
		return l.add(wordIf, n)
	default:
		return l.add(ident, n)
	}
}

func (l *lexemes) number() bool {
	n := 1
	for digit(l.peek(n)) {
		n++
	}
	if l.peek(n) == '.' && digit(l.peek(n+1)) {
		for n += 2; digit(l.peek(n)); n++ {
			continue
		}
	}
	next := l.peek(n)
	return n <= maxDigits && next != '.' && !letter(next) && next < utf8.RuneSelf && l.add(number, n)
}

// operator reads what stands between operands.
func (l *lexemes) operator(c byte) bool {
	two := string([]byte{c, l.peek(1)})
	switch two {
	case "==":
		return l.add(equal, 2)
	case "!=":
		return l.add(notEqual, 2)
	case "<=":
		return l.add(lessEqual, 2)
	case ">=":
		return l.add(moreEqual, 2)
	case "&&":
		return l.add(and, 2)
	case "||":
		return l.add(or, 2)
	case "=>":
		return l.add(arrow, 2)
	case "::", "..", "/*":
		return false
	}
	return bytes.IndexByte([]byte("=<>!+-*/%?:,."), c) >= 0 && l.add(kind(c), 1)
}

// quoted reads a string to its end, on the same line.
func (l *lexemes) quoted() bool {
	l.add(quote, 1)
	for {
		n, ok := l.literal()
		if !ok {
			return false
		}
		if n > 0 {
			l.add(text, n)
		}
		switch l.peek(0) {
		case '"':
			return l.add(unquote, 1)
		case '$':
			if !l.interp() {
				return false
			}
		default:
			return false
		}
	}
}

// literal measures the text up to the end of a string or to a sequence.
func (l *lexemes) literal() (int, bool) {
	for n := 0; ; n++ {
		switch next := l.peek(n + 1); l.peek(n) {
		case '"':
			return n, true
		case '\n', 0:
			return 0, false
		case '\\':
			if bytes.IndexByte([]byte(`nrt"\`), next) < 0 {
				return 0, false
			}
			n++
		case '$':
			if next == '{' {
				return n, true
			}
			if !plain(next) {
				return 0, false
			}
		case '%':
			if !plain(next) {
				return 0, false
			}
		}
	}
}

// plain says whether a "$" or "%" before this byte is certainly text.
func plain(c byte) bool {
	return c >= ' ' && c < utf8.RuneSelf && bytes.IndexByte([]byte(`{$%~\`), c) < 0
}

// interp reads a sequence from its "${" to its "}".
func (l *lexemes) interp() bool {
	if l.peek(2) == '~' {
		return false
	}
	l.open++
	ok := l.open <= maxOpen && l.add(interp, 2) && l.code(true)
	l.open--
	return ok
}

// heredoc reads from "<<" to the line of its marker.
func (l *lexemes) heredoc() bool {
	line := l.src[l.at : l.at+bytes.IndexByte(l.src[l.at:], '\n')]
	marker := bytes.TrimPrefix(line[2:], []byte("-"))
	if len(marker) == 0 || !letter(marker[0]) {
		return false
	}
	for _, c := range marker {
		if !letter(c) && !digit(c) {
			return false
		}
	}
	l.add(heredoc, len(line)+1)
	for l.at < len(l.src) {
		line := l.src[l.at : l.at+bytes.IndexByte(l.src[l.at:], '\n')]
		if bytes.Equal(bytes.TrimSpace(line), marker) {
			return l.add(endHeredoc, len(line)) && l.add(newline, 1)
		}
		if !l.heredocLine() {
			return false
		}
	}
	return false
}

// heredocLine reads one line of a heredoc's text.
func (l *lexemes) heredocLine() bool {
	for {
		n, ends, ok := l.heredocText()
		if ok && n > 0 {
			l.add(text, n)
		}
		if !ok || ends {
			return ok
		}
		if !l.interp() {
			return false
		}
	}
}

// heredocText measures the text up to the end of the line, with its line
// break, or to a sequence.
func (l *lexemes) heredocText() (n int, ends, ok bool) {
	for ; ; n++ {
		switch next := l.peek(n + 1); l.peek(n) {
		case '\n':
			return n + 1, true, true
		case '$':
			if next == '{' {
				return n, false, true
			}
			if !plain(next) {
				return 0, false, false
			}
		case '%':
			if !plain(next) {
				return 0, false, false
			}
		}
	}
}
