// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

const (
	// maxRepeated is how many blocks and settings the dynamic blocks of a target make,
	// at all levels together: nested lists multiply.
	maxRepeated = 8192
	// bytesPerRepeated is how many bytes of a repeated text count as one more.
	bytesPerRepeated = 512
)

// room counts one more block that is repeated, with its settings; false when it is
// beyond the limit of the target, which is reported once.
func room(s *scope, file *hclfile.File, at hcl.Range, body *hclsyntax.Body) bool {
	if s.repeats.made > maxRepeated {
		return false
	}
	written := body.SrcRange.End.Byte - body.SrcRange.Start.Byte
	s.repeats.made += 1 + len(body.Attributes) + written/bytesPerRepeated
	if s.repeats.made <= maxRepeated {
		return true
	}
	s.refuse(file, RuleWork, at,
		fmt.Sprintf("the dynamic blocks of this target make more than %d blocks and settings", maxRepeated),
		"shorten the list: nested ones multiply")
	return false
}

// repeated is what a dynamic block repeats, and over what; it refuses what Packer does
// not know in one.
func (s *scope) repeated(file *hclfile.File, block *hclsyntax.Block) (
	content *hclsyntax.Body, each *hclsyntax.Attribute, ok bool,
) {
	for _, inner := range block.Body.Blocks {
		if inner.Type == "content" {
			content = inner.Body
			continue
		}
		s.refuse(file, RuleBlock, inner.TypeRange,
			fmt.Sprintf("a dynamic block has no block %q%s", inner.Type, near(inner.Type, []string{"content"})), "")
	}
	each, ok = block.Body.Attributes["for_each"]
	if !ok || content == nil {
		s.refuse(file, RuleBlock, block.TypeRange, "a dynamic block needs for_each and content",
			`write dynamic "NAME" { for_each = LIST, content { ... } }`)
		return nil, nil, false
	}
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		if names := []string{"for_each", "iterator", "labels"}; !slices.Contains(names, attr.Name) {
			s.refuse(file, RuleAttribute, attr.NameRange,
				fmt.Sprintf("a dynamic block has no setting %q%s", attr.Name, near(attr.Name, names)), "")
		}
	}
	return content, each, true
}

func (s *scope) dynamic(file *hclfile.File, block *hclsyntax.Block, ctx *hcl.EvalContext) []expanded {
	content, each, ok := s.repeated(file, block)
	if !ok || !room(s, file, each.Expr.Range(), content) {
		return nil
	}
	size := s.elements(each.Expr, ctx)
	element := func(key, value cty.Value, real, maybe bool) expanded {
		inner := ctx.NewChild()
		s.repeats.each[inner] = size
		if real {
			s.repeats.each[inner] = bound{n: 1, size: size.most}
		}
		inner.Variables = map[string]cty.Value{iteratorName(block): cty.ObjectVal(map[string]cty.Value{
			"key":   key,
			"value": value,
		})}
		return expanded{
			name: block.Labels[0], labels: s.labels(file, block, inner), at: block.LabelRanges[0], body: content,
			ctx: inner, real: real, maybe: maybe,
		}
	}
	value, _ := s.eval(file, each.Expr, ctx)
	if !value.IsWhollyKnown() {
		s.repeats.unknown = append(s.repeats.unknown, unrolled{file, each.Expr})
	}
	if !value.IsKnown() || value.IsNull() {
		return []expanded{element(cty.DynamicVal, cty.DynamicVal, false, true)}
	}
	if !value.CanIterateElements() {
		s.refuse(file, RuleType, each.Expr.Range(), "for_each must be a list, a set, a map or an object", "")
		return nil
	}
	if s.in.Policy != nil && value.LengthInt() > maxElements {
		s.refuse(file, RuleWork, each.Expr.Range(),
			fmt.Sprintf("a dynamic block of %d elements, and the limit is %d", value.LengthInt(),
				maxElements), "shorten the list")
	}
	var all []expanded
	for it := value.ElementIterator(); it.Next() && len(all) < maxElements; {
		if len(all) > 0 && !room(s, file, each.Expr.Range(), content) {
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
