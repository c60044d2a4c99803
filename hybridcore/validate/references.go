// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// roots are the names that Packer puts into every expression.
var roots = []string{"build", "data", "local", "packer", "path", "source", "var"}

// walkExpressions visits every expression of a body and of the blocks in it.
func walkExpressions(body *hclsyntax.Body, known iterators, visit func(hclsyntax.Expression, iterators)) {
	for _, attr := range hclfile.SortedAttributes(body) {
		visit(attr.Expr, known)
	}
	for _, block := range body.Blocks {
		inner := known
		if block.Type == "dynamic" && len(block.Labels) == 1 {
			walkDynamic(block, known, visit)
			continue
		}
		walkExpressions(block.Body, inner, visit)
	}
}

func walkDynamic(block *hclsyntax.Block, known iterators, visit func(hclsyntax.Expression, iterators)) {
	inner := known.with(iteratorName(block))
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
		walkExpressions(content.Body, inner, visit)
	}
}

// iteratorName is the name by which a dynamic block's content refers to its
// element.
func iteratorName(block *hclsyntax.Block) string {
	if attr, ok := block.Body.Attributes["iterator"]; ok {
		if name := hcl.ExprAsKeyword(attr.Expr); name != "" {
			return name
		}
	}
	return block.Labels[0]
}

// templateExpressions visits the expressions of a template that are evaluated
// with references.
func templateExpressions(file *hclfile.File, visit func(hclsyntax.Expression, iterators)) {
	for _, block := range file.Body.Blocks {
		switch block.Type {
		case "packer", "variables": // literals only
		case "variable":
			for _, inner := range block.Body.Blocks {
				walkExpressions(inner.Body, nil, visit)
			}
		default:
			walkExpressions(block.Body, nil, visit)
		}
	}
}

// references notes which declarations the file uses. A variable's own
// validation is no use.
func (c *checker) references(file *hclfile.File) {
	if isVarFile(file.Path) {
		return
	}
	for _, block := range file.Body.Blocks {
		if block.Type == "variable" || block.Type == "packer" || block.Type == "variables" {
			continue
		}
		walkExpressions(block.Body, nil, func(expr hclsyntax.Expression, _ iterators) {
			for _, t := range c.factsOf(expr).traversals {
				root, name := t.RootName(), attrName(t, 1)
				if root == "data" {
					name += "." + attrName(t, 2)
				}
				c.used[root+"."+name] = true
			}
		})
	}
}

// attrName is the name of a step of a traversal, or an empty text.
func attrName(t hcl.Traversal, step int) string {
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

// undeclared refuses references and functions that do not exist.
func (c *checker) undeclared(m *module, file *hclfile.File) {
	templateExpressions(file, func(expr hclsyntax.Expression, known iterators) {
		f := c.factsOf(expr)
		for _, t := range f.traversals {
			if message, hint := m.missing(t, known); message != "" {
				f.unsound = true
				c.used[m.meant(t)] = true
				c.refuse(file, RuleReference, t.SourceRange(), message, hint)
			}
		}
		for _, call := range f.calls {
			if _, ok := functions[call.Name]; !ok {
				f.unsound = true
				hint := "see https://developer.hashicorp.com/packer/docs/templates/hcl_templates/functions"
				if call.Name == "env" {
					hint = "Packer allows env only in the default of a variable, and packer-hybrid not at all: export PKR_VAR_NAME"
				}
				c.refuse(file, RuleFunction, call.NameRange,
					fmt.Sprintf("Packer has no function %q here%s", call.Name,
						near(call.Name, slices.Sorted(maps.Keys(functions)))), hint)
			}
		}
	})
}

// meant is what a misspelt reference likely means, so that it is not called
// unused too.
func (m *module) meant(t hcl.Traversal) string {
	name := attrName(t, 1)
	switch t.RootName() {
	case "var":
		return "var." + nearest(name, sortedKeys(m.variables))
	case "local":
		return "local." + nearest(name, sortedKeys(m.locals))
	default:
		return ""
	}
}

// missing says what a reference lacks, or nothing.
func (m *module) missing(t hcl.Traversal, known iterators) (message, hint string) {
	root := t.RootName()
	if known[root] {
		return "", ""
	}
	name := attrName(t, 1)
	switch root {
	case "var":
		if _, ok := m.variables[name]; !ok {
			return fmt.Sprintf("no variable %q is declared%s", name,
				near(name, slices.Sorted(maps.Keys(m.variables)))), fmt.Sprintf("declare it: variable %q { type = string }", name)
		}
	case "local":
		if _, ok := m.locals[name]; !ok {
			return fmt.Sprintf("no local value %q is declared%s", name,
				near(name, slices.Sorted(maps.Keys(m.locals)))), "declare it in a locals block"
		}
	case "data":
		ref := name + "." + attrName(t, 2)
		if _, ok := m.datas[ref]; !ok {
			return fmt.Sprintf("no data source %q is declared%s", ref,
				near(ref, slices.Sorted(maps.Keys(m.datas)))), "declare it in a data block"
		}
	case "build", "packer", "path", "source":
	default:
		return fmt.Sprintf("%q refers to nothing%s", root,
			near(root, slices.Concat(roots,
				slices.Sorted(maps.Keys(known))))), "a value is var.NAME, local.NAME or data.TYPE.NAME.ATTRIBUTE; text needs quotes"
	}
	return "", ""
}
