// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Kinds of findings beyond those of hybridcore. A finding of these kinds that
// blocks is a broken rule, not a broken form.
const (
	KindPolicy = "policy" // allowed by Packer, not allowed here
	KindLeak   = "leak"   // a secret where everybody can read it
)

// Input is a tree with its targets.
type Input struct {
	// Files holds contents by path from the project root: everything that the
	// targets name, all templates and all variable files. A file that is not
	// here does not exist.
	Files map[string][]byte
	// Parsed holds HCL files that the caller has parsed already, by the same
	// paths; the others are parsed once.
	Parsed  map[string]*hclfile.File
	Targets []Target
	// Used names variables that are used although no template refers to them.
	Used []string
	// Schemas are what components take.
	Schemas Schemas
	// Policy, when set, treats the tree as written by somebody who is not
	// trusted: see Policy.
	Policy *Policy
}

// Target is one staged target: its files and its resolved variables.
type Target struct {
	hybridcore.Target
	Prod bool // the stricter rules of production apply
}

// checker carries one check.
type checker struct {
	in       Input
	parsed   map[string]*hclfile.File // nil for a file that does not parse
	texts    map[string]*text         // parsed templatefile sources
	modules  map[string]*module
	used     map[string]bool // names of variables that any template refers to
	facts    map[hclsyntax.Expression]*facts
	schemas  map[string]*Schema
	work     int
	seen     map[hybridcore.Finding]bool
	findings []hybridcore.Finding
}

func isVarFile(name string) bool { return strings.HasSuffix(name, ".pkrvars.hcl") }

// Limits of one check. A unit of work is one node of an expression evaluated
// once. Real projects stay far below: a target of this project's own templates
// costs 2,200.
const (
	maxFindings   = 200     // listed in one answer
	maxValue      = 1 << 20 // bytes and elements of one value
	maxExpression = 1 << 16 // units of work of one expression
	maxTargetWork = 1 << 17 // of one target
	maxTreeWork   = 1 << 19 // of all targets together, and workPerTarget for each
	workPerTarget = 1 << 14
	maxPackerWork = 1 << 22 // of one target, done by Packer alone, with a policy
)

// text is a parsed templatefile source.
type text struct {
	file *hclfile.File
	expr hclsyntax.Expression
}
