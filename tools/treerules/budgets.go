// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-size-budgets
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// Limits are the sizes that the tree keeps.
type Limits struct {
	FileLines     int
	TestFileLines int
	FuncLines     int // with a reviewed reason a function may reach HardFuncLines
	HardFuncLines int
	Params        int
	Methods       int // of an interface; an embedded interface counts as one
	Fields        int // of a struct
}

// Budgets reports files, functions, interfaces and structs over the limits.
// reviewed maps PATH:FUNC to the reason why a function may be longer; a reason
// that is no longer needed is a problem too. Functions in tests may be long.
func Budgets(t *Tree, limits Limits, reviewed map[string]string) []Problem {
	b := budget{tree: t, limits: limits, reviewed: reviewed, used: map[string]bool{}}
	for _, f := range t.Files {
		b.fileSize(f)
		if f.Syntax != nil {
			ast.Inspect(f.Syntax, func(n ast.Node) bool { b.node(f, n); return true })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(reviewed)) {
		if !b.used[name] {
			b.add(&File{Path: "rules_test.go"}, 0, "%s needs no reason to be long any more: remove it", name)
		}
	}
	return b.problems
}

// budget is one run of Budgets.
type budget struct {
	tree     *Tree
	limits   Limits
	reviewed map[string]string
	used     map[string]bool
	problems []Problem
}

func (b *budget) add(f *File, line int, format string, args ...any) {
	b.problems = append(b.problems, Problem{f.Path, line, fmt.Sprintf(format, args...)})
}

func (b *budget) fileSize(f *File) {
	if commentSign(f) == "" || f.testdata() {
		return
	}
	limit := b.limits.FileLines
	if f.Test() {
		limit = b.limits.TestFileLines
	}
	if n := strings.Count(f.Text, "\n"); n > limit {
		b.add(f, 0, "has %d lines, at most %d are allowed: split it by responsibility", n, limit)
	}
}

func (b *budget) node(f *File, n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		b.funcSize(f, n)
	case *ast.FuncType:
		if count := fieldCount(n.Params); count > b.limits.Params {
			b.add(f, b.tree.line(n.Pos()), "has %d parameters, at most %d are allowed: make them a struct", count, b.limits.Params)
		}
	case *ast.InterfaceType:
		if count := methodCount(n); count > b.limits.Methods {
			b.add(f, b.tree.line(n.Pos()), "the interface has %d methods, at most %d are allowed", count, b.limits.Methods)
		}
	case *ast.StructType:
		if count := fieldCount(n.Fields); count > b.limits.Fields && !f.Test() {
			b.add(f, b.tree.line(n.Pos()), "the struct has %d fields, at most %d are allowed", count, b.limits.Fields)
		}
	}
}

func (b *budget) funcSize(f *File, fn *ast.FuncDecl) {
	if f.Test() {
		return
	}
	lines := b.tree.line(fn.End()) - b.tree.line(fn.Pos()) + 1
	if lines <= b.limits.FuncLines {
		return
	}
	name := f.Path + ":" + funcName(fn)
	b.used[name] = true
	limit, why := b.limits.FuncLines, "split it, or give a reason in rules_test.go"
	if b.reviewed[name] != "" {
		limit, why = b.limits.HardFuncLines, "no reason stretches it further"
	}
	if lines > limit {
		b.add(f, b.tree.line(fn.Pos()), "%s has %d lines, at most %d are allowed: %s", funcName(fn), lines, limit, why)
	}
}

// funcName is NAME or RECEIVER.NAME.
func funcName(fn *ast.FuncDecl) string {
	if name := receiver(fn); name != "" {
		return name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// receiver is the type name of a method's receiver, empty for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	name := ""
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

// fieldCount counts names; an unnamed field or parameter counts as one.
func fieldCount(fields *ast.FieldList) int {
	n := 0
	if fields != nil {
		for _, field := range fields.List {
			n += max(1, len(field.Names))
		}
	}
	return n
}

// methodCount counts methods and embedded interfaces, not type constraints.
func methodCount(i *ast.InterfaceType) int {
	n := 0
	for _, field := range i.Methods.List {
		switch field.Type.(type) {
		case *ast.FuncType, *ast.Ident, *ast.SelectorExpr:
			n++
		}
	}
	return n
}
