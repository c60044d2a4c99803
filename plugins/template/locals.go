// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:41:51Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// local is one local value.
type local struct {
	expr  hcl.Expression
	at    hcl.Range
	value cty.Value // cty.NilVal when it has none
	done  bool
}

// Data is one data source.
type Data struct {
	Type, Name string
	Block      *hcl.Block

	value cty.Value
	done  bool
}

func (t *Template) local(name string, expr hcl.Expression, at hcl.Range) hcl.Diagnostics {
	if first, ok := t.locals[name]; ok {
		return hcl.Diagnostics{problem(&at, "Duplicate local definition",
			fmt.Sprintf("The local value %q is defined twice, first at %s.", name, first.at))}
	}
	t.locals[name] = &local{expr: expr, at: at}
	return nil
}

func (t *Template) localBlock(block *hcl.Block) hcl.Diagnostics {
	content, diags := block.Body.Content(schemas["local"])
	if !hclsyntax.ValidIdentifier(block.Labels[0]) {
		diags = append(diags, problem(&block.LabelRanges[0], "Invalid local name", ""))
	}
	var flag bool
	if attr, ok := content.Attributes["sensitive"]; ok {
		diags = append(diags, gohcl.DecodeExpression(attr.Expr, nil, &flag)...)
	}
	attr, ok := content.Attributes["expression"]
	if !ok {
		t.doubt("a local without an expression, on which Packer crashes")
		return diags
	}
	return append(diags, t.local(block.Labels[0], attr.Expr, block.DefRange)...)
}

func (t *Template) data(block *hcl.Block) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, label := range block.Labels {
		if !hclsyntax.ValidIdentifier(label) {
			diags = append(diags, problem(&block.LabelRanges[i], "Invalid data source name", ""))
		}
	}
	name := block.Labels[0] + "." + block.Labels[1]
	if first, ok := t.Datas[name]; ok {
		return append(diags, problem(&block.DefRange, "Duplicate data block",
			"It is first at "+first.Block.DefRange.String()+"."))
	}
	t.Datas[name] = &Data{Type: block.Labels[0], Name: block.Labels[1], Block: block}
	return diags
}

// dataValues are the data sources that were evaluated.
func (t *Template) dataValues() cty.Value {
	kinds := map[string]map[string]cty.Value{}
	for _, d := range t.Datas {
		if !d.done || d.value == cty.NilVal {
			continue
		}
		if kinds[d.Type] == nil {
			kinds[d.Type] = map[string]cty.Value{}
		}
		kinds[d.Type][d.Name] = d.value
	}
	values := map[string]cty.Value{}
	for kind, named := range kinds {
		values[kind] = cty.MapVal(named)
	}
	return cty.ObjectVal(values)
}

// DataSource evaluates one data source: without executing it, its value is an
// unknown one of the type of its output.
type DataSource func(d *Data, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics)

// Initialize checks the variables, evaluates locals and data sources in the
// order of their needs, and reads sources and builds.
func (t *Template) Initialize(ask DataSource) hcl.Diagnostics {
	diags := t.validate()
	order := &walk{t: t, ask: ask, state: map[string]int{}}
	for _, name := range sorted(t.Datas) {
		order.visit("data."+name, hcl.Range{})
	}
	for _, name := range sorted(t.locals) {
		order.visit("local."+name, hcl.Range{})
	}
	diags = append(diags, order.diags...)
	for _, name := range t.names() {
		diags = append(diags, t.content(t.files[name])...)
	}
	return diags
}

// walk visits locals and data sources, each after what it needs.
type walk struct {
	t     *Template
	ask   DataSource
	state map[string]int // 1 while it is being visited, 2 afterwards
	diags hcl.Diagnostics
}

// visit evaluates one; after the first error the others wait in vain, as in
// Packer.
func (w *walk) visit(ref string, from hcl.Range) {
	if w.state[ref] == 2 || w.diags.HasErrors() {
		return
	}
	if w.state[ref] == 1 {
		w.diags = append(w.diags, problem(&from, "failed to prepare execution graph", ref+" needs itself."))
		return
	}
	w.state[ref] = 1
	defer func() { w.state[ref] = 2 }()
	for name, l := range w.t.locals {
		if ref == "local."+name {
			w.needs(l.expr.Variables())
			if !w.diags.HasErrors() {
				value, diags := l.expr.Value(w.t.scope(nil))
				if w.diags = append(w.diags, diags...); !diags.HasErrors() {
					l.value, l.done = value, true
				}
			}
			return
		}
	}
	for name, d := range w.t.Datas {
		if ref == "data."+name {
			w.needs(blockVariables(d.Block.Body))
			if !w.diags.HasErrors() {
				value, diags := w.ask(d, w.t.scope(nil))
				w.diags = append(w.diags, diags...)
				d.value, d.done = value, true
			}
			return
		}
	}
	w.diags = append(w.diags, problem(&from, "failed to prepare execution graph", ref+" is not declared."))
}

func (w *walk) needs(refs []hcl.Traversal) {
	for _, ref := range refs {
		switch {
		case ref.RootName() == "local" && len(ref) > 1 && step(ref, 1) != "":
			w.visit("local."+step(ref, 1), ref.SourceRange())
		case ref.RootName() == "data" && len(ref) > 2 && step(ref, 2) != "":
			w.visit("data."+step(ref, 1)+"."+step(ref, 2), ref.SourceRange())
		}
	}
}

// blockVariables lists the references of a body and the bodies within.
func blockVariables(body hcl.Body) []hcl.Traversal {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs, _ := body.JustAttributes() // a JSON body; what is no attribute has no order to keep
		var refs []hcl.Traversal
		for _, attr := range inOrder(attrs) {
			refs = append(refs, attr.Expr.Variables()...)
		}
		return refs
	}
	var refs []hcl.Traversal
	for _, name := range sorted(native.Attributes) {
		refs = append(refs, native.Attributes[name].Expr.Variables()...)
	}
	for _, block := range native.Blocks {
		refs = append(refs, blockVariables(block.Body)...)
	}
	return refs
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
