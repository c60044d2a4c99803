// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:03Z
// Spec: openspec/specs/hclfile/spec.md#requirement-nesting-is-bounded-before-parsing
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// firstPrefix is how much of a file is lexed first, in bytes. A prefix that is
// too deep settles the matter at a cost of 10 MB; real files are smaller.
const firstPrefix = 16 << 10

// maxNumber is the longest number, in characters, and maxExponent the largest
// decimal exponent (that of a float64): 1e999999999 would be printed with a
// billion digits.
const (
	maxNumber   = 64
	maxExponent = 308
)

// scan bounds nesting, operators, numbers and tokens of a file and refuses
// unbalanced brackets, so that the recursion of the parser is bounded too. It
// lexes growing prefixes: a hostile file costs no more than its first part.
// With lines, a line break ends an expression outside brackets, as in a file.
func (f *File) scan(limit Limit, lines bool) []hybridcore.Finding {
	return f.scanTokens(limit, lines, hclsyntax.LexConfig)
}

// lexer is one of the modes in which hclsyntax makes tokens.
type lexer func(src []byte, name string, start hcl.Pos) (hclsyntax.Tokens, hcl.Diagnostics)

func (f *File) scanTokens(limit Limit, lines bool, lex lexer) []hybridcore.Finding {
	for size := firstPrefix; ; size *= 2 {
		whole := size >= len(f.Source)
		tokens, diags := lex(f.Source[:min(size, len(f.Source))], f.Path, hcl.InitialPos)
		if len(tokens) > limit.Tokens {
			return []hybridcore.Finding{f.Finding(hybridcore.KindSyntax, tokens[limit.Tokens].Range,
				fmt.Sprintf("the %s has more than %d tokens", limit.Kind, limit.Tokens), "split it into several files")}
		}
		if whole && diags.HasErrors() {
			return f.Diagnostics(diags)
		}
		s := scanner{file: f, limit: limit, tokens: tokens, whole: whole}
		s.push(hclsyntax.Token{}, 0, lines)
		if finding, bad := s.run(); bad {
			return []hybridcore.Finding{finding}
		}
		if whole {
			return nil
		}
	}
}

// frame is one open bracket, quote or template sequence.
type frame struct {
	open       hclsyntax.Token
	weight     int  // levels of recursion that the frame itself costs
	operands   int  // unary operators and splats of the current operand
	conditions int  // "?" of the current expression
	directives int  // open %{if} and %{for} of a template
	chain      int  // operators of the current expression
	lines      bool // a line break ends an expression
}

func (t *frame) depth() int { return t.weight + t.operands + t.conditions + t.directives }

// scanner walks the tokens once, with a stack of its own instead of recursion.
type scanner struct {
	file   *File
	limit  Limit
	tokens hclsyntax.Tokens
	whole  bool
	stack  []frame
	below  int // depth of all frames but the last
	chains int // operators of all frames but the last
	prev   hclsyntax.TokenType
}

func (s *scanner) top() *frame { return &s.stack[len(s.stack)-1] }

func (s *scanner) push(open hclsyntax.Token, weight int, lines bool) {
	if len(s.stack) > 0 {
		s.below += s.top().depth()
		s.chains += s.top().chain
	}
	s.stack = append(s.stack, frame{open: open, weight: weight, lines: lines})
}

func (s *scanner) pop() {
	s.stack = s.stack[:len(s.stack)-1]
	s.below -= s.top().depth()
	s.chains -= s.top().chain
}

// run reports the first thing that is too much or unbalanced.
func (s *scanner) run() (hybridcore.Finding, bool) {
	for i, token := range s.tokens {
		if !s.whole && token.Type == hclsyntax.TokenStar && i > 0 && s.tokens[i-1].Type == hclsyntax.TokenSlash {
			return hybridcore.Finding{}, false // a comment that the prefix cuts: what follows is text
		}
		balanced := s.token(i, token)
		if message := s.excess(token); message != "" {
			return s.file.Finding(hybridcore.KindSyntax, token.Range, message,
				"a "+s.limit.Kind+" of a project never needs that; simplify it"), true
		}
		if !balanced {
			if !s.whole {
				return hybridcore.Finding{}, false
			}
			return s.unbalanced(token), true
		}
		if token.Type != hclsyntax.TokenComment && (token.Type != hclsyntax.TokenNewline || s.top().lines) {
			s.prev = token.Type
		}
	}
	if s.whole && len(s.stack) > 1 {
		return s.unclosed(), true
	}
	return hybridcore.Finding{}, false
}

func (s *scanner) excess(token hclsyntax.Token) string {
	switch {
	case s.below+s.top().depth() > s.limit.Depth:
		return fmt.Sprintf("nesting deeper than %d", s.limit.Depth)
	case s.chains+s.top().chain > s.limit.Chain:
		return fmt.Sprintf("more than %d operators in one expression", s.limit.Chain)
	case token.Type == hclsyntax.TokenNumberLit:
		return badNumber(string(token.Bytes))
	default:
		return ""
	}
}

// token accounts for one token; false means a closing bracket without its
// opening one.
func (s *scanner) token(i int, token hclsyntax.Token) bool {
	top := s.top()
	switch token.Type {
	case hclsyntax.TokenOBrack:
		if s.next(i) == hclsyntax.TokenStar {
			top.operands++ // a splat takes the rest of the traversal by recursion
		}
		if operand(s.prev) {
			top.chain++
		}
		s.push(token, 1, false)
	case hclsyntax.TokenOBrace:
		s.push(token, 1, !s.isFor(i))
	case hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp:
		s.push(token, 1, false)
	case hclsyntax.TokenTemplateControl:
		s.directive(i)
		s.push(token, 1, false)
	case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
		s.push(token, 0, false)
	case hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenCParen,
		hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
		if len(s.stack) < 2 || !closes(top.open.Type, token.Type) {
			return false
		}
		s.pop()
	default:
		s.operator(top, token)
	}
	return true
}

// operator accounts for what is neither opening nor closing.
func (s *scanner) operator(top *frame, token hclsyntax.Token) {
	switch token.Type {
	case hclsyntax.TokenComment, hclsyntax.TokenNewline:
		// A line comment takes its line break with it.
		if top.lines && strings.HasSuffix(string(token.Bytes), "\n") {
			top.operands, top.conditions, top.chain = 0, 0, 0
		}
	case hclsyntax.TokenComma, hclsyntax.TokenEqual:
		top.operands, top.conditions, top.chain = 0, 0, 0
	case hclsyntax.TokenQuestion:
		top.conditions++
		top.chain++
		top.operands = 0
	case hclsyntax.TokenColon:
		top.operands = 0
	case hclsyntax.TokenBang:
		top.operands++
	case hclsyntax.TokenMinus:
		if operand(s.prev) {
			top.chain++
			top.operands = 0
		} else {
			top.operands++
		}
	case hclsyntax.TokenDoubleColon:
		top.chain++
	case hclsyntax.TokenStar:
		top.chain++
		if s.prev != hclsyntax.TokenDot && s.prev != hclsyntax.TokenOBrack {
			top.operands = 0
		}
	case hclsyntax.TokenPlus, hclsyntax.TokenSlash, hclsyntax.TokenPercent, hclsyntax.TokenEqualOp,
		hclsyntax.TokenNotEqual,
		hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
		hclsyntax.TokenAnd, hclsyntax.TokenOr:
		top.chain++
		top.operands = 0
	}
}

// directive accounts for %{if}, %{for} and their ends in the template around.
func (s *scanner) directive(i int) {
	if s.next(i) != hclsyntax.TokenIdent {
		return
	}
	switch string(s.tokens[s.following(i)].Bytes) {
	case "if", "for":
		s.top().directives++
	case "endif", "endfor":
		s.top().directives = max(0, s.top().directives-1)
	}
}

// following is the index of the next token that the parser looks at when it
// ignores line breaks.
func (s *scanner) following(i int) int {
	for i++; i < len(s.tokens)-1; i++ {
		if t := s.tokens[i].Type; t != hclsyntax.TokenNewline && t != hclsyntax.TokenComment {
			break
		}
	}
	return min(i, len(s.tokens)-1)
}

func (s *scanner) next(i int) hclsyntax.TokenType { return s.tokens[s.following(i)].Type }

func (s *scanner) isFor(i int) bool {
	next := s.tokens[s.following(i)]
	return next.Type == hclsyntax.TokenIdent && string(next.Bytes) == "for"
}

func (s *scanner) unbalanced(token hclsyntax.Token) hybridcore.Finding {
	message := fmt.Sprintf("%q closes nothing", token.Bytes)
	if len(s.stack) > 1 {
		open := s.top().open
		message = fmt.Sprintf("%q does not close the %q of line %d", token.Bytes, strings.TrimSpace(string(open.Bytes)),
			open.Range.Start.Line)
	}
	return s.file.Finding(hybridcore.KindSyntax, token.Range, message, "balance the brackets")
}

func (s *scanner) unclosed() hybridcore.Finding {
	open := s.top().open
	hint := "add the closing bracket"
	switch open.Type {
	case hclsyntax.TokenOQuote:
		hint = "add the closing quote"
	case hclsyntax.TokenOHeredoc:
		hint = "end the heredoc with its marker on a line of its own"
	}
	return s.file.Finding(hybridcore.KindSyntax, open.Range,
		fmt.Sprintf("%q is never closed", strings.TrimSpace(string(open.Bytes))), hint)
}

// operand says whether a token ends an operand, so that a following "-" or "["
// continues the expression.
func operand(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenCParen, hclsyntax.TokenCBrack,
		hclsyntax.TokenCBrace, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
		return true
	default:
		return false
	}
}

func closes(open, shut hclsyntax.TokenType) bool {
	switch shut {
	case hclsyntax.TokenCBrack:
		return open == hclsyntax.TokenOBrack
	case hclsyntax.TokenCBrace:
		return open == hclsyntax.TokenOBrace
	case hclsyntax.TokenCParen:
		return open == hclsyntax.TokenOParen
	case hclsyntax.TokenCQuote:
		return open == hclsyntax.TokenOQuote
	case hclsyntax.TokenCHeredoc:
		return open == hclsyntax.TokenOHeredoc
	default:
		return open == hclsyntax.TokenTemplateInterp || open == hclsyntax.TokenTemplateControl
	}
}

// badNumber says what is wrong with a number, or nothing.
func badNumber(text string) string {
	if len(text) > maxNumber {
		return fmt.Sprintf("a number of more than %d characters", maxNumber)
	}
	_, exponent, found := strings.Cut(strings.ToLower(text), "e")
	if !found {
		return ""
	}
	exponent = strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")
	if len(exponent) > 3 || len(exponent) == 3 && exponent > fmt.Sprint(maxExponent) {
		return fmt.Sprintf("the number %s has an exponent beyond ±%d", text, maxExponent)
	}
	return ""
}
