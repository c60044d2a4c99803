// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package module

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Facts is what an expression refers to, found once.
type Facts struct {
	Traversals []hcl.Traversal
	Calls      []*hclsyntax.FunctionCallExpr
	// Loops says of the names that loops bind whether each holds what fileset
	// found: names of files below a folder.
	Loops   map[string]bool
	Unsound bool // refers to something that does not exist: not evaluated
}

// Cache keeps the facts of expressions.
type Cache map[hclsyntax.Expression]*Facts

// Of are the facts of an expression.
func (c Cache) Of(expr hclsyntax.Expression) *Facts {
	if known, ok := c[expr]; ok {
		return known
	}
	f := &Facts{Traversals: expr.Variables()}
	_ = hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics { // the callback gives none
		switch n := node.(type) {
		case *hclsyntax.FunctionCallExpr:
			f.Calls = append(f.Calls, n)
		case *hclsyntax.ForExpr:
			f.loop(n)
		}
		return nil
	})
	c[expr] = f
	return f
}

// loop notes the names that a loop binds.
func (f *Facts) loop(e *hclsyntax.ForExpr) {
	if f.Loops == nil {
		f.Loops = map[string]bool{}
	}
	call, ok := e.CollExpr.(*hclsyntax.FunctionCallExpr)
	found := ok && call.Name == "fileset"
	if before, again := f.Loops[e.ValVar]; again {
		found = found && before
	}
	f.Loops[e.ValVar] = found
	if e.KeyVar != "" {
		f.Loops[e.KeyVar] = false
	}
}

// Iterators are the names that dynamic blocks add.
type Iterators map[string]bool

func (i Iterators) with(name string) Iterators {
	more := maps.Clone(i)
	if more == nil {
		more = Iterators{}
	}
	more[name] = true
	return more
}
