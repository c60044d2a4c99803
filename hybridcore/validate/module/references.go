// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-declarations-and-references
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package module

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// undeclared refuses references and functions that do not exist.
func (r *Reader) undeclared(m *Module, file *hclfile.File) {
	Expressions(file, func(expr hclsyntax.Expression, known Iterators) {
		f := r.Facts.Of(expr)
		for _, t := range f.Traversals {
			if message, hint := m.missing(t, known); message != "" {
				f.Unsound = true
				r.Used[m.meant(t)] = true
				r.Found.Refuse(file, finding.RuleReference, t.SourceRange(), message, hint)
			}
		}
		for _, call := range f.Calls {
			if _, ok := slices.BinarySearch(r.Functions, call.Name); !ok {
				f.Unsound = true
				hint := "see https://developer.hashicorp.com/packer/docs/templates/hcl_templates/functions"
				if call.Name == "env" {
					hint = "Packer allows env only in the default of a variable, and packer-hybrid not at all: export PKR_VAR_NAME"
				}
				r.Found.Refuse(file, finding.RuleFunction, call.NameRange,
					fmt.Sprintf("Packer has no function %q here%s", call.Name,
						finding.Near(call.Name, r.Functions)), hint)
			}
		}
	})
}

// meant is what a misspelt reference likely means, so that it is not called
// unused too.
func (m *Module) meant(t hcl.Traversal) string {
	name := AttrName(t, 1)
	switch t.RootName() {
	case "var":
		return "var." + finding.Nearest(name, slices.Sorted(maps.Keys(m.Variables)))
	case "local":
		return "local." + finding.Nearest(name, slices.Sorted(maps.Keys(m.Locals)))
	default:
		return ""
	}
}

// missing says what a reference lacks, or nothing.
func (m *Module) missing(t hcl.Traversal, known Iterators) (message, hint string) {
	root := t.RootName()
	if known[root] {
		return "", ""
	}
	name := AttrName(t, 1)
	switch root {
	case "var":
		if _, ok := m.Variables[name]; !ok {
			return fmt.Sprintf("no variable %q is declared%s", name,
				finding.Near(name,
					slices.Sorted(maps.Keys(m.Variables)))), fmt.Sprintf("declare it: variable %q { type = string }", name)
		}
	case "local":
		if _, ok := m.Locals[name]; !ok {
			return fmt.Sprintf("no local value %q is declared%s", name,
				finding.Near(name, slices.Sorted(maps.Keys(m.Locals)))), "declare it in a locals block"
		}
	case "data":
		ref := name + "." + AttrName(t, 2)
		if _, ok := m.Datas[ref]; !ok {
			return fmt.Sprintf("no data source %q is declared%s", ref,
				finding.Near(ref, slices.Sorted(maps.Keys(m.Datas)))), "declare it in a data block"
		}
	case "build", "packer", "path", "source":
	default:
		return fmt.Sprintf("%q refers to nothing%s", root,
			finding.Near(root, slices.Concat(Roots,
				slices.Sorted(maps.Keys(known))))), "a value is var.NAME, local.NAME or data.TYPE.NAME.ATTRIBUTE; text needs quotes"
	}
	return "", ""
}
