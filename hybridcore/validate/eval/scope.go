// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// Scope evaluates the expressions of one target.
type Scope struct {
	Stage     Stage
	Variables Variables
	Context   *hcl.EvalContext // what every expression of the module sees
	tree      *Tree
	module    *module.Module
	budget    budget
	sizes     sizes // of variables and local values
	repeats   repeats
	rendered  rendered
}

// repeats is what the dynamic blocks of a target repeat.
type repeats struct {
	each    map[*hcl.EvalContext]bound // the elements that are not known, by where they are evaluated
	unknown []Expression               // the lists that are not known
	made    int                        // blocks and settings so far
}

// rendered is what the calls of templatefile in a target may render.
type rendered struct {
	texts  map[string]Expression // by path in the project
	sizes  sizes                 // of values in the text that is being bounded
	looked int                   // bytes of such texts
}

// Exhausted says whether the target was refused as too expensive.
func (s *Scope) Exhausted() bool { return s.budget.exhausted }

// Beyond says what Packer takes if it evaluates the target n times, when that is
// more than it may take; nothing otherwise.
func (s *Scope) Beyond(n int) string { return s.budget.times(n) }

// Unknown are the lists of dynamic blocks that are not known here.
func (s *Scope) Unknown() []Expression { return s.repeats.unknown }

// Texts are those that templatefile may render.
func (s *Scope) Texts() []Expression {
	var all []Expression
	for _, from := range slices.Sorted(maps.Keys(s.rendered.texts)) {
		all = append(all, s.rendered.texts[from])
	}
	return all
}
