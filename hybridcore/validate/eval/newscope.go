// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Scope evaluates the local values of a target, and makes what evaluates the rest of it.
func (t *Tree) Scope(m *module.Module, target hybridcore.Target) *Scope {
	s := &Scope{
		tree: t, module: m, budget: budget{tree: t}, Stage: newStage(target, t.Files), Variables: Variables{},
		sizes: sizes{}, repeats: repeats{each: map[*hcl.EvalContext]bound{}},
		rendered: rendered{texts: map[string]Expression{}},
	}
	for _, v := range target.Variables {
		s.Variables[v.Name] = v
	}
	vars := make(map[string]cty.Value, len(m.Variables))
	for name, d := range m.Variables {
		vars[name] = s.Variables.known(d)
	}
	text := cty.UnknownVal(cty.String).RefineNotNull()
	functions := s.Stage.functions()
	functions["templatefile"] = s.templatefile()
	s.Context = &hcl.EvalContext{Functions: functions, Variables: map[string]cty.Value{
		"var":    cty.ObjectVal(vars),
		"source": cty.ObjectVal(map[string]cty.Value{"type": text, "name": text}),
		"build":  cty.DynamicVal,
		"path":   cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal("."), "cwd": text}),
		"packer": cty.ObjectVal(map[string]cty.Value{"version": text, "iterationID": text, "versionFingerprint": text}),
		"data":   s.dataValues(),
	}}
	s.evaluateLocals()
	return s
}

// dataValues are the data sources: nothing of what they will answer is known
// but, for some, its type.
func (s *Scope) dataValues() cty.Value {
	kinds := map[string]map[string]cty.Value{}
	for _, data := range s.module.Datas {
		kind, name, _ := strings.Cut(data.Name, ".")
		if kinds[kind] == nil {
			kinds[kind] = map[string]cty.Value{}
		}
		kinds[kind][name] = cty.DynamicVal
		if schema := s.tree.Schemas.Find(schemas.DataSource, kind); schema != nil && schema.Output != cty.NilType {
			kinds[kind][name] = cty.UnknownVal(schema.Output)
		}
	}
	values := map[string]cty.Value{}
	for kind, names := range kinds {
		values[kind] = cty.ObjectVal(names)
	}
	return cty.ObjectVal(values)
}
