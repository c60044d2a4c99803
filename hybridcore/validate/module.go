// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// module is the set of *.pkr.hcl files that Packer loads together.
type module struct {
	files     []*hclfile.File
	broken    bool // a file is missing or does not parse: nothing more can be said
	variables map[string]hclfile.Declaration
	locals    map[string]*local
	datas     map[string]placed // "TYPE.NAME"
	sources   map[string]placed // "TYPE.NAME"
	builds    []placed
	plugins   map[string]plugin // by the name that components begin with
	versions  []string          // constraints on Packer
	// validations are the conditions of variables.
	validations []placed
}

// placed is a block with the file that holds it.
type placed struct {
	file  *hclfile.File
	block *hclsyntax.Block
	name  string
}

// local is one local value.
type local struct {
	file *hclfile.File
	name string
	attr *hclsyntax.Attribute
}

// topBlocks are the blocks of a template with the number of their labels
// (Packer 1.15, hcl2template).
var topBlocks = map[string]int{
	"packer": 0, "source": 2, "variables": 0, "variable": 1, "locals": 0, "local": 1, "data": 2, "build": 0,
	"hcp_packer_registry": 0, "communicator": 2,
}

// newModule reads the files and checks what does not depend on any value.
func (c *checker) newModule(paths []string) *module {
	m := &module{
		variables: map[string]hclfile.Declaration{}, locals: map[string]*local{}, datas: map[string]placed{},
		sources: map[string]placed{}, plugins: map[string]plugin{},
	}
	for _, path := range paths {
		file := c.parsed[path]
		if file == nil {
			m.broken = true
			continue
		}
		m.files = append(m.files, file)
	}
	if m.broken || len(m.files) == 0 {
		m.broken = true
		return m
	}
	for _, file := range m.files {
		for _, attr := range hclfile.SortedAttributes(file.Body) {
			c.refuse(file, RuleAttribute, attr.NameRange, fmt.Sprintf("the setting %q stands outside of a block", attr.Name),
				"a variable is set in a *.pkrvars.hcl file")
		}
		c.declarations(m, file)
		for _, block := range file.Body.Blocks {
			c.top(m, file, block)
		}
	}
	c.pins(m)
	for _, file := range m.files {
		c.undeclared(m, file)
	}
	return m
}

// declarations reads the variables of a file.
func (c *checker) declarations(m *module, file *hclfile.File) {
	declared, problems := file.Declarations()
	c.take(problems)
	for _, d := range declared {
		at := hcl.Range{Start: hcl.Pos{Line: d.Line, Column: 1}}
		if first, ok := m.variables[d.Name]; ok {
			c.refuse(file, RuleDuplicate, at,
				fmt.Sprintf("the variable %s is declared twice, first at %s:%d", d.Name, first.File,
					first.Line), "remove one of them")
			continue
		}
		m.variables[d.Name] = d
		c.named(file, at, "variable", d.Name)
		if hclfile.SecretName(d.Name) && !d.Sensitive {
			c.refuse(file, RuleSensitive, at,
				fmt.Sprintf("the variable %s holds a secret by its name, but is not declared sensitive", d.Name),
				"add sensitive = true, so that it is never written or shown")
		}
	}
}

// top files one block of a template, or refuses it.
func (c *checker) top(m *module, file *hclfile.File, block *hclsyntax.Block) {
	labels, known := topBlocks[block.Type]
	if !known {
		c.refuse(file, RuleBlock, block.TypeRange,
			fmt.Sprintf("a template has no block %q%s", block.Type, near(block.Type, slices.Sorted(maps.Keys(topBlocks)))), "")
		return
	}
	if len(block.Labels) != labels {
		if block.Type != "variable" { // read with the declarations
			c.refuse(file, RuleBlock, block.TypeRange,
				fmt.Sprintf("the block %s has %d labels, not %d", block.Type, labels, len(block.Labels)), labelHint(block.Type))
		}
		return
	}
	at := placed{file: file, block: block}
	switch block.Type {
	case "packer":
		c.packerBlock(m, at)
	case "locals":
		for _, attr := range hclfile.SortedAttributes(block.Body) {
			c.local(m, &local{file, attr.Name, attr})
		}
		for _, inner := range block.Body.Blocks {
			c.refuse(file, RuleBlock, inner.TypeRange, fmt.Sprintf("locals hold no block %q", inner.Type), "write NAME = VALUE")
		}
	case "local":
		if attr, ok := block.Body.Attributes["expression"]; ok {
			c.local(m, &local{file, block.Labels[0], attr})
		}
	case "source", "data":
		c.keep(m, at)
	case "variable":
		if len(block.Labels) == 1 {
			at.name = block.Labels[0]
			m.validations = append(m.validations, at)
		}
	case "build":
		m.builds = append(m.builds, at)
	}
}

func labelHint(block string) string {
	switch block {
	case "source", "data", "communicator":
		return fmt.Sprintf("write %s %q %q { ... }", block, "TYPE", "NAME")
	case "local":
		return `write local "NAME" { expression = ... }`
	default:
		return fmt.Sprintf("write %s { ... }", block)
	}
}

// keep files a source or a data source under its reference.
func (c *checker) keep(m *module, at placed) {
	into := m.sources
	if at.block.Type == "data" {
		into = m.datas
	}
	at.name = at.block.Labels[0] + "." + at.block.Labels[1]
	if first, ok := into[at.name]; ok {
		c.refuse(at.file, RuleDuplicate, at.block.TypeRange,
			fmt.Sprintf("the %s %s is declared twice, first at %s:%d", at.block.Type, at.name, first.file.Path,
				first.block.TypeRange.Start.Line), "rename or remove one of them")
		return
	}
	into[at.name] = at
	c.named(at.file, at.block.LabelRanges[1], at.block.Type, at.block.Labels[1])
}

func (c *checker) local(m *module, l *local) {
	if first, ok := m.locals[l.name]; ok {
		c.refuse(l.file, RuleDuplicate, l.attr.NameRange,
			fmt.Sprintf("the local value %s is declared twice, first at %s:%d", l.name, first.file.Path,
				first.attr.NameRange.Start.Line), "remove one of them")
		return
	}
	m.locals[l.name] = l
	c.named(l.file, l.attr.NameRange, "local", l.name)
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

// unusedVariables warns of variables and locals that no template refers to.
// What only another platform's template uses is used.
func (c *checker) unusedVariables() {
	for _, name := range slices.Sorted(maps.Keys(c.parsed)) {
		file := c.parsed[name]
		if file == nil || isVarFile(name) || c.broken() {
			continue
		}
		for _, block := range file.Body.Blocks {
			switch {
			case block.Type == "variable" && len(block.Labels) == 1 && !c.used["var."+block.Labels[0]]:
				c.warn(file, RuleUnused, block.DefRange(), fmt.Sprintf("nothing uses the variable %s", block.Labels[0]),
					"remove it, here and from the variable files")
			case block.Type == "local" && len(block.Labels) == 1 && !c.used["local."+block.Labels[0]]:
				c.warn(file, RuleUnused, block.DefRange(), fmt.Sprintf("nothing uses the local value %s", block.Labels[0]),
					"remove it")
			case block.Type == "data" && len(block.Labels) == 2 && !c.used["data."+block.Labels[0]+"."+block.Labels[1]]:
				c.warn(file, RuleUnused, block.DefRange(), fmt.Sprintf("nothing uses the data source %s", block.Labels[1]),
					"remove it: Packer reads it all the same")
			case block.Type == "locals":
				for _, attr := range hclfile.SortedAttributes(block.Body) {
					if !c.used["local."+attr.Name] {
						c.warn(file, RuleUnused, attr.NameRange, "nothing uses the local value "+attr.Name, "remove it")
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
	c.take(problems)
	if c.broken() {
		return
	}
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		if _, ok := values[attr.Name]; !ok {
			continue
		}
		if _, ok := declared[attr.Name]; !ok {
			c.refuse(file, RuleVarFile, attr.NameRange,
				fmt.Sprintf("no template declares the variable %q%s", attr.Name,
					near(attr.Name, slices.Sorted(maps.Keys(declared)))),
				"correct the name, or declare it in templates/variables.pkr.hcl, templates/os/ or templates/platforms/")
		}
	}
	c.secretAttributes(file, file.Body)
}
