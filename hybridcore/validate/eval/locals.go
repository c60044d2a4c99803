// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// maxLocalDepth is how deep Packer follows locals into each other.
const maxLocalDepth = 10

// locals evaluates local values, each after those that it needs.
type locals struct {
	scope  *Scope
	values map[string]cty.Value
	depth  map[string]int // of those that are being evaluated
}

func (s *Scope) evaluateLocals() {
	all := locals{scope: s, values: map[string]cty.Value{}, depth: map[string]int{}}
	for _, l := range slices.SortedFunc(maps.Values(s.module.Locals), func(a, b *module.Local) int {
		return cmp.Or(strings.Compare(a.File.Path, b.File.Path), a.Attr.SrcRange.Start.Byte-b.Attr.SrcRange.Start.Byte)
	}) {
		all.evaluate(l, 1)
	}
	s.Context.Variables["local"] = cty.ObjectVal(all.values)
}

func (all locals) evaluate(l *module.Local, depth int) {
	if _, done := all.values[l.Name]; done {
		return
	}
	if all.depth[l.Name] > 0 || depth > maxLocalDepth {
		what := fmt.Sprintf("the local value %s needs itself", l.Name)
		if all.depth[l.Name] == 0 {
			what = fmt.Sprintf("local values refer to each other more than %d deep, beyond %s: Packer gives up there",
				maxLocalDepth, l.Name)
		}
		all.scope.tree.Found.Refuse(l.File, finding.RuleCycle, l.Attr.NameRange, what, "break the chain")
		all.values[l.Name] = cty.DynamicVal
		return
	}
	all.depth[l.Name] = depth
	needs := map[string]cty.Value{}
	for _, t := range all.scope.tree.Facts.Of(l.Attr.Expr).Traversals {
		if t.RootName() != "local" {
			continue
		}
		if other, ok := all.scope.module.Locals[module.AttrName(t, 1)]; ok {
			all.evaluate(other, depth+1)
			needs[other.Name] = all.values[other.Name]
		}
	}
	if _, done := all.values[l.Name]; done { // part of a cycle
		return
	}
	ctx := all.scope.Context.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(needs)}
	value, _ := all.scope.Value(l.File, l.Attr.Expr, ctx)
	all.values[l.Name] = value
	b := boundOf(value)
	// what Packer will know is as large as the expression makes it
	if all.scope.tree.Untrusted && !value.IsWhollyKnown() && !all.scope.budget.exhausted {
		b = all.scope.in(ctx).cost(l.Attr.Expr)
		b.work, b.slow, b.why = 1, 0, ""
	}
	all.scope.sizes["local."+l.Name] = b
	all.depth[l.Name] = 0
}
