// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

// Package parts evaluates the parts of a target, its sources, data sources, provisioners and
// post-processors, and holds them against the schemas of their plugins.
package parts

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Part is one source, provisioner, post-processor or data source of a target, or a
// block within, as it was evaluated.
type Part struct {
	Kind   schemas.Kind
	Name   string // vsphere-iso
	What   string // as messages call it: the source vsphere-iso.linux
	File   *hclfile.File
	At     hcl.Range
	Body   *hclsyntax.Body // as it is written
	Own    bool            // it is what the target builds
	Attrs  map[string]Setting
	Blocks map[string][]*Part
	Inner  []*Part // all blocks, also those that may be there
	// open names settings and blocks that may be there: a dynamic block whose
	// elements are not known, or what a misspelt name stands for.
	open  map[string]bool
	path  string         // of a block: its name
	outer *schemas.Block // of a block: the schema of the body around, for hints
}

// Setting is one attribute with its value.
type Setting struct {
	Attr  *hclsyntax.Attribute
	Value cty.Value // unknown when it cannot be told
}

// Set says whether an attribute has, or may have, a value that counts.
func (p *Part) Set(name string) bool {
	if s, ok := p.Attrs[name]; ok {
		return !eval.IsEmpty(s.Value)
	}
	return len(p.Blocks[name]) > 0 || p.open[name]
}

// Each visits a component and the blocks in it, also those that may be there.
func (p *Part) Each(visit func(*Part)) {
	visit(p)
	for _, inner := range p.Inner {
		inner.Each(visit)
	}
}
