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
			if m.has(t, known) {
				continue
			}
			f.Unsound = true
			if !r.Found.Full() {
				message, hint, meant := m.missing(t, known)
				r.Used[meant] = true // a name that is misspelt is not called unused too
				r.Found.Refuse(file, finding.RuleReference, t.SourceRange(), message, hint)
			}
		}
		for _, call := range f.Calls {
			if _, ok := slices.BinarySearch(r.Functions, call.Name); !ok {
				f.Unsound = true
				if r.Found.Full() {
					continue
				}
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

// has says whether there is what a reference names.
func (m *Module) has(t hcl.Traversal, known Iterators) bool {
	root, name := t.RootName(), AttrName(t, 1)
	if known[root] {
		return true
	}
	var ok bool
	switch root {
	case "var":
		_, ok = m.Variables[name]
	case "local":
		_, ok = m.Locals[name]
	case "data":
		_, ok = m.Datas[name+"."+AttrName(t, 2)]
	case "build", "packer", "path", "source":
		ok = true
	}
	return ok
}

// missing says what a reference lacks, and what it likely means.
func (m *Module) missing(t hcl.Traversal, known Iterators) (message, hint, meant string) {
	root, name := t.RootName(), AttrName(t, 1)
	switch root {
	case "var":
		near := finding.Near(name, m.names.variables)
		return fmt.Sprintf("no variable %q is declared%s", name, near),
			fmt.Sprintf("declare it: variable %q { type = string }", name), "var." + finding.Suggested(near)
	case "local":
		near := finding.Near(name, m.names.locals)
		return fmt.Sprintf("no local value %q is declared%s", name, near), "declare it in a locals block",
			"local." + finding.Suggested(near)
	case "data":
		ref := name + "." + AttrName(t, 2)
		return fmt.Sprintf("no data source %q is declared%s", ref, finding.Near(ref, m.names.datas)),
			"declare it in a data block", ""
	default:
		near := finding.Near(root, slices.Concat(Roots, slices.Sorted(maps.Keys(known))))
		return fmt.Sprintf("%q refers to nothing%s", root, near),
			"a value is var.NAME, local.NAME or data.TYPE.NAME.ATTRIBUTE; text needs quotes", ""
	}
}
