// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func newScope(c *checker, m *module, t Target) *scope {
	s := &scope{
		checker: c, m: m, t: t, resolved: map[string]hybridcore.Variable{}, stage: map[string]string{},
		sizes: sizes{}, values: map[string]cty.Value{}, depth: map[string]int{},
		repeats: repeats{each: map[*hcl.EvalContext]bound{}}, maybe: map[string]*text{},
		made: map[any]*pieces{},
	}
	for _, v := range t.Variables {
		s.resolved[v.Name] = v
	}
	for _, f := range t.Files {
		s.stage[f.Path] = f.From
		s.largest = max(s.largest, len(c.in.Files[f.From]))
	}
	vars := make(map[string]cty.Value, len(m.variables))
	for name, d := range m.variables {
		vars[name] = s.variable(d)
	}
	text := cty.UnknownVal(cty.String).RefineNotNull()
	s.ctx = &hcl.EvalContext{Functions: s.stagedFunctions(), Variables: map[string]cty.Value{
		"var":    object(vars),
		"source": cty.ObjectVal(map[string]cty.Value{"type": text, "name": text}),
		"build":  cty.DynamicVal,
		"path":   cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal("."), "cwd": text}),
		"packer": cty.ObjectVal(map[string]cty.Value{"version": text, "iterationID": text, "versionFingerprint": text}),
		"data":   s.dataValues(),
	}}
	return s
}

// locals evaluates the local values, each after those that it needs.
func (s *scope) locals() {
	all := make([]*local, 0, len(s.m.locals))
	for _, l := range s.m.locals {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *local) int {
		if by := strings.Compare(a.file.Path, b.file.Path); by != 0 {
			return by
		}
		return a.attr.SrcRange.Start.Byte - b.attr.SrcRange.Start.Byte
	})
	for _, l := range all {
		s.local(l, 1)
	}
	s.ctx.Variables["local"] = object(s.values)
}

func (s *scope) local(l *local, depth int) {
	if _, done := s.values[l.name]; done {
		return
	}
	if s.depth[l.name] > 0 || depth > maxLocalDepth {
		what := fmt.Sprintf("the local value %s needs itself", l.name)
		if s.depth[l.name] == 0 {
			what = fmt.Sprintf("local values refer to each other more than %d deep, beyond %s: Packer gives up there",
				maxLocalDepth, l.name)
		}
		s.refuse(l.file, RuleCycle, l.attr.NameRange, what, "break the chain")
		s.values[l.name] = cty.DynamicVal
		return
	}
	s.depth[l.name] = depth
	needs := map[string]cty.Value{}
	for _, t := range s.factsOf(l.attr.Expr).traversals {
		if t.RootName() != "local" {
			continue
		}
		if other, ok := s.m.locals[attrName(t, 1)]; ok {
			s.local(other, depth+1)
			needs[other.name] = s.values[other.name]
		}
	}
	if _, done := s.values[l.name]; done { // part of a cycle
		return
	}
	ctx := s.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"local": object(needs)}
	value, _ := s.eval(l.file, l.attr.Expr, ctx)
	s.values[l.name] = value
	b := boundOf(value)
	// what Packer will know is as large as the expression makes it
	if s.in.Policy != nil && !value.IsWhollyKnown() && !s.exhausted {
		b = s.cost(l.attr.Expr, nil, ctx)
		b.work, b.slow, b.why = 1, 0, ""
	}
	s.sizes["local."+l.name] = b
	s.depth[l.name] = 0
}

// dataValues are the data sources: nothing of what they will answer is known
// but, for some, its type.
func (s *scope) dataValues() cty.Value {
	kinds := map[string]map[string]cty.Value{}
	for _, data := range s.m.datas {
		kind, name, _ := strings.Cut(data.name, ".")
		if kinds[kind] == nil {
			kinds[kind] = map[string]cty.Value{}
		}
		kinds[kind][name] = cty.DynamicVal
		if schema := s.schema(DataSource, kind); schema != nil && schema.Output != cty.NilType {
			kinds[kind][name] = cty.UnknownVal(schema.Output)
		}
	}
	values := map[string]cty.Value{}
	for kind, names := range kinds {
		values[kind] = cty.ObjectVal(names)
	}
	return object(values)
}
