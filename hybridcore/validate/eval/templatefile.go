// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-form-of-files
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package eval

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// templatefile renders a staged file; what is wrong in it is reported there.
func (s *Scope) templatefile() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s.render(args[0].AsString(), args[1])
			return cty.UnknownVal(cty.String), nil
		},
	})
}

func (s *Scope) render(name string, vars cty.Value) {
	from, ok := s.Stage.paths[Clean(name)]
	if !ok {
		return // reported with the paths
	}
	t := s.text(from)
	named := vars.Type().IsObjectType() || vars.Type().IsMapType()
	if t == nil || !named || !vars.IsKnown() || vars.IsNull() {
		return
	}
	ctx := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: make(map[string]function.Function, len(functions))}
	for name, spec := range functions {
		ctx.Functions[name] = spec.fn
	}
	given := make([]string, 0, len(ctx.Variables))
	for name := range ctx.Variables {
		given = append(given, name)
	}
	for _, ref := range s.tree.Facts.Of(t.Expr).Traversals {
		if _, ok := ctx.Variables[ref.RootName()]; !ok {
			s.tree.Found.Refuse(t.File, finding.RuleTemplate, ref.SourceRange(),
				fmt.Sprintf("templatefile gives this file no value %q%s", ref.RootName(), finding.Near(ref.RootName(), given)),
				"it sees only the names of the object that is its second argument")
			return
		}
	}
	if !s.budget.pay(*t, s.in(ctx).cost(t.Expr)) {
		return
	}
	if _, diags := t.Expr.Value(ctx); diags.HasErrors() {
		s.tree.Found.Diagnostics(t.File, finding.RuleTemplate, diags)
	}
}

// text is a templatefile source; nil, and reported, for what is none.
func (s *Scope) text(from string) *Expression {
	text := s.tree.text(from)
	s.tree.Found.Take(text.problems)
	return text.parsed
}
