// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// checker checks the files of a tree, each once.
type checker struct {
	in     Input
	parsed map[string]*hclfile.File // nil for a file that does not parse
	found  *finding.List
	facts  module.Cache
	used   map[string]bool // what any template refers to: var.NAME, local.NAME, data.TYPE.NAME
}

// declared lists the variables that any template of the tree declares.
func (c *checker) declared() map[string]hclfile.Declaration {
	all := map[string]hclfile.Declaration{}
	for _, name := range slices.Sorted(maps.Keys(c.parsed)) {
		file := c.parsed[name]
		if file == nil || isVarFile(name) {
			continue
		}
		declared, _ := file.Declarations()
		for _, d := range declared {
			all[d.Name] = d
		}
	}
	return all
}

// unused warns of variables and locals that no template refers to.
// What only another platform's template uses is used.
func (c *checker) unused() {
	for _, name := range slices.Sorted(maps.Keys(c.parsed)) {
		file := c.parsed[name]
		if file == nil || isVarFile(name) || c.broken() {
			continue
		}
		for _, block := range file.Body.Blocks {
			switch {
			case block.Type == "variable" && len(block.Labels) == 1 && !c.used["var."+block.Labels[0]]:
				c.found.Warn(file, finding.RuleUnused, block.DefRange(),
					fmt.Sprintf("nothing uses the variable %s", block.Labels[0]),
					"remove it, here and from the variable files")
			case block.Type == "local" && len(block.Labels) == 1 && !c.used["local."+block.Labels[0]]:
				c.found.Warn(file, finding.RuleUnused, block.DefRange(),
					fmt.Sprintf("nothing uses the local value %s", block.Labels[0]),
					"remove it")
			case block.Type == "data" && len(block.Labels) == 2 && !c.used["data."+block.Labels[0]+"."+block.Labels[1]]:
				c.found.Warn(file, finding.RuleUnused, block.DefRange(),
					fmt.Sprintf("nothing uses the data source %s", block.Labels[1]),
					"remove it: Packer reads it all the same")
			case block.Type == "locals":
				for _, attr := range hclfile.SortedAttributes(block.Body) {
					if !c.used["local."+attr.Name] {
						c.found.Warn(file, finding.RuleUnused, attr.NameRange, "nothing uses the local value "+attr.Name, "remove it")
					}
				}
			}
		}
	}
}

// broken says whether a template could not be read: what it would use is not
// known.
func (c *checker) broken() bool {
	for name, file := range c.parsed {
		if file == nil && !isVarFile(name) {
			return true
		}
	}
	return false
}

// varFile finds values of variables that nobody declares.
func (c *checker) varFile(file *hclfile.File, declared map[string]hclfile.Declaration) {
	values, problems := file.Literals()
	c.found.Take(problems)
	if c.broken() {
		return
	}
	names := slices.Sorted(maps.Keys(declared))
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		if _, ok := values[attr.Name]; !ok || c.found.Full() {
			continue
		}
		if _, ok := declared[attr.Name]; !ok {
			c.found.Refuse(file, finding.RuleVarFile, attr.NameRange,
				fmt.Sprintf("no template declares the variable %q%s", attr.Name,
					finding.Near(attr.Name, names)),
				"correct the name, or declare it in templates/variables.pkr.hcl, templates/os/ or templates/platforms/")
		}
	}
	secrets{c.found}.attributes(file, file.Body)
}

// references notes which declarations the file uses. A variable's own
// validation is no use.
func (c *checker) references(file *hclfile.File) {
	if isVarFile(file.Path) {
		return
	}
	for _, block := range file.Body.Blocks {
		if block.Type == "variable" || block.Type == "packer" || block.Type == "variables" {
			continue
		}
		module.Walk(block.Body, nil, func(expr hclsyntax.Expression, _ module.Iterators) {
			for _, t := range c.facts.Of(expr).Traversals {
				root, name := t.RootName(), module.AttrName(t, 1)
				if root == "data" {
					name += "." + module.AttrName(t, 2)
				}
				c.used[root+"."+name] = true
			}
		})
	}
}
