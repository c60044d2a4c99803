// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-banned-constructs
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// skips are the methods with which a test leaves without a verdict, and the
// switch that usually stands before them.
var skips = []string{"Skip", "Skipf", "SkipNow"}

// Code reports init functions, tests that skip themselves, and package names
// that say nothing.
func Code(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Go() {
		add := func(n ast.Node, text string) {
			problems = append(problems, Problem{f.Path, t.line(n.Pos()), text})
		}
		if name := strings.TrimSuffix(f.Syntax.Name.Name, "_test"); slices.Contains(emptyNames, name) {
			add(f.Syntax.Name, "package "+name+": name it after what it does")
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					add(n, "init runs unasked and in an order nobody reads: call a function")
				}
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && f.Test() && skipping(sel) {
					add(n, "a test must not skip itself: a missing tool is a failure")
				}
			}
			return true
		})
	}
	return append(problems, scripts(t)...)
}

var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "pkg", "base", "mocks", "shared"}

// skipping says whether a call is t.Skip, b.Skipf, testing.Short and the like.
func skipping(sel *ast.SelectorExpr) bool {
	left, ok := sel.X.(*ast.Ident)
	if !ok {
		return false
	}
	return slices.Contains(skips, sel.Sel.Name) || left.Name == "testing" && sel.Sel.Name == "Short"
}

var scriptSkip = regexp.MustCompile(`^(\[[^\]]*\]\s*)*skip\b`)

// scripts finds test scripts that skip themselves.
func scripts(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Files {
		if path.Ext(f.Path) != ".txtar" {
			continue
		}
		for i, line := range strings.Split(f.Text, "\n") {
			if strings.HasPrefix(line, "-- ") {
				break // the files of the script begin
			}
			if scriptSkip.MatchString(line) {
				problems = append(problems, Problem{f.Path, i + 1, "a test must not skip itself: a missing tool is a failure"})
			}
		}
	}
	return problems
}

// Ban is text that no file may hold.
type Ban struct {
	Text   *regexp.Regexp
	Why    string
	Except []string // files or folders where it is right
}

// Bans reports banned text. Files that are not UTF-8 are left alone.
func Bans(t *Tree, bans []Ban) []Problem {
	var problems []Problem
	for _, f := range t.Files {
		if !utf8.ValidString(f.Text) || strings.Contains(f.Text, "\x00") {
			continue
		}
		for _, ban := range bans {
			if slices.Contains(ban.Except, f.Path) || within(f.Dir(), ban.Except) || !ban.Text.MatchString(f.Text) {
				continue
			}
			for i, line := range strings.Split(f.Text, "\n") {
				if found := ban.Text.FindString(line); found != "" {
					problems = append(problems, Problem{f.Path, i + 1, fmt.Sprintf("%q: %s", found, ban.Why)})
				}
			}
		}
	}
	return problems
}

// Goals reports measurements under a folder whose package comment states no
// goal: a line that starts with "Goal: ".
func Goals(t *Tree, dir string) []Problem {
	stated, files := map[string]bool{}, map[string]*File{}
	var problems []Problem
	for _, f := range t.Go() {
		if path.Dir(f.Dir()) != dir {
			continue
		}
		files[f.Dir()] = f
		stated[f.Dir()] = stated[f.Dir()] || strings.Contains("\n"+f.Syntax.Doc.Text(), "\nGoal: ")
	}
	for _, f := range t.Go() {
		if files[f.Dir()] == f && !stated[f.Dir()] {
			problems = append(problems, Problem{f.Path, 1, "its package comment has no line \"Goal: …\""})
		}
	}
	return problems
}
