// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package parts

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Bodies evaluates the bodies of parts and holds them against the schemas.
type Bodies struct {
	Scope   *eval.Scope
	Module  *module.Module
	Schemas *schemas.Reader
	Found   *finding.List
}

// Evaluate checks the body of a part against its schema and evaluates it into the part.
// Settings of extra belong to Packer itself and are checked by their type only.
func (b *Bodies) Evaluate(p *Part, schema *schemas.Block, ctx *hcl.EvalContext, extra map[string]cty.Type) {
	p.Attrs, p.Blocks, p.open = map[string]Setting{}, map[string][]*Part{}, map[string]bool{}
	for _, attr := range hclfile.SortedAttributes(p.Body) {
		of, known := extra[attr.Name]
		if !known && schema != nil {
			if of, known = schema.Attributes[attr.Name]; !known {
				if b.Found.Full() {
					continue
				}
				b.unknownAttribute(p, attr, schema, extra)
				continue
			}
		}
		p.Attrs[attr.Name] = b.Setting(p, attr, ctx, of)
	}
	count := map[string]int{}
	for _, block := range b.Scope.Blocks(p.File, p.Body, ctx) {
		inner := b.block(p, block, schema)
		if inner == nil {
			continue
		}
		p.Inner = append(p.Inner, inner)
		switch {
		case block.Real:
			count[block.Type]++
			p.Blocks[block.Type] = append(p.Blocks[block.Type], inner)
		case block.Maybe:
			p.open[block.Type] = true
		}
		if nested := schema.Block(block.Type); nested != nil && nested.Single && count[block.Type] == 2 {
			b.Found.Refuse(p.File, finding.RuleNesting, block.At,
				fmt.Sprintf("%s takes one block %s, not several", p.What, block.Type), "remove the others")
		}
	}
}

// block evaluates one block of a part; nil when it does not belong there.
func (b *Bodies) block(p *Part, block eval.Block, schema *schemas.Block) *Part {
	nested := schema.Block(block.Type)
	if schema != nil && nested == nil {
		if _, isAttribute := schema.Attributes[block.Type]; isAttribute {
			b.Found.Refuse(p.File, finding.RuleNesting, block.At,
				fmt.Sprintf("%s is a setting of %s, not a block", block.Type, p.What), fmt.Sprintf("write %s = ...", block.Type))
			return nil
		}
		if b.Found.Full() {
			return nil
		}
		near := finding.Near(block.Type, schema.Names())
		b.soft(p, finding.RuleBlock, block.At, fmt.Sprintf("%s has no block %q%s", p.What, block.Type, near), "")
		p.open[finding.Suggested(near)] = true
		return nil
	}
	inner := &Part{
		Kind: p.Kind, Name: p.Name, What: fmt.Sprintf("the block %s of %s", block.Type, p.What), File: p.File, At: block.At,
		Body: block.Body, Own: p.Own, path: block.Type, outer: schema,
	}
	b.Evaluate(inner, nested, block.Context, nil)
	return inner
}

// unknownAttribute explains a setting that does not belong there.
func (b *Bodies) unknownAttribute(
	p *Part, attr *hclsyntax.Attribute, schema *schemas.Block, extra map[string]cty.Type,
) {
	if _, isBlock := schema.Blocks[attr.Name]; isBlock {
		b.Found.Refuse(p.File, finding.RuleNesting, attr.NameRange,
			fmt.Sprintf("%s is a block of %s, not a setting", attr.Name, p.What),
			fmt.Sprintf("write %s { ... } without =", attr.Name))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Blocks)) {
		if _, ok := schema.Blocks[name].Attributes[attr.Name]; ok {
			b.Found.Refuse(p.File, finding.RuleNesting, attr.NameRange, fmt.Sprintf("%s has no setting %q", p.What, attr.Name),
				fmt.Sprintf("it belongs into a block: %s { %s = ... }", name, attr.Name))
			return
		}
	}
	if p.outer != nil {
		if _, ok := p.outer.Attributes[attr.Name]; ok {
			b.Found.Refuse(p.File, finding.RuleNesting, attr.NameRange, fmt.Sprintf("%s has no setting %q", p.What, attr.Name),
				"it belongs one level up, outside of the block "+p.path)
			return
		}
	}
	near := finding.Near(attr.Name, append(schema.Names(), slices.Sorted(maps.Keys(extra))...))
	b.soft(p, finding.RuleAttribute, attr.NameRange,
		fmt.Sprintf("%s has no setting %q%s", p.What, attr.Name, near), "")
	p.open[finding.Suggested(near)] = true
}

// soft refuses what the schema does not know, or only warns when the schema is
// of another plugin than the one that the template requires.
func (b *Bodies) soft(p *Part, rule string, at hcl.Range, message, hint string) {
	schema := b.Schemas.Find(p.Kind, p.Name)
	if accessor, ok := b.Module.PluginOf(p.Name); ok && schema != nil && schema.Plugin != "packer" &&
		b.Module.Plugins[accessor].Source != schema.Plugin {
		b.Found.Warn(p.File, rule, at, message,
			fmt.Sprintf("as of %s %s; %s may differ", schema.Plugin, schema.Version, b.Module.Plugins[accessor].Source))
		return
	}
	b.Found.Refuse(p.File, rule, at, message, hint)
}

// Setting evaluates a setting of a part and converts it to its type as Packer does,
// unless the type is not known: cty.NilType.
func (b *Bodies) Setting(p *Part, attr *hclsyntax.Attribute, ctx *hcl.EvalContext, of cty.Type) Setting {
	value, ok := b.Scope.Value(p.File, attr.Expr, ctx)
	if !ok || of == cty.NilType {
		return Setting{attr, value}
	}
	converted, err := convert.Convert(value, of)
	if err != nil {
		b.Found.Refuse(p.File, finding.RuleType, attr.Expr.Range(),
			fmt.Sprintf("%s of %s must be a %s: %s", attr.Name, p.What, of.FriendlyName(), hclfile.Printable(err.Error())), "")
		return Setting{attr, cty.UnknownVal(of)}
	}
	return Setting{attr, converted}
}
