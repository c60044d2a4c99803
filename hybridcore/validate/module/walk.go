// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:41Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package module

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Roots are the names that Packer puts into every expression.
var Roots = []string{"build", "data", "local", "packer", "path", "source", "var"}

// Walk visits every expression of a body and of the blocks in it.
func Walk(body *hclsyntax.Body, known Iterators, visit func(hclsyntax.Expression, Iterators)) {
	for _, attr := range hclfile.SortedAttributes(body) {
		visit(attr.Expr, known)
	}
	for _, block := range body.Blocks {
		if block.Type == "dynamic" && len(block.Labels) == 1 {
			walkDynamic(block, known, visit)
			continue
		}
		Walk(block.Body, known, visit)
	}
}

func walkDynamic(block *hclsyntax.Block, known Iterators, visit func(hclsyntax.Expression, Iterators)) {
	inner := known.with(IteratorName(block))
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		switch attr.Name {
		case "iterator": // a name, not a reference
		case "labels":
			visit(attr.Expr, inner)
		default:
			visit(attr.Expr, known)
		}
	}
	for _, content := range block.Body.Blocks {
		Walk(content.Body, inner, visit)
	}
}

// IteratorName is the name by which a dynamic block's content refers to its
// element.
func IteratorName(block *hclsyntax.Block) string {
	if attr, ok := block.Body.Attributes["iterator"]; ok {
		if name := hcl.ExprAsKeyword(attr.Expr); name != "" {
			return name
		}
	}
	return block.Labels[0]
}

// Expressions visits the expressions of a template that are evaluated
// with references.
func Expressions(file *hclfile.File, visit func(hclsyntax.Expression, Iterators)) {
	for _, block := range file.Body.Blocks {
		switch block.Type {
		case "packer", "variables": // literals only
		case "variable":
			for _, inner := range block.Body.Blocks {
				Walk(inner.Body, nil, visit)
			}
		default:
			Walk(block.Body, nil, visit)
		}
	}
}

// AttrName is the name of a step of a traversal, or an empty text.
func AttrName(t hcl.Traversal, step int) string {
	if step >= len(t) {
		return ""
	}
	switch s := t[step].(type) {
	case hcl.TraverseAttr:
		return s.Name
	case hcl.TraverseIndex:
		if s.Key.Type().FriendlyName() == "string" {
			return s.Key.AsString()
		}
	}
	return ""
}

// Plain is the reference that an expression consists of.
func Plain(expr hclsyntax.Expression) (hcl.Traversal, bool) {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return e.Traversal, true
	case *hclsyntax.TemplateWrapExpr:
		return Plain(e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return Plain(e.Expression)
	default:
		return nil, false
	}
}
