// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"fmt"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// budget is what the evaluations of a target have cost.
type budget struct {
	tree      *Tree
	spent     int
	packers   int  // work that only Packer has
	exhausted bool // something was beyond it, which is reported once
}

// pay takes what an evaluation costs, unless the target or the tree has used up
// its share; the first expression that is too much is reported.
func (u *budget) pay(at Expression, b bound) bool {
	if why := u.beyond(b); why != "" {
		if !u.exhausted {
			u.tree.Found.Refuse(at.File, finding.RuleWork, at.Expr.Range(), "this expression is too expensive to evaluate: "+why,
				"nested loops multiply, and so do lists and texts that are joined with each other; simplify it")
		}
		u.exhausted = true
		return false
	}
	u.spent += b.work
	u.tree.work += b.work
	u.packers += b.slow
	return true
}

// beyond says which limit an evaluation would pass, or nothing.
func (u *budget) beyond(b bound) string {
	tree := maxTreeWork + workPerTarget*u.tree.Targets
	switch {
	case b.why != "":
		return b.why
	case b.size > maxValue:
		return fmt.Sprintf("its value may have %s bytes or elements, and the limit is %d", amount(b.size), maxValue)
	case b.work > maxExpression:
		return fmt.Sprintf("it may take %s steps, and the limit of one expression is %d", amount(b.work), maxExpression)
	case u.spent+b.work > maxTargetWork:
		return fmt.Sprintf("with it the target may take %s steps, and its limit is %d", amount(u.spent+b.work), maxTargetWork)
	case u.tree.work+b.work > tree:
		return fmt.Sprintf("with it the targets together may take %s steps, and their limit is %d",
			amount(u.tree.work+b.work), tree)
	case u.tree.Untrusted && u.packers+b.slow > maxPackerWork:
		return fmt.Sprintf("Packer may take %s steps for the target, and the limit is %d, about a second",
			amount(u.packers+b.slow), maxPackerWork)
	default:
		return ""
	}
}

// times says what Packer takes if it evaluates all of this n times, when that is
// more than it may take; nothing otherwise.
func (u *budget) times(n int) string {
	total := product(n, capped(u.spent+u.packers))
	if total <= maxPackerWork {
		return ""
	}
	return fmt.Sprintf("%s steps, and the limit is %d", amount(total), maxPackerWork)
}

// amount is a number as a message says it.
func amount(n int) string {
	if n >= tooMuch {
		return "any number of"
	}
	return strconv.Itoa(n)
}
