// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// maxElements is how many elements of a dynamic block are expanded.
const maxElements = 100

// component is one source, provisioner, post-processor or data source, or a
// block within, as it was evaluated.
type component struct {
	kind   Kind
	name   string // vsphere-iso
	what   string // as messages call it: the source vsphere-iso.linux
	file   *hclfile.File
	at     hcl.Range
	attrs  map[string]setting
	blocks map[string][]*component
	inner  []*component    // all blocks, also those that may be there
	body   *hclsyntax.Body // as it is written
	// open names settings and blocks that may be there: a dynamic block whose
	// elements are not known, or what a misspelt name stands for.
	open  map[string]bool
	own   bool // it is what the target builds
	path  string
	outer *Block // the schema of the body around, for hints
}

// setting is one attribute with its value.
type setting struct {
	attr  *hclsyntax.Attribute
	value cty.Value // unknown when it cannot be told
}

// set says whether an attribute has, or may have, a value that counts.
func (p *component) set(name string) bool {
	if s, ok := p.attrs[name]; ok {
		return !isEmpty(s.value)
	}
	return len(p.blocks[name]) > 0 || p.open[name]
}

// isEmpty says whether Packer takes a value for none.
func isEmpty(value cty.Value) bool {
	switch {
	case value.IsNull():
		return true
	case !value.IsKnown():
		return false
	case value.Type() == cty.String:
		return value.AsString() == ""
	case value.CanIterateElements():
		return value.LengthInt() == 0
	case value.Type() == cty.Number:
		return value.Equals(cty.Zero).True()
	default:
		return false
	}
}

// body checks a body against its schema and evaluates it into the component.
// Settings of extra belong to Packer itself and are checked by their type only.
func (s *scope) body(p *component, body *hclsyntax.Body, schema *Block, ctx *hcl.EvalContext,
	extra map[string]cty.Type,
) {
	p.attrs, p.blocks, p.open = map[string]setting{}, map[string][]*component{}, map[string]bool{}
	for _, attr := range hclfile.SortedAttributes(body) {
		of, known := extra[attr.Name]
		if !known && schema != nil {
			if of, known = schema.Attributes[attr.Name]; !known {
				s.unknownAttribute(p, attr, schema, extra)
				continue
			}
		}
		value, ok := s.eval(p.file, attr.Expr, ctx)
		if ok && known {
			value = s.typed(p, attr, value, of)
		}
		p.attrs[attr.Name] = setting{attr, value}
	}
	count := map[string]int{}
	for _, b := range s.expand(p.file, body, ctx) {
		inner := s.block(p, b, schema)
		if inner == nil {
			continue
		}
		p.inner = append(p.inner, inner)
		switch {
		case b.real:
			count[b.name]++
			p.blocks[b.name] = append(p.blocks[b.name], inner)
		case b.maybe:
			p.open[b.name] = true
		}
		if nested := schema.block(b.name); nested != nil && nested.Single && count[b.name] == 2 {
			s.refuse(p.file, RuleNesting, b.at, fmt.Sprintf("%s takes one block %s, not several", p.what, b.name),
				"remove the others")
		}
	}
}

// block checks one block of a component; nil when it does not belong there.
func (s *scope) block(p *component, b expanded, schema *Block) *component {
	inner := &component{
		kind: p.kind, name: p.name, what: fmt.Sprintf("the block %s of %s", b.name, p.what), file: p.file, at: b.at,
		own:  p.own,
		path: b.name, outer: schema,
	}
	nested := schema.block(b.name)
	if schema != nil && nested == nil {
		if _, isAttribute := schema.Attributes[b.name]; isAttribute {
			s.refuse(p.file, RuleNesting, b.at, fmt.Sprintf("%s is a setting of %s, not a block", b.name, p.what),
				fmt.Sprintf("write %s = ...", b.name))
			return nil
		}
		s.soft(p, RuleBlock, b.at, fmt.Sprintf("%s has no block %q%s", p.what, b.name, near(b.name, schema.names())), "")
		p.open[nearest(b.name, schema.names())] = true
		return nil
	}
	s.body(inner, b.body, nested, b.ctx, nil)
	return inner
}

// block is the schema of a nested block; nil for none.
func (b *Block) block(name string) *Block {
	if b == nil {
		return nil
	}
	return b.Blocks[name]
}

// unknownAttribute explains a setting that does not belong there.
func (s *scope) unknownAttribute(p *component, attr *hclsyntax.Attribute, schema *Block, extra map[string]cty.Type) {
	if _, isBlock := schema.Blocks[attr.Name]; isBlock {
		s.refuse(p.file, RuleNesting, attr.NameRange, fmt.Sprintf("%s is a block of %s, not a setting", attr.Name, p.what),
			fmt.Sprintf("write %s { ... } without =", attr.Name))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Blocks)) {
		if _, ok := schema.Blocks[name].Attributes[attr.Name]; ok {
			s.refuse(p.file, RuleNesting, attr.NameRange, fmt.Sprintf("%s has no setting %q", p.what, attr.Name),
				fmt.Sprintf("it belongs into a block: %s { %s = ... }", name, attr.Name))
			return
		}
	}
	if p.outer != nil {
		if _, ok := p.outer.Attributes[attr.Name]; ok {
			s.refuse(p.file, RuleNesting, attr.NameRange, fmt.Sprintf("%s has no setting %q", p.what, attr.Name),
				"it belongs one level up, outside of the block "+p.path)
			return
		}
	}
	candidates := append(schema.names(), slices.Sorted(maps.Keys(extra))...)
	s.soft(p, RuleAttribute, attr.NameRange,
		fmt.Sprintf("%s has no setting %q%s", p.what, attr.Name, near(attr.Name, candidates)), "")
	p.open[nearest(attr.Name, candidates)] = true
}

// soft refuses what the schema does not know, or only warns when the schema is
// of another plugin than the one that the template requires.
func (s *scope) soft(p *component, rule string, at hcl.Range, message, hint string) {
	schema := s.schema(p.kind, p.name)
	if accessor, ok := s.m.pluginOf(p.name); ok && schema != nil && schema.Plugin != "packer" &&
		s.m.plugins[accessor].source != schema.Plugin {
		s.warn(p.file, rule, at, message,
			fmt.Sprintf("as of %s %s; %s may differ", schema.Plugin, schema.Version, s.m.plugins[accessor].source))
		return
	}
	s.refuse(p.file, rule, at, message, hint)
}

// typed converts a value to the type of its setting as Packer does.
func (s *scope) typed(p *component, attr *hclsyntax.Attribute, value cty.Value, of cty.Type) cty.Value {
	converted, err := convert.Convert(value, of)
	if err != nil {
		s.refuse(p.file, RuleType, attr.Expr.Range(),
			fmt.Sprintf("%s of %s must be %s: %s", attr.Name, p.what, friendly(of), hclfile.Printable(err.Error())), "")
		return cty.UnknownVal(of)
	}
	return converted
}

func friendly(of cty.Type) string {
	switch name := of.FriendlyName(); name {
	case "bool", "string", "number":
		return "a " + name
	default:
		return "a " + name
	}
}

// expanded is a block of a body after its dynamic blocks were unrolled.
type expanded struct {
	name   string
	labels []string
	at     hcl.Range
	body   *hclsyntax.Body
	ctx    *hcl.EvalContext
	real   bool // it is there
	maybe  bool // it may be there
}

// expand unrolls the dynamic blocks of a body as far as their elements are
// known. One without elements, or with unknown ones, is returned once, so that
// its content is checked all the same.
func (s *scope) expand(file *hclfile.File, body *hclsyntax.Body, ctx *hcl.EvalContext) []expanded {
	var all []expanded
	_, again := s.repeats.each[ctx]
	for _, block := range body.Blocks {
		if block.Type != "dynamic" || len(block.Labels) != 1 {
			if again && !room(s, file, block.TypeRange, block.Body) {
				break
			}
			all = append(all, expanded{
				name: block.Type, labels: block.Labels, at: block.TypeRange, body: block.Body, ctx: ctx,
				real: true,
			})
			continue
		}
		all = append(all, s.dynamic(file, block, ctx)...)
	}
	return all
}

// elements bounds the elements of a dynamic block that are not known here, but
// to Packer.
func (s *scope) elements(expr hclsyntax.Expression, ctx *hcl.EvalContext) bound {
	if s.in.Policy == nil {
		return bound{n: 1}
	}
	b := s.cost(expr, nil, ctx)
	return bound{n: b.n, size: b.most, most: b.most}
}

// labels evaluates the labels of a dynamic block; an unknown one is empty.
func (s *scope) labels(file *hclfile.File, block *hclsyntax.Block, ctx *hcl.EvalContext) []string {
	attr, ok := block.Body.Attributes["labels"]
	if !ok {
		return nil
	}
	value, _ := s.eval(file, attr.Expr, ctx)
	return stringsOf(value)
}

// stringsOf lists the strings of a list; an unknown one is empty.
func stringsOf(value cty.Value) []string {
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() {
		return nil
	}
	var all []string
	for it := value.ElementIterator(); it.Next(); {
		_, element := it.Element()
		all = append(all, stringOf(element))
	}
	return all
}

// stringOf is the text of a known string, or an empty one.
func stringOf(value cty.Value) string {
	if !value.IsKnown() || value.IsNull() || value.Type() != cty.String {
		return ""
	}
	return value.AsString()
}
