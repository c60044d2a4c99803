// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:07:48Z
// Spec: openspec/specs/cli/spec.md#requirement-a-quick-start
// Diagram: openspec/specs/cli/diagram.md#one-command

package rules

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
)

// Patterns compiles the expression of each call of Pattern, which otherwise
// fails where it is first used.
func Patterns(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Go() {
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isPattern(call.Fun) || len(call.Args) != 1 {
				return true
			}
			text, ok := literal(call.Args[0])
			if !ok {
				problems = append(problems, Problem{f.Path, t.line(call.Pos()), "the expression of a Pattern must be made of literals, so that it can be checked"})
				return true
			}
			_, err := regexp.Compile(text)
			if err != nil {
				problems = append(problems, Problem{f.Path, t.line(call.Pos()), err.Error()})
			}
			return true
		})
	}
	return problems
}

// literal is the text of a string, or of strings joined by "+".
func literal(expr ast.Expr) (string, bool) {
	switch expr := expr.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(expr.Value)
		return text, err == nil && expr.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := literal(expr.X)
		right, also := literal(expr.Y)
		return left + right, ok && also && expr.Op == token.ADD
	}
	return "", false
}

func isPattern(fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name == "Pattern"
	case *ast.SelectorExpr:
		left, ok := fun.X.(*ast.Ident)
		return ok && left.Name == "hybridcore" && fun.Sel.Name == "Pattern"
	}
	return false
}
