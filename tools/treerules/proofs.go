// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T16:56:10Z
// Spec: openspec/specs/repository/spec.md#requirement-proofs-of-invariants
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"
)

var (
	proofLine = regexp.MustCompile("^- \\*\\*TEST\\*\\* `([^`]+)`: (.+)$")
	proofTest = regexp.MustCompile("^`((?:Test|Fuzz)[A-Za-z0-9_]*)(?:/[^`]*)?`$")
)

// Proofs reports the scenarios of a spec that name no test, and the tests named
// there that do not exist: `- **TEST** `FOLDER`: `TestOne`, `TestTwo/a case`.
// Each requirement needs a scenario.
func Proofs(t *Tree, spec string) []Problem {
	f := t.Get(spec)
	if f == nil {
		return []Problem{{spec, 0, "is missing"}}
	}
	tests := testsByFolder(t)
	var problems []Problem
	requirement, scenario, proven := Heading{}, Heading{}, true
	end := func() {
		if scenario.Line > 0 && !proven {
			problems = append(problems, Problem{spec, scenario.Line, fmt.Sprintf("%q names no test: - **TEST** `FOLDER`: `TestName`", scenario.Text)})
		}
		scenario = Heading{}
	}
	empty := func() {
		if requirement.Line > 0 {
			problems = append(problems, Problem{spec, requirement.Line, fmt.Sprintf("%q has no scenario", requirement.Text)})
		}
	}
	headings := map[int]Heading{}
	for _, h := range Headings(f.Text) {
		headings[h.Line] = h
	}
	for i, line := range strings.Split(f.Text, "\n") {
		h, heading := headings[i+1]
		switch {
		case heading && h.Level == 4:
			end()
			scenario, proven, requirement = h, false, Heading{}
		case heading:
			end()
			empty()
			requirement = Heading{}
			if h.Level == 3 {
				requirement = h
			}
		case strings.HasPrefix(line, "- **TEST**"):
			proven = true
			problems = append(problems, proof(f, i+1, tests)...)
		}
	}
	end()
	empty()
	return problems
}

// proof checks one line that names tests.
func proof(f *File, number int, tests map[string]map[string]bool) []Problem {
	line := strings.Split(f.Text, "\n")[number-1]
	parts := proofLine.FindStringSubmatch(line)
	if parts == nil {
		return []Problem{{f.Path, number, "is not of the form - **TEST** `FOLDER`: `TestName`, `TestName`"}}
	}
	var problems []Problem
	for name := range strings.SplitSeq(parts[2], ", ") {
		test := proofTest.FindStringSubmatch(name)
		switch {
		case test == nil:
			problems = append(problems, Problem{f.Path, number, name + " is no name of a test in backticks"})
		case !tests[parts[1]][test[1]]:
			problems = append(problems, Problem{f.Path, number, fmt.Sprintf("%s has no test %s", parts[1], test[1])})
		}
	}
	return problems
}

// testsByFolder are the names of all test functions, by folder.
func testsByFolder(t *Tree) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, f := range t.Go() {
		if !f.Test() {
			continue
		}
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			if all[f.Dir()] == nil {
				all[f.Dir()] = map[string]bool{}
			}
			all[f.Dir()][fn.Name.Name] = true
		}
	}
	return all
}
