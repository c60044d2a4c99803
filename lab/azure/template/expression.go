// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package template

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxExpression is the length of an expression that Azure accepts, in characters ("Template limits" of the
// Azure Resource Manager documentation).
const maxExpression = 24576

// maxNesting bounds the nesting of calls in one expression.
const maxNesting = 64

// node is one part of a parsed expression.
type node struct {
	call    string  // function to call with args; empty: a literal, or access to of
	args    []*node // of a call
	literal any     // string or integer
	of      *node   // what is accessed
	key     *node   // property name or index
}

// parser reads one expression of the template language.
type parser struct {
	text  string
	at    int
	depth int
}

// parseExpression reads the text between the brackets of "[...]".
func parseExpression(text string) (*node, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("the expression is longer than %d characters", maxExpression)
	}
	p := &parser{text: text}
	n, err := p.expression()
	if err != nil {
		return nil, fmt.Errorf("at character %d: %w", p.at+1, err)
	}
	if p.space(); p.at != len(p.text) {
		return nil, fmt.Errorf("at character %d: expected the end of the expression", p.at+1)
	}
	return n, nil
}

// space passes over white space.
func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take passes over c if it is next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// expression reads a literal or a call, and the properties and indexes behind it.
func (p *parser) expression() (*node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("the expression is nested deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	n, err := p.primary()
	for err == nil {
		switch {
		case p.take('.'):
			name := p.word()
			if name == "" {
				return nil, errors.New("expected a property name")
			}
			n = &node{of: n, key: &node{literal: name}}
		case p.take('['):
			var key *node
			if key, err = p.expression(); err == nil && !p.take(']') {
				err = errors.New("expected ]")
			}
			n = &node{of: n, key: key}
		default:
			return n, nil
		}
	}
	return nil, err
}

// primary reads a string, an integer or a call.
func (p *parser) primary() (*node, error) {
	p.space()
	if p.at == len(p.text) {
		return nil, errors.New("the expression ends early")
	}
	c := p.text[p.at]
	if c == '\'' {
		return p.quoted()
	}
	if c == '-' || c >= '0' && c <= '9' {
		return p.number()
	}
	name := p.word()
	if name == "" {
		return nil, fmt.Errorf("unexpected %q", c)
	}
	if !p.take('(') {
		return nil, fmt.Errorf("expected ( after %s", name)
	}
	n := &node{call: name}
	if p.take(')') {
		return n, nil
	}
	for {
		arg, err := p.expression()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		if p.take(')') {
			return n, nil
		}
		if !p.take(',') {
			return nil, errors.New("expected , or )")
		}
	}
}

// word reads a name.
func (p *parser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		letter := c == '_' || c == '$' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (p.at == start || c < '0' || c > '9') {
			break
		}
		p.at++
	}
	return p.text[start:p.at]
}

// number reads an integer, the only kind of number that the language has.
func (p *parser) number() (*node, error) {
	start := p.at
	for p.at++; p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9'; {
		p.at++
	}
	value, err := strconv.Atoi(p.text[start:p.at])
	if err != nil {
		return nil, fmt.Errorf("%q is not an integer", p.text[start:p.at])
	}
	return &node{literal: value}, nil
}

// quoted reads a string; a doubled quote stands for one.
func (p *parser) quoted() (*node, error) {
	var out strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		if p.text[p.at] != '\'' {
			out.WriteByte(p.text[p.at])
			continue
		}
		if p.at++; p.at == len(p.text) || p.text[p.at] != '\'' {
			return &node{literal: out.String()}, nil
		}
		out.WriteByte('\'')
	}
	return nil, errors.New("a string does not end")
}
