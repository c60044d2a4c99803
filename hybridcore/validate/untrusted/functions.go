// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:57:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// functions refuses those that read more than the tree, wherever they stand:
// also in defaults, which Packer evaluates first.
func (t *Target) functions(file *hclfile.File, paths map[hclsyntax.Expression]bool) {
	module.Walk(file.Body, nil, func(expr hclsyntax.Expression, _ module.Iterators) {
		facts := t.Facts.Of(expr)
		for _, call := range facts.Calls {
			what := eval.Reads(call.Name)
			switch {
			case call.Name == "env":
				what = "the environment"
			case call.Name == "abspath" && (!paths[expr] || len(facts.Calls) > 1):
				what = "where the stage is"
			}
			if what != "" {
				t.Found.Refuse(file, finding.RulePolicyCall, call.NameRange,
					fmt.Sprintf("%s() reads %s when Packer only validates", call.Name, what), "give the value as a variable")
			}
		}
		for _, ref := range facts.Traversals {
			if ref.RootName() == "path" && module.AttrName(ref, 1) != "root" {
				t.Found.Refuse(file, finding.RulePolicyPath, ref.SourceRange(), "path.cwd leads out of the tree",
					"name files from ${path.root}")
			}
		}
	})
}

// calls refuses functions that read anything in a text that templatefile renders:
// Packer has all of its functions there.
func (t *Target) calls(text eval.Expression) {
	for _, call := range t.Facts.Of(text.Expr).Calls {
		if eval.Reads(call.Name) != "" || call.Name == "env" || call.Name == "abspath" || slices.Contains(eval.Readers,
			call.Name) {
			t.Found.Refuse(text.File, finding.RulePolicyCall, call.NameRange,
				call.Name+"() reads something in a text that templatefile renders", "give the text its values")
		}
	}
}
