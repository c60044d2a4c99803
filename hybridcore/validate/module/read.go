// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:53:15Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package module

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// topBlocks are the blocks of a template with the number of their labels
// (Packer 1.15, hcl2template).
var topBlocks = map[string]int{
	"packer": 0, "source": 2, "variables": 0, "variable": 1, "locals": 0, "local": 1, "data": 2, "build": 0,
	"hcp_packer_registry": 0, "communicator": 2,
}

// Read reads the files and checks what does not depend on any value.
func (r *Reader) Read(paths []string) *Module {
	m := &Module{
		Variables: map[string]hclfile.Declaration{}, Locals: map[string]*Local{}, Datas: map[string]Placed{},
		Sources: map[string]Placed{}, Plugins: map[string]Plugin{},
	}
	for _, path := range paths {
		file := r.Files[path]
		if file == nil {
			m.Broken = true
			continue
		}
		m.Files = append(m.Files, file)
	}
	if m.Broken || len(m.Files) == 0 {
		m.Broken = true
		return m
	}
	for _, file := range m.Files {
		for _, attr := range hclfile.SortedAttributes(file.Body) {
			r.Found.Refuse(file, finding.RuleAttribute, attr.NameRange,
				fmt.Sprintf("the setting %q stands outside of a block", attr.Name),
				"a variable is set in a *.pkrvars.hcl file")
		}
		r.declarations(m, file)
		for _, block := range file.Body.Blocks {
			r.top(m, file, block)
		}
	}
	m.names = names{
		slices.Sorted(maps.Keys(m.Variables)), slices.Sorted(maps.Keys(m.Locals)), slices.Sorted(maps.Keys(m.Datas)),
	}
	r.pins(m)
	for _, file := range m.Files {
		r.undeclared(m, file)
	}
	return m
}

// declarations reads the variables of a file.
func (r *Reader) declarations(m *Module, file *hclfile.File) {
	declared, problems := file.Declarations()
	r.Found.Take(problems)
	for _, d := range declared {
		at := hcl.Range{Start: hcl.Pos{Line: d.Line, Column: 1}}
		if first, ok := m.Variables[d.Name]; ok {
			r.Found.Refuse(file, finding.RuleDuplicate, at,
				fmt.Sprintf("the variable %s is declared twice, first at %s:%d", d.Name, first.File,
					first.Line), "remove one of them")
			continue
		}
		m.Variables[d.Name] = d
		r.named(file, at, "variable", d.Name)
		if hclfile.SecretName(d.Name) && !d.Sensitive {
			r.Found.Refuse(file, finding.RuleSensitive, at,
				fmt.Sprintf("the variable %s holds a secret by its name, but is not declared sensitive", d.Name),
				"add sensitive = true, so that it is never written or shown")
		}
	}
}

// top files one block of a template, or refuses it.
func (r *Reader) top(m *Module, file *hclfile.File, block *hclsyntax.Block) {
	labels, known := topBlocks[block.Type]
	if !known {
		r.Found.Refuse(file, finding.RuleBlock, block.TypeRange,
			fmt.Sprintf("a template has no block %q%s", block.Type,
				finding.Near(block.Type, slices.Sorted(maps.Keys(topBlocks)))), "")
		return
	}
	if len(block.Labels) != labels {
		if block.Type != "variable" { // read with the declarations
			r.Found.Refuse(file, finding.RuleBlock, block.TypeRange,
				fmt.Sprintf("the block %s has %d labels, not %d", block.Type, labels, len(block.Labels)), labelHint(block.Type))
		}
		return
	}
	at := Placed{File: file, Block: block}
	switch block.Type {
	case "packer":
		r.packerBlock(m, at)
	case "locals":
		for _, attr := range hclfile.SortedAttributes(block.Body) {
			r.local(m, &Local{file, attr.Name, attr})
		}
		for _, inner := range block.Body.Blocks {
			r.Found.Refuse(file, finding.RuleBlock, inner.TypeRange, fmt.Sprintf("locals hold no block %q", inner.Type),
				"write NAME = VALUE")
		}
	case "local":
		if attr, ok := block.Body.Attributes["expression"]; ok {
			r.local(m, &Local{file, block.Labels[0], attr})
		}
	case "source", "data":
		r.keep(m, at)
	case "variable":
		if len(block.Labels) == 1 {
			at.Name = block.Labels[0]
			m.Validations = append(m.Validations, at)
		}
	case "build":
		m.Builds = append(m.Builds, at)
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
func (r *Reader) keep(m *Module, at Placed) {
	into := m.Sources
	if at.Block.Type == "data" {
		into = m.Datas
	}
	at.Name = at.Block.Labels[0] + "." + at.Block.Labels[1]
	if first, ok := into[at.Name]; ok {
		r.Found.Refuse(at.File, finding.RuleDuplicate, at.Block.TypeRange,
			fmt.Sprintf("the %s %s is declared twice, first at %s:%d", at.Block.Type, at.Name, first.File.Path,
				first.Block.TypeRange.Start.Line), "rename or remove one of them")
		return
	}
	into[at.Name] = at
	r.named(at.File, at.Block.LabelRanges[1], at.Block.Type, at.Block.Labels[1])
}

func (r *Reader) local(m *Module, l *Local) {
	if first, ok := m.Locals[l.Name]; ok {
		r.Found.Refuse(l.File, finding.RuleDuplicate, l.Attr.NameRange,
			fmt.Sprintf("the local value %s is declared twice, first at %s:%d", l.Name, first.File.Path,
				first.Attr.NameRange.Start.Line), "remove one of them")
		return
	}
	m.Locals[l.Name] = l
	r.named(l.File, l.Attr.NameRange, "local", l.Name)
}

// Naming rules: what is written in templates is lower case with underscores,
// and a source may have hyphens.
var (
	snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	kebab = regexp.MustCompile(`^[a-z][a-z0-9]*([_-][a-z0-9]+)*$`)
)

// named warns of a name against the rules.
func (r *Reader) named(file *hclfile.File, at hcl.Range, what, name string) {
	rule, form := snake, "lower-case words joined by _"
	if what == "source" || what == "data" {
		rule, form = kebab, "lower-case words joined by _ or -"
	}
	if !rule.MatchString(name) {
		r.Found.Warn(file, finding.RuleName, at, fmt.Sprintf("the name of the %s %q is not made of %s", what, name, form),
			"rename it")
	}
}
