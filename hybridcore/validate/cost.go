// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// bound is what evaluating an expression can cost at most: the elements of its
// value, the size of the value in bytes and elements, that of its largest
// element, the work here, and the work that only Packer has. Why names the
// argument that cannot be bounded, if there is one.
type bound struct {
	n, size, most, work, slow int
	why                       string
}

// some is a value of a size of which nothing else is known.
func some(size, work int) bound { return bound{n: size, size: size, most: size, work: work} }

// endless is what cannot be bounded.
func endless(why string) bound {
	return bound{n: tooMuch, size: tooMuch, most: tooMuch, work: tooMuch, slow: tooMuch, why: why}
}

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

// anyName stands for every name of a text that templatefile renders.
const anyName = "*"

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
		return bound{n: 1, size: size, most: size, work: 1 + size/bytesPerWork}
	case *hclsyntax.ScopeTraversalExpr:
		return s.reference(e.Traversal, loops, ctx)
	case *hclsyntax.ForExpr:
		return s.loop(e, loops, ctx)
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
		return s.call(e, args, loops, ctx)
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
		sum := s.operands(expr, loops, ctx)
		sum.n, sum.most = sum.size, sum.size
		return sum
	}
	return s.operands(expr, loops, ctx)
}

// operands bounds an expression that just combines others.
func (s *scope) operands(expr hclsyntax.Expression, loops sizes, ctx *hcl.EvalContext) bound {
	sum := bound{}
	for _, part := range parts(expr) {
		b := s.cost(part, loops, ctx)
		sum = sum.plus(b)
		if calculates(expr) {
			sum = sum.plus(s.numeric(part, b, loops, ctx))
		}
	}
	sum.n, sum.most, sum.size = max(sum.n, 1), sum.size+1, sum.size+1
	sum.work += 1 + sum.size/bytesPerWork
	return sum
}

func (b bound) plus(o bound) bound {
	if b.why == "" {
		b.why = o.why
	}
	return bound{
		n: capped(b.n + o.n), size: capped(b.size + o.size), most: max(b.most, o.most), work: capped(b.work + o.work),
		slow: capped(b.slow + o.slow), why: b.why,
	}
}

// with adds an element to a value.
func (b bound) with(element bound) bound {
	element.most = element.size
	return b.plus(element)
}

// of makes the sum of some elements a value.
func (b bound) of(n int) bound {
	b.n, b.size, b.work = n, capped(b.size+1), capped(b.work+1)
	return b
}

// times adds what n elements cost to a value that is gone through.
func (b bound) times(n int, each bound) bound {
	b.size = capped(b.size + product(n, each.size+1))
	b.work = capped(b.work + product(n, each.work+1))
	b.slow = capped(b.slow + product(n, each.slow))
	if b.why == "" {
		b.why = each.why
	}
	return b
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
	element := some(source.most, 1) // it may hold as many elements as its size
	inner := loops.with(e.KeyVar, element).with(e.ValVar, element)
	each := bound{}
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			each = each.plus(s.cost(part, inner, ctx))
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
func (s *scope) reference(t hcl.Traversal, loops sizes, ctx *hcl.EvalContext) bound {
	root := t.RootName()
	if b, ok := loops[root]; ok {
		if len(t) > 1 {
			return some(b.size, 1)
		}
		return b
	}
	known, key := s.sizes, pathOf(t)
	_, inText := loops[anyName]
	if inText {
		known = s.textSizes
	}
	if b, ok := known[key]; ok {
		return b
	}
	for at := ctx; at != nil; at = at.Parent() {
		if _, ok := at.Variables[root]; !ok {
			continue
		}
		b := s.value(t, at, ctx)
		if inText || root == "var" || root == "local" {
			known[key] = b
		}
		return b
	}
	if inText {
		return loops[anyName]
	}
	return some(16, 1)
}

// value bounds what a traversal leads to. What is not known here, Packer may
// know: with a policy it counts as large as what it is made of.
func (s *scope) value(t hcl.Traversal, at, ctx *hcl.EvalContext) bound {
	value, diags := t.TraverseAbs(ctx)
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	if s.in.Policy == nil || value.IsWhollyKnown() {
		return boundOf(value)
	}
	var whole bound
	switch t.RootName() {
	case "var":
		return s.ofVariable(t)
	case "local":
		whole = s.sizes["local."+attrName(t, 1)]
	default:
		whole = s.repeats.each[at]
	}
	return some(max(whole.size, boundOf(value).size, 16), 1)
}

// ofVariable bounds a variable by the value that it has been given, which
// expressions do not get to see here.
func (s *scope) ofVariable(t hcl.Traversal) bound {
	name := attrName(t, 1)
	d := s.m.variables[name]
	value := s.given(d)
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
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			if n, ok := whole(s.Key); ok {
				b.WriteString("[" + strconv.Itoa(n) + "]")
			} else {
				b.WriteString("[" + strconv.Quote(stringOf(s.Key)) + "]") // no element but of a map
			}
		default:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

func boundOf(value cty.Value) bound {
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() {
		size := sizeOf(value, 1<<24)
		return bound{n: 1, size: size, most: size, work: 1}
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
