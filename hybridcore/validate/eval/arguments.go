// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:13Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// estimate bounds what expressions cost in one place: there, names of loops and
// iterators stand for values of these sizes.
type estimate struct {
	scope *Scope
	loops sizes
	ctx   *hcl.EvalContext
}

// in estimates where no loop is around.
func (s *Scope) in(ctx *hcl.EvalContext) estimate { return estimate{scope: s, ctx: ctx} }

// with estimates where a name stands for values of a size.
func (in estimate) with(name string, b bound) estimate {
	in.loops = in.loops.with(name, b)
	return in
}

// maxCheap is the work of an argument that is evaluated to bound its function.
const maxCheap = 64

// argument is the value of an argument that is cheap to tell and depends on no
// loop; unknown otherwise.
func (in estimate) argument(expr hclsyntax.Expression, b bound) cty.Value {
	text, isText := expr.(*hclsyntax.TemplateExpr)
	cheap := b.work <= maxCheap || isText && text.IsStringLiteral()
	if !cheap || in.scope.tree.Facts.Of(expr).Unsound {
		return cty.DynamicVal
	}
	for _, t := range expr.Variables() {
		if _, bound := in.loops[t.RootName()]; bound {
			return cty.DynamicVal
		}
	}
	value, diags := expr.Value(in.ctx)
	if diags.HasErrors() || !value.IsKnown() || value.IsNull() {
		return cty.DynamicVal
	}
	return value
}

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
func (in estimate) numeric(expr hclsyntax.Expression, b bound) bound {
	if value := in.argument(expr, b); value.IsKnown() {
		size := sizeOf(value, 1<<20)
		return bound{size: size, most: size, work: size / bytesPerWork}
	}
	if in.scope.tree.Untrusted && maybeText(expr) {
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
