// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// facts is what an expression refers to, found once.
type facts struct {
	traversals []hcl.Traversal
	calls      []*hclsyntax.FunctionCallExpr
	// loops says of the names that loops bind whether each holds what fileset
	// found: names of files below a folder.
	loops   map[string]bool
	unsound bool // refers to something that does not exist: not evaluated
}

func (c *checker) factsOf(expr hclsyntax.Expression) *facts {
	if known, ok := c.facts[expr]; ok {
		return known
	}
	f := &facts{traversals: expr.Variables()}
	_ = hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics { // the callback gives none
		switch n := node.(type) {
		case *hclsyntax.FunctionCallExpr:
			f.calls = append(f.calls, n)
		case *hclsyntax.ForExpr:
			f.loop(n)
		}
		return nil
	})
	c.facts[expr] = f
	return f
}

// loop notes the names that a loop binds.
func (f *facts) loop(e *hclsyntax.ForExpr) {
	if f.loops == nil {
		f.loops = map[string]bool{}
	}
	call, ok := e.CollExpr.(*hclsyntax.FunctionCallExpr)
	found := ok && call.Name == "fileset"
	if before, again := f.loops[e.ValVar]; again {
		found = found && before
	}
	f.loops[e.ValVar] = found
	if e.KeyVar != "" {
		f.loops[e.KeyVar] = false
	}
}

// iterators are the names that dynamic blocks add.
type iterators map[string]bool

func (i iterators) with(name string) iterators {
	more := maps.Clone(i)
	if more == nil {
		more = iterators{}
	}
	more[name] = true
	return more
}
