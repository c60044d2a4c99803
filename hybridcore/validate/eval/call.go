// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"regexp/syntax"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// call is one call of a function with the bounds of its arguments.
type call struct {
	in   estimate
	e    *hclsyntax.FunctionCallExpr
	args []bound
	sum  bound
}

// value is that of an argument, when it is cheap to tell.
func (c call) value(i int) cty.Value {
	if i >= len(c.e.Args) || c.e.ExpandFinal && i == len(c.e.Args)-1 {
		return cty.DynamicVal
	}
	return c.in.argument(c.e.Args[i], c.args[i])
}

func (c call) text(i int) (string, bool) {
	v := c.value(i)
	return StringOf(v), v.IsKnown() && v.Type() == cty.String
}

// size is that of an argument; for one that is a part of the last, expanded one,
// that of the whole.
func (c call) size(i int) int {
	if i < len(c.args) {
		return c.args[i].size
	}
	return c.sum.size
}

// fileSize is the size of the file that the first argument names, or that of the
// largest staged one.
func (c call) fileSize() int {
	if path, known := c.text(0); known {
		content, _ := c.in.scope.Stage.Content(path)
		return len(content)
	}
	return c.in.scope.Stage.largest
}

// program is how many instructions a regular expression has at most.
func (c call) program(i int) int {
	pattern, known := c.text(i)
	if c.e.Name == "replace" && known {
		if len(pattern) < 2 || pattern[0] != '/' || pattern[len(pattern)-1] != '/' {
			return 1
		}
		pattern = pattern[1 : len(pattern)-1]
	}
	worst := product(c.size(i), maxRepeat)
	if !known || len(pattern) > maxPattern {
		return worst
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 1
	}
	return min(worst, instructions(parsed))
}

// instructions counts those of a regular expression, with repetitions written out.
func instructions(re *syntax.Regexp) int {
	total := 2 + len(re.Rune)
	for _, sub := range re.Sub {
		total = capped(total + instructions(sub))
	}
	if re.Op == syntax.OpRepeat {
		return product(total, max(re.Min, re.Max, 1))
	}
	return total
}

// groups is how many groups of a regular expression are kept of each match.
func (c call) groups() int {
	if pattern, known := c.text(0); known {
		return strings.Count(pattern, "(")
	}
	return c.size(0)
}
