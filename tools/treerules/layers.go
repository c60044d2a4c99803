// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-layers
// Diagram: openspec/specs/repository/diagram.md#layers

package rules

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Layer is one row of the layer table: a unit and the units that it may import.
// A unit is a folder with all that lies below it; when a folder below has a row
// of its own, it is that folder alone, and every other folder below needs one.
type Layer struct {
	Unit  string   // folder, "." is the root
	May   []string // units that the unit's code may import; "*" is every unit
	Tests []string // units that its tests may import besides
}

// Layers reports imports between units that the table does not allow, and Go
// files that lie in no unit. module is the path of the root module.
func Layers(t *Tree, module string, table []Layer) []Problem {
	rows := map[string]Layer{}
	for _, row := range table {
		rows[row.Unit] = row
	}
	var problems []Problem
	for _, f := range t.Go() {
		if f.Nested {
			continue
		}
		from, ok := unitOf(f.Dir(), rows)
		if !ok {
			problems = append(problems, Problem{f.Path, 1, f.Dir() + " lies in no unit of the layer table: add a row to rules_test.go"})
			continue
		}
		for _, spec := range f.Syntax.Imports {
			target, ours := ownPath(importPath(spec.Path.Value), module)
			if !ours {
				continue
			}
			to, _ := unitOf(target, rows)
			if to == from || rows[from].allows(to, f.Test()) {
				continue
			}
			problems = append(problems, Problem{f.Path, t.line(spec.Pos()), fmt.Sprintf(
				"%s must not import %s: its row allows %s", from, to, list(rows[from].May))})
		}
	}
	return problems
}

func (l Layer) allows(unit string, test bool) bool {
	if slices.Contains(l.May, "*") || slices.Contains(l.May, unit) {
		return true
	}
	return test && (slices.Contains(l.Tests, "*") || slices.Contains(l.Tests, unit))
}

// unitOf finds the nearest folder at or above dir whose row holds for dir.
func unitOf(dir string, rows map[string]Layer) (string, bool) {
	for at := dir; ; at = path.Dir(at) {
		if _, ok := rows[at]; ok && (at == dir || !parent(at, rows)) {
			return at, true
		}
		if at == "." {
			return dir, false
		}
	}
}

// parent says whether a row lies below a folder.
func parent(dir string, rows map[string]Layer) bool {
	for unit := range rows {
		if dir == "." || strings.HasPrefix(unit, dir+"/") {
			return true
		}
	}
	return false
}

// ownPath turns an import path of the root module into a folder.
func ownPath(imported, module string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func importPath(quoted string) string {
	p, err := strconv.Unquote(quoted)
	if err != nil {
		return quoted
	}
	return p
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing of ours"
	}
	return strings.Join(names, ", ")
}
