// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:53:15Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Target is a target as it was evaluated.
type Target struct {
	Module *module.Module
	Scope  *eval.Scope
	Parts  []*parts.Part // with what builds add to sources
	Uses   int           // how often its builds name a source
	Facts  module.Cache
	Found  *finding.List
	made   map[any]*pieces // what values that are not known are made of, see piecesOf
}

// pieces are the texts that a value can be put together from.
type pieces struct {
	of                   *Target
	bad                  string
	brace, ends, begins  bool // one of them has, ends with, begins with a brace
	cuts, frees, decodes bool // cuts a text with a brace, or one that a name stands for; hides one
	writes               bool // writes braces itself
	inText               bool // in a text file, where no function gets what is put in
	raw                  bool // a text file has a brace
	cutters              int  // functions around that can take apart what they get
}

// ofRun says whether an expression is a variable that has its value from the
// environment of the run: no file of the tree sets it.
func (t *Target) ofRun(expr hclsyntax.Expression) bool {
	ref, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	return ok && ref.Traversal.RootName() == "var" &&
		t.Scope.Variables.FromEnvironment(module.AttrName(ref.Traversal, 1))
}

// ofAnotherTarget says whether a component is a source that this target does not build:
// the check of the target that does knows its values, and Packer starts no other.
func ofAnotherTarget(p *parts.Part) bool { return p.Kind == schemas.Builder && !p.Own }
