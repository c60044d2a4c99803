// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
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
	Schemas schemas.Set
	// Policy, when set, treats the tree as written by somebody who is not
	// trusted.
	Policy *untrusted.Policy
}

// Target is one staged target: its files and its resolved variables.
type Target struct {
	hybridcore.Target
	Prod bool // the stricter rules of production apply
}

func isVarFile(name string) bool { return strings.HasSuffix(name, ".pkrvars.hcl") }
