// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:13Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate

import (
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// maxCheap is the work of an argument that is evaluated to bound its function.
const maxCheap = 64

// argument is the value of an argument that is cheap to tell and depends on no
// loop; unknown otherwise.
func (s *scope) argument(expr hclsyntax.Expression, b bound, loops sizes, ctx *hcl.EvalContext) cty.Value {
	text, isText := expr.(*hclsyntax.TemplateExpr)
	cheap := b.work <= maxCheap || isText && text.IsStringLiteral()
	if !cheap || s.factsOf(expr).unsound {
		return cty.DynamicVal
	}
	for _, t := range expr.Variables() {
		if _, bound := loops[t.RootName()]; bound {
			return cty.DynamicVal
		}
	}
	value, diags := expr.Value(ctx)
	if diags.HasErrors() || !value.IsKnown() || value.IsNull() {
		return cty.DynamicVal
	}
	return value
}

// whole is a number as far as it is a small one; false for everything else.
func whole(value cty.Value) (int, bool) {
	if !value.IsKnown() || value.IsNull() || value.Type() != cty.Number {
		return 0, false
	}
	n, _ := value.AsBigFloat().Float64()
	if n < 0 || n > 1<<30 {
		return 0, false
	}
	return int(n), true
}

// hugeNumber matches a text that HCL takes for a number of a thousand digits or
// more where one is wanted: it is short, and writing it out takes for ever.
var hugeNumber = regexp.MustCompile(`^\s*[-+]?[0-9.]+[eE][-+]?0*[1-9][0-9]{3,}\s*$`)

// calculates says whether an operator makes numbers of its operands.
func calculates(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.BinaryOpExpr:
		return e.Op.Type == cty.Number
	case *hclsyntax.UnaryOpExpr:
		return e.Op.Type == cty.Number
	}
	return false
}

// takesNumber says whether a function makes a number of its argument.
func takesNumber(name string, i int) bool {
	known, ok := functions[name]
	if !ok {
		return false
	}
	params := known.fn.Params()
	if i < len(params) {
		return params[i].Type == cty.Number
	}
	rest := known.fn.VarParam()
	return rest != nil && rest.Type == cty.Number
}

// numeric bounds what a number costs that is made of an expression: a text may be
// put together to one that is huge. In a tree whose author is not trusted, a text
// that a loop puts together counts as one.
func (s *scope) numeric(expr hclsyntax.Expression, b bound, loops sizes, ctx *hcl.EvalContext) bound {
	if value := s.argument(expr, b, loops, ctx); value.IsKnown() {
		size := sizeOf(value, 1<<20)
		return bound{size: size, most: size, work: size / bytesPerWork}
	}
	if s.in.Policy != nil && maybeText(expr) {
		return endless("a number is made of a text that cannot be told before")
	}
	return bound{}
}

// maybeText says whether an expression may put a text together.
func maybeText(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return maybeText(e.Expression)
	case *hclsyntax.ConditionalExpr:
		return maybeText(e.TrueResult) || maybeText(e.FalseResult)
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateJoinExpr, *hclsyntax.TemplateWrapExpr:
		return true
	case *hclsyntax.FunctionCallExpr:
		return !slices.Contains(numbers, e.Name)
	}
	return false
}

// numbers are the functions whose result is a number.
var numbers = []string{
	"abs", "ceil", "floor", "index", "length", "log", "max", "min", "parseint", "pow", "signum",
	"sum",
}

// digits is how long a number is when it is written out.
func digits(value cty.Value) int {
	number := value.AsBigFloat()
	exponent := number.MantExp(nil)
	if exponent < 0 {
		exponent = -exponent
	}
	return 1 + exponent/3
}
