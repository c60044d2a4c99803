// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// bound is what evaluating an expression can cost at most: the elements of its
// value, the size of the value in bytes and elements, that of its largest
// element, and the work.
type bound struct{ n, size, most, work int }

// bytesPerWork is how many bytes or elements are copied in the time in which
// one node of an expression is evaluated, 0.3 µs.
const bytesPerWork = 64

// tooMuch is more than any limit; sums and products stop there.
const tooMuch = 1 << 40

func capped(n int) int {
	if n < 0 || n > tooMuch {
		return tooMuch
	}
	return n
}

// product multiplies without running over.
func product(a, b int) int {
	if a > 0 && b > tooMuch/a {
		return tooMuch
	}
	return capped(a * b)
}

// sizes gives the size of a root name's value that a loop or an iterator added.
type sizes map[string]bound

func (s sizes) with(name string, b bound) sizes {
	if name == "" {
		return s
	}
	more := sizes{name: b}
	for k, v := range s {
		if k != name {
			more[k] = v
		}
	}
	return more
}

// cost bounds an expression before it is evaluated: nested loops multiply.
func (s *scope) cost(expr hclsyntax.Expression, loops sizes, ctx *hcl.EvalContext) bound {
	one := func(e hclsyntax.Expression) bound { return s.cost(e, loops, ctx) }
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		size := sizeOf(e.Val, 1<<20)
		return bound{1, size, size, 1 + size/bytesPerWork}
	case *hclsyntax.ScopeTraversalExpr:
		return s.reference(e.Traversal, loops, ctx)
	case *hclsyntax.ForExpr:
		return s.loop(e, loops, ctx)
	case *hclsyntax.SplatExpr:
		source := one(e.Source)
		each := s.cost(e.Each, loops, ctx)
		return bound{source.n, capped(source.size + product(source.n, each.size)), capped(source.most + each.size), capped(source.work + product(source.n, each.work+1))}
	case *hclsyntax.FunctionCallExpr:
		args := make([]bound, 0, len(e.Args))
		for _, arg := range e.Args {
			args = append(args, one(arg))
		}
		return s.call(e, args, loops, ctx)
	case *hclsyntax.TupleConsExpr:
		sum := bound{}
		for _, item := range e.Exprs {
			sum = sum.plus(one(item))
		}
		return bound{len(e.Exprs), sum.size + 1, max(sum.most, sum.size), sum.work + 1}
	case *hclsyntax.ObjectConsExpr:
		sum := bound{}
		for _, item := range e.Items {
			sum = sum.plus(one(item.KeyExpr)).plus(one(item.ValueExpr))
		}
		return bound{len(e.Items), sum.size + 1, max(sum.most, sum.size), sum.work + 1}
	}
	sum := bound{}
	for _, part := range parts(expr) {
		b := one(part)
		sum = sum.plus(b)
		if calculates(expr) {
			sum = sum.plus(s.numeric(part, b, loops, ctx))
		}
	}
	return bound{max(sum.n, 1), sum.size + 1, sum.size + 1, sum.work + 1 + sum.size/bytesPerWork}
}

func (b bound) plus(o bound) bound {
	return bound{capped(b.n + o.n), capped(b.size + o.size), max(b.most, o.most), capped(b.work + o.work)}
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

func (s *scope) loop(e *hclsyntax.ForExpr, loops sizes, ctx *hcl.EvalContext) bound {
	source := s.cost(e.CollExpr, loops, ctx)
	element := bound{source.n, source.most, source.most, 1}
	inner := loops.with(e.KeyVar, bound{1, source.most, source.most, 1}).with(e.ValVar, element)
	each := bound{}
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			each = each.plus(s.cost(part, inner, ctx))
		}
	}
	return bound{
		source.n, capped(source.size + product(source.n, each.size+1)), each.size, capped(source.work + product(source.n, each.work+1)),
	}
}

// joiners are the functions whose result has no more elements than their
// arguments together.
var joiners = []string{
	"coalescelist", "compact", "concat", "distinct", "keys", "merge", "reverse", "setintersection", "setunion", "slice", "sort", "values",
}

// maxRange is how many numbers range makes; for more it is an error (go-cty).
const maxRange = 1024

// call bounds a function by the sizes of its arguments, and some by their values.
func (s *scope) call(e *hclsyntax.FunctionCallExpr, args []bound, loops sizes, ctx *hcl.EvalContext) bound {
	name, sum, all := e.Name, bound{}, 1
	for _, arg := range args {
		sum, all = sum.plus(arg), product(all, arg.size)
	}
	size := capped(sum.size*2 + 16)
	if s.in.Policy != nil && s.unbounded(e, args, loops, ctx) {
		return bound{1, tooMuch, tooMuch, tooMuch}
	}
	for i, arg := range e.Args {
		if takesNumber(name, i) {
			sum = sum.plus(s.numeric(arg, args[i], loops, ctx))
		}
	}
	switch {
	case name == "range":
		n := s.ranged(e, args, loops, ctx)
		return bound{n, n, 1, capped(sum.work + 1 + n/bytesPerWork)}
	case name == "distinct":
		size = product(sum.n, sum.size)
	case name == "indent":
		size = product(maxIndent, sum.size)
	case functions[name].squares:
		size = capped(all + size)
	case name == "file":
		size = capped(size + s.largest)
	case name == "fileset":
		return bound{len(s.stage), len(s.stage) * 64, 64, sum.work + len(s.stage)}
	case name == "templatefile":
		return bound{1, 64, 64, capped(sum.work + 1 + size/bytesPerWork)} // what is rendered pays for itself
	}
	work := capped(sum.work + 1 + size/bytesPerWork)
	if slices.Contains(joiners, name) {
		return bound{sum.n, size, sum.most, work}
	}
	return bound{size, size, size, work}
}

// reference bounds a value that is known already.
func (s *scope) reference(t hcl.Traversal, loops sizes, ctx *hcl.EvalContext) bound {
	root := t.RootName()
	if b, ok := loops[root]; ok {
		return b
	}
	name := root + "." + attrName(t, 1)
	if b, ok := s.sizes[name]; ok && (root == "var" || root == "local") {
		return b
	}
	for at := ctx; at != nil; at = at.Parent() {
		value, ok := at.Variables[root]
		if !ok {
			continue
		}
		if part := attrName(t, 1); part != "" && value.Type().IsObjectType() && value.IsKnown() && value.Type().HasAttribute(part) {
			value = value.GetAttr(part)
		}
		b := boundOf(value)
		if root == "var" || root == "local" {
			s.sizes[name] = b
		}
		return b
	}
	return bound{16, 16, 16, 1}
}

func boundOf(value cty.Value) bound {
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() {
		size := sizeOf(value, 1<<24)
		return bound{1, size, size, 1}
	}
	b := bound{n: value.LengthInt(), size: 1, work: 1}
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		size := sizeOf(element, 1<<24) + sizeOf(key, 1<<24)
		b.size, b.most = capped(b.size+size), max(b.most, size)
	}
	return b
}

// sizeOf counts the bytes and elements of a value, up to a limit.
func sizeOf(value cty.Value, limit int) int {
	switch {
	case limit <= 0:
		return 0
	case !value.IsKnown() || value.IsNull():
		return 1
	case value.Type() == cty.String:
		if hugeNumber.MatchString(value.AsString()) {
			return tooMuch // HCL takes it for a number, where one is wanted
		}
		return 1 + len(value.AsString())
	case value.Type() == cty.Number:
		return digits(value)
	case value.CanIterateElements():
		total := 1
		for it := value.ElementIterator(); it.Next() && total < limit; {
			_, element := it.Element()
			total += 1 + sizeOf(element, limit-total)
		}
		return total
	default:
		return 1
	}
}
