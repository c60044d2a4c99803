// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// cost bounds an expression before it is evaluated: nested loops multiply.
func (in estimate) cost(expr hclsyntax.Expression) bound {
	one := in.cost
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		size := sizeOf(e.Val, 1<<20)
		return bound{n: 1, size: size, most: size, work: 1 + size/bytesPerWork}
	case *hclsyntax.ScopeTraversalExpr:
		return in.reference(e.Traversal)
	case *hclsyntax.ForExpr:
		return in.loop(e)
	case *hclsyntax.SplatExpr:
		source, each := one(e.Source), one(e.Each)
		result := source.times(source.n, each)
		result.most = capped(source.size + each.size)
		return result
	case *hclsyntax.FunctionCallExpr:
		args := make([]bound, 0, len(e.Args))
		for _, arg := range e.Args {
			args = append(args, one(arg))
		}
		return in.call(e, args)
	case *hclsyntax.TupleConsExpr:
		sum := bound{}
		for _, item := range e.Exprs {
			sum = sum.with(one(item))
		}
		return sum.of(len(e.Exprs))
	case *hclsyntax.ObjectConsExpr:
		sum := bound{}
		for _, item := range e.Items {
			sum = sum.with(one(item.KeyExpr)).with(one(item.ValueExpr))
		}
		return sum.of(len(e.Items))
	case *hclsyntax.IndexExpr, *hclsyntax.RelativeTraversalExpr: // any part of the value
		sum := in.operands(expr)
		sum.n, sum.most = sum.size, sum.size
		return sum
	}
	return in.operands(expr)
}

// operands bounds an expression that just combines others.
func (in estimate) operands(expr hclsyntax.Expression) bound {
	sum := bound{}
	for _, part := range parts(expr) {
		b := in.cost(part)
		sum = sum.plus(b)
		if calculates(expr) {
			sum = sum.plus(in.numeric(part, b))
		}
	}
	sum.n, sum.most, sum.size = max(sum.n, 1), sum.size+1, sum.size+1
	sum.work += 1 + sum.size/bytesPerWork
	return sum
}

// parts are the operands of the expressions that just combine them.
func parts(expr hclsyntax.Expression) []hclsyntax.Expression {
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		return e.Parts
	case *hclsyntax.TemplateWrapExpr:
		return []hclsyntax.Expression{e.Wrapped}
	case *hclsyntax.TemplateJoinExpr:
		return []hclsyntax.Expression{e.Tuple}
	case *hclsyntax.ParenthesesExpr:
		return []hclsyntax.Expression{e.Expression}
	case *hclsyntax.ConditionalExpr:
		return []hclsyntax.Expression{e.Condition, e.TrueResult, e.FalseResult}
	case *hclsyntax.BinaryOpExpr:
		return []hclsyntax.Expression{e.LHS, e.RHS}
	case *hclsyntax.UnaryOpExpr:
		return []hclsyntax.Expression{e.Val}
	case *hclsyntax.IndexExpr:
		return []hclsyntax.Expression{e.Collection, e.Key}
	case *hclsyntax.RelativeTraversalExpr:
		return []hclsyntax.Expression{e.Source}
	case *hclsyntax.ObjectConsKeyExpr:
		return []hclsyntax.Expression{e.Wrapped}
	default:
		return nil
	}
}

func (in estimate) loop(e *hclsyntax.ForExpr) bound {
	source := in.cost(e.CollExpr)
	element := some(source.most, 1) // it may hold as many elements as its size
	inner := in.with(e.KeyVar, element).with(e.ValVar, element)
	each := bound{}
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			each = each.plus(inner.cost(part))
		}
	}
	result := source.times(source.n, each)
	result.most = each.size
	if e.Group {
		result.most = result.size
	}
	return result
}

// reference bounds a value that a name stands for.
func (in estimate) reference(t hcl.Traversal) bound {
	root := t.RootName()
	if b, ok := in.loops[root]; ok {
		if len(t) > 1 {
			return some(b.size, 1)
		}
		return b
	}
	known, key := in.scope.sizes, pathOf(t)
	_, inText := in.loops[anyName]
	if inText {
		known = in.scope.rendered.sizes
	}
	if b, ok := known[key]; ok {
		return b
	}
	for at := in.ctx; at != nil; at = at.Parent() {
		if _, ok := at.Variables[root]; !ok {
			continue
		}
		b := in.value(t, at)
		if inText || root == "var" || root == "local" {
			known[key] = b
		}
		return b
	}
	if inText {
		return in.loops[anyName]
	}
	return some(16, 1)
}

// value bounds what a traversal leads to. What is not known here, Packer may
// know: with a policy it counts as large as what it is made of.
func (in estimate) value(t hcl.Traversal, at *hcl.EvalContext) bound {
	value, diags := t.TraverseAbs(in.ctx)
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	if !in.scope.tree.Untrusted || value.IsWhollyKnown() {
		return boundOf(value)
	}
	var whole bound
	switch t.RootName() {
	case "var":
		return in.ofVariable(t)
	case "local":
		whole = in.scope.sizes["local."+module.AttrName(t, 1)]
	default:
		whole = in.scope.repeats.each[at]
	}
	return some(max(whole.size, boundOf(value).size, 16), 1)
}

// ofVariable bounds a variable by the value that it has been given, which
// expressions do not get to see here.
func (in estimate) ofVariable(t hcl.Traversal) bound {
	name := module.AttrName(t, 1)
	d := in.scope.module.Variables[name]
	value := in.scope.Variables.Given(d)
	if !value.IsWhollyKnown() {
		return some(64, 1) // given to the run, or nothing is built
	}
	b := boundOf(value)
	if len(t) > 2 {
		return some(b.size, 1)
	}
	return b
}

// pathOf is a traversal as text, for example local.a.b[0].
func pathOf(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			if n, ok := whole(step.Key); ok {
				b.WriteString("[" + strconv.Itoa(n) + "]")
			} else {
				b.WriteString("[" + strconv.Quote(StringOf(step.Key)) + "]") // no element but of a map
			}
		default:
			b.WriteString("[*]")
		}
	}
	return b.String()
}
