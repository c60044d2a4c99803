// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package eval

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// Block is a block of a body after its dynamic blocks were unrolled.
type Block struct {
	Type    string
	Labels  []string
	At      hcl.Range
	Body    *hclsyntax.Body
	Context *hcl.EvalContext
	Real    bool // it is there
	Maybe   bool // it may be there
}

// maxElements is how many elements of a dynamic block are expanded.
const maxElements = 100

const (
	// maxRepeated is how many blocks and settings the dynamic blocks of a target make,
	// at all levels together: nested lists multiply.
	maxRepeated = 8192
	// bytesPerRepeated is how many bytes of a repeated text count as one more.
	bytesPerRepeated = 512
)

// Blocks unrolls the dynamic blocks of a body as far as their elements are
// known. One without elements, or with unknown ones, is returned once, so that
// its content is checked all the same.
func (s *Scope) Blocks(file *hclfile.File, body *hclsyntax.Body, ctx *hcl.EvalContext) []Block {
	var all []Block
	_, again := s.repeats.each[ctx]
	for _, block := range body.Blocks {
		if block.Type != "dynamic" || len(block.Labels) != 1 {
			if again && !s.room(file, block.TypeRange, block.Body) {
				break
			}
			all = append(all, Block{
				Type: block.Type, Labels: block.Labels, At: block.TypeRange, Body: block.Body, Context: ctx, Real: true,
			})
			continue
		}
		all = append(all, s.dynamic(file, block, ctx)...)
	}
	return all
}

// room counts one more block that is repeated, with its settings; false when it is
// beyond the limit of the target, which is reported once.
func (s *Scope) room(file *hclfile.File, at hcl.Range, body *hclsyntax.Body) bool {
	if s.repeats.made > maxRepeated {
		return false
	}
	written := body.SrcRange.End.Byte - body.SrcRange.Start.Byte
	s.repeats.made += 1 + len(body.Attributes) + written/bytesPerRepeated
	if s.repeats.made <= maxRepeated {
		return true
	}
	s.tree.Found.Refuse(file, finding.RuleWork, at,
		fmt.Sprintf("the dynamic blocks of this target make more than %d blocks and settings", maxRepeated),
		"shorten the list: nested ones multiply")
	return false
}

// repeated is what a dynamic block repeats, and over what; it refuses what Packer does
// not know in one.
func (s *Scope) repeated(file *hclfile.File, block *hclsyntax.Block) (
	content *hclsyntax.Body, each *hclsyntax.Attribute, ok bool,
) {
	for _, inner := range block.Body.Blocks {
		if inner.Type == "content" {
			content = inner.Body
			continue
		}
		s.tree.Found.Refuse(file, finding.RuleBlock, inner.TypeRange,
			fmt.Sprintf("a dynamic block has no block %q%s", inner.Type, finding.Near(inner.Type, []string{"content"})), "")
	}
	each, ok = block.Body.Attributes["for_each"]
	if !ok || content == nil {
		s.tree.Found.Refuse(file, finding.RuleBlock, block.TypeRange, "a dynamic block needs for_each and content",
			`write dynamic "NAME" { for_each = LIST, content { ... } }`)
		return nil, nil, false
	}
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		if names := []string{"for_each", "iterator", "labels"}; !slices.Contains(names, attr.Name) {
			s.tree.Found.Refuse(file, finding.RuleAttribute, attr.NameRange,
				fmt.Sprintf("a dynamic block has no setting %q%s", attr.Name, finding.Near(attr.Name, names)), "")
		}
	}
	return content, each, true
}

func (s *Scope) dynamic(file *hclfile.File, block *hclsyntax.Block, ctx *hcl.EvalContext) []Block {
	content, each, ok := s.repeated(file, block)
	if !ok || !s.room(file, each.Expr.Range(), content) {
		return nil
	}
	size := s.elements(each.Expr, ctx)
	element := func(key, value cty.Value, real, maybe bool) Block {
		inner := ctx.NewChild()
		s.repeats.each[inner] = size
		if real {
			s.repeats.each[inner] = bound{n: 1, size: size.most}
		}
		inner.Variables = map[string]cty.Value{module.IteratorName(block): cty.ObjectVal(map[string]cty.Value{
			"key":   key,
			"value": value,
		})}
		return Block{
			Type: block.Labels[0], Labels: s.labels(file, block, inner), At: block.LabelRanges[0], Body: content,
			Context: inner, Real: real, Maybe: maybe,
		}
	}
	value, _ := s.Value(file, each.Expr, ctx)
	if !value.IsWhollyKnown() {
		s.repeats.unknown = append(s.repeats.unknown, Expression{file, each.Expr})
	}
	if !value.IsKnown() || value.IsNull() {
		return []Block{element(cty.DynamicVal, cty.DynamicVal, false, true)}
	}
	if !value.CanIterateElements() {
		s.tree.Found.Refuse(file, finding.RuleType, each.Expr.Range(), "for_each must be a list, a set, a map or an object",
			"")
		return nil
	}
	if s.tree.Untrusted && value.LengthInt() > maxElements {
		s.tree.Found.Refuse(file, finding.RuleWork, each.Expr.Range(),
			fmt.Sprintf("a dynamic block of %d elements, and the limit is %d", value.LengthInt(),
				maxElements), "shorten the list")
	}
	var all []Block
	for it := value.ElementIterator(); it.Next() && len(all) < maxElements; {
		if len(all) > 0 && !s.room(file, each.Expr.Range(), content) {
			break
		}
		key, val := it.Element()
		all = append(all, element(key, val, true, true))
	}
	if len(all) == 0 {
		all = append(all, element(cty.DynamicVal, cty.DynamicVal, false, false))
	}
	return all
}

// elements bounds the elements of a dynamic block that are not known here, but
// to Packer.
func (s *Scope) elements(expr hclsyntax.Expression, ctx *hcl.EvalContext) bound {
	if !s.tree.Untrusted {
		return bound{n: 1}
	}
	b := s.in(ctx).cost(expr)
	return bound{n: b.n, size: b.most, most: b.most}
}

// labels evaluates the labels of a dynamic block; an unknown one is empty.
func (s *Scope) labels(file *hclfile.File, block *hclsyntax.Block, ctx *hcl.EvalContext) []string {
	attr, ok := block.Body.Attributes["labels"]
	if !ok {
		return nil
	}
	value, _ := s.Value(file, attr.Expr, ctx)
	return StringsOf(value)
}
