// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// Value gives the value of an expression; false when it has none, which was
// reported.
func (s *Scope) Value(file *hclfile.File, expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if s.tree.Facts.Of(expr).Unsound {
		return cty.DynamicVal, false
	}
	b := s.in(ctx).cost(expr)
	for at := ctx; at != nil; at = at.Parent() { // Packer does it for each element
		if each, ok := s.repeats.each[at]; ok {
			b.slow = product(each.n, b.slow+b.work)
		}
	}
	if !s.budget.pay(Expression{file, expr}, b) {
		return cty.DynamicVal, false
	}
	value, diags := expr.Value(ctx)
	if diags.HasErrors() {
		s.tree.Found.Diagnostics(file, finding.RuleExpression, diags)
		return cty.DynamicVal, false
	}
	return value, true
}

// Charge takes what Packer alone evaluates out of the budget.
func (s *Scope) Charge(file *hclfile.File, expr hclsyntax.Expression) {
	s.budget.pay(Expression{file, expr}, s.in(s.Context).cost(expr))
}

// Cheap is the value of an expression that is cheap to tell; unknown otherwise.
func (s *Scope) Cheap(expr hclsyntax.Expression) cty.Value {
	in := s.in(s.Context)
	return in.argument(expr, in.cost(expr))
}
