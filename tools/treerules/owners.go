// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-owners-of-third-party-modules
// Diagram: openspec/specs/repository/diagram.md#layers

package rules

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Owner is one row of the table of dependencies: who may import a module or a
// package of the standard library, and why it is there at all.
type Owner struct {
	Import string   // module path, or a restricted package of the standard library
	Units  []string // folders whose code may import it; "*" is every folder
	Tests  []string // folders whose tests may import it besides
	Why    string
}

// Owners reports third-party imports outside their owners, direct requirements
// of go.mod without a row, and rows that name a module which go.mod lacks.
// Restricted standard packages have rows too; others are free.
func Owners(t *Tree, table []Owner) []Problem {
	gomod := t.Get("go.mod")
	if gomod == nil {
		return []Problem{{"go.mod", 0, "is missing"}}
	}
	mod, err := modfile.Parse("go.mod", []byte(gomod.Text), nil)
	if err != nil {
		return []Problem{{"go.mod", 0, err.Error()}}
	}
	problems := ownerRows(mod, table)
	for _, f := range t.Go() {
		if f.Nested {
			continue
		}
		for _, spec := range f.Syntax.Imports {
			if text := ownerProblem(f, importPath(spec.Path.Value), mod.Module.Mod.Path, table); text != "" {
				problems = append(problems, Problem{f.Path, t.line(spec.Pos()), text})
			}
		}
	}
	return problems
}

// ownerRows compares the table with go.mod.
func ownerRows(mod *modfile.File, table []Owner) []Problem {
	var problems []Problem
	known := map[string]bool{}
	for _, r := range mod.Require {
		known[r.Mod.Path] = true
		has := slices.ContainsFunc(table, func(o Owner) bool { return o.Import == r.Mod.Path })
		if !r.Indirect && !has {
			problems = append(problems, Problem{"go.mod", r.Syntax.Start.Line, fmt.Sprintf(
				"%s has no owner: add a row with owners and a reason to rules_test.go", r.Mod.Path)})
		}
	}
	for _, o := range table {
		switch {
		case o.Why == "":
			problems = append(problems, Problem{"rules_test.go", 0, "the row of " + o.Import + " gives no reason"})
		case thirdParty(o.Import) && !known[o.Import]:
			problems = append(problems, Problem{"rules_test.go", 0, "the row of " + o.Import + " names a module that go.mod does not require"})
		}
	}
	return problems
}

// ownerProblem says why a file may not import a package, or nothing.
func ownerProblem(f *File, imported, module string, table []Owner) string {
	if _, ours := ownPath(imported, module); ours {
		return ""
	}
	row, found := ownerOf(imported, table)
	switch {
	case !found && thirdParty(imported):
		return imported + " belongs to no row of the table of owners in rules_test.go"
	case !found, within(f.Dir(), row.Units), f.Test() && within(f.Dir(), row.Tests):
		return ""
	}
	return fmt.Sprintf("%s must not import %s: it is for %s (%s)", f.Dir(), imported, list(row.Units), row.Why)
}

// ownerOf finds the row with the longest path that holds the package.
func ownerOf(imported string, table []Owner) (Owner, bool) {
	var best Owner
	for _, o := range table {
		holds := imported == o.Import || thirdParty(o.Import) && strings.HasPrefix(imported, o.Import+"/")
		if holds && len(o.Import) > len(best.Import) {
			best = o
		}
	}
	return best, best.Import != ""
}

// within says whether a folder is one of the units or lies below one. The
// unit "." holds the root alone, and so does a unit that ends in "/.".
func within(dir string, units []string) bool {
	return slices.ContainsFunc(units, func(unit string) bool {
		alone, only := strings.CutSuffix(unit, "/.")
		return unit == "*" || dir == unit || only && dir == alone || unit != "." && strings.HasPrefix(dir, unit+"/")
	})
}

// thirdParty says whether an import path starts with a host name.
func thirdParty(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".")
}

// Calls reports calls of functions (like os.StartProcess) outside the units of
// their row. It looks at names, so it misses a renamed import.
func Calls(t *Tree, table []Owner) []Problem {
	var problems []Problem
	for _, f := range t.Go() {
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			left, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			name := left.Name + "." + sel.Sel.Name
			for _, o := range table {
				if o.Import != name || within(f.Dir(), o.Units) || f.Test() && within(f.Dir(), o.Tests) {
					continue
				}
				problems = append(problems, Problem{f.Path, t.line(sel.Pos()), fmt.Sprintf("%s: %s", name, o.Why)})
			}
			return true
		})
	}
	return problems
}
