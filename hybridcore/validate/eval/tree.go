// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

// Package eval evaluates the expressions of a target by Packer's own rules as far as
// their values are known, and never beyond a fixed amount of work, which is bounded
// before anything is evaluated.
package eval

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Limits of the work. A unit of work is one node of an expression evaluated
// once. Real projects stay far below: a target of this project's own templates
// costs 2,200.
const (
	maxValue      = 1 << 20 // bytes and elements of one value
	maxExpression = 1 << 16 // units of work of one expression
	maxTargetWork = 1 << 17 // of one target
	maxTreeWork   = 1 << 19 // of all targets together, and workPerTarget for each
	workPerTarget = 1 << 14
	maxPackerWork = 1 << 22 // of one target, done by Packer alone, with a policy
)

// Tree is what the targets of a tree have in common that are checked one after the other.
type Tree struct {
	Files     map[string][]byte // contents by path from the project root
	Targets   int               // of the whole tree: each adds to the work that is allowed
	Untrusted bool              // its author is not trusted: what only Packer does counts too
	Schemas   *schemas.Reader
	Facts     module.Cache
	Found     *finding.List
	texts     map[string]text // what templatefile renders, by path
	work      int
}

// Expression is an expression with the file that holds it.
type Expression struct {
	File *hclfile.File
	Expr hclsyntax.Expression
}

// text is a file that templatefile renders, parsed; or what is wrong with it.
type text struct {
	parsed   *Expression
	problems []hybridcore.Finding
}

func (t *Tree) text(from string) text {
	if known, ok := t.texts[from]; ok {
		return known
	}
	if t.texts == nil {
		t.texts = map[string]text{}
	}
	file, expr, err := hclfile.ParseText(t.Files[from], from)
	if err != nil {
		problems := hclfile.Findings(from, err)[:1] // the others are mostly its echo
		problems[0].Rule = finding.RuleTemplate
		t.texts[from] = text{problems: problems}
	} else {
		t.texts[from] = text{parsed: &Expression{file, expr}}
	}
	return t.texts[from]
}
