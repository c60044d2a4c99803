// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

// Package module reads the templates that Packer loads together: what they declare, require and
// refer to, as far as no value of a variable is needed for it.
package module

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Module is the set of *.pkr.hcl files that Packer loads together.
type Module struct {
	Files     []*hclfile.File
	Broken    bool // a file is missing or does not parse: nothing more can be said
	Variables map[string]hclfile.Declaration
	Locals    map[string]*Local
	Datas     map[string]Placed // "TYPE.NAME"
	Sources   map[string]Placed // "TYPE.NAME"
	Builds    []Placed
	Plugins   map[string]Plugin // by the name that components begin with
	// Validations are the variables with their conditions.
	Validations []Placed
	versions    []string // constraints on Packer
	names       names
}

// names are those that references may mean, sorted.
type names struct{ variables, locals, datas []string }

// Placed is a block with the file that holds it.
type Placed struct {
	File  *hclfile.File
	Block *hclsyntax.Block
	Name  string
}

// Local is one local value.
type Local struct {
	File *hclfile.File
	Name string
	Attr *hclsyntax.Attribute
}

// Plugin is one entry of required_plugins.
type Plugin struct {
	Source string
	File   *hclfile.File
	At     hcl.Range
}

// Reader reads the modules of a tree.
type Reader struct {
	Files     map[string]*hclfile.File // parsed, by path; nil for one that does not parse
	Functions []string                 // that Packer has, sorted
	Schemas   *schemas.Reader
	Facts     Cache
	Found     *finding.List
	Used      map[string]bool // takes what is referred to: var.NAME, local.NAME, data.TYPE.NAME
}

// PluginOf finds the required plugin of a component: the one whose name it has
// or begins with, before a hyphen.
func (m *Module) PluginOf(component string) (string, bool) {
	best, found := "", false
	for accessor := range m.Plugins {
		if (component == accessor || strings.HasPrefix(component, accessor+"-")) && len(accessor) >= len(best) {
			best, found = accessor, true
		}
	}
	return best, found
}

// Sorted are some blocks by their names.
func Sorted(all map[string]Placed) []Placed {
	var list []Placed
	for _, p := range all {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Placed) int { return strings.Compare(a.Name, b.Name) })
	return list
}
