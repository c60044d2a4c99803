// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-documented-names
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// wellKnown are methods of standard interfaces: the interface says what they do.
var wellKnown = map[string]bool{
	"Error": true, "Unwrap": true, "String": true, "Set": true, "Type": true,
	"Read": true, "Write": true, "Close": true, "ServeHTTP": true, "RoundTrip": true,
	"Len": true, "Less": true, "Swap": true, "LogValue": true,
	"MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true, "UnmarshalText": true,
}

// Docs reports packages without exactly one package comment, and exported
// names without a comment. Tests need no comments on names.
func Docs(t *Tree) []Problem {
	var problems []Problem
	documented, first := map[string][]*File{}, map[string]*File{}
	for _, f := range t.Go() {
		pkg := f.Dir() + " " + strings.TrimSuffix(f.Syntax.Name.Name, "_test")
		if first[pkg] == nil {
			first[pkg] = f
		}
		if f.Syntax.Doc != nil {
			documented[pkg] = append(documented[pkg], f)
			problems = append(problems, packageComment(f)...)
		}
		if !f.Test() {
			problems = append(problems, undocumented(t, f)...)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(first)) {
		switch files := documented[pkg]; len(files) {
		case 0:
			problems = append(problems, Problem{first[pkg].Path, 1, "its package has no package comment"})
		case 1:
		default:
			problems = append(problems, Problem{files[1].Path, 1, "its package has a package comment in " + files[0].Path + " already"})
		}
	}
	return problems
}

// packageComment checks that the comment is about the package and not the
// file's header, which go/doc takes when no empty line follows it.
func packageComment(f *File) []Problem {
	text, name := f.Syntax.Doc.Text(), f.Syntax.Name.Name
	switch {
	case strings.Contains(text, "SPDX-License-Identifier"):
		return []Problem{{f.Path, 1, "the header is part of the package comment: put an empty line between them"}}
	case name != "main" && !strings.HasPrefix(text, "Package "+name+" "):
		return []Problem{{f.Path, 1, "the package comment must start with \"Package " + name + " \""}}
	case len(strings.Fields(text)) < 5:
		return []Problem{{f.Path, 1, "the package comment says nothing"}}
	}
	return nil
}

// undocumented lists the exported names of a file that have no comment.
func undocumented(t *Tree, f *File) []Problem {
	var problems []Problem
	add := func(name *ast.Ident) {
		problems = append(problems, Problem{f.Path, t.line(name.Pos()), name.Name + " is exported and has no comment"})
	}
	for _, decl := range f.Syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			recv := receiver(d)
			public := d.Name.IsExported() && (recv == "" || ast.IsExported(recv))
			if public && !described(d.Doc) && (recv == "" || !wellKnown[d.Name.Name]) {
				add(d.Name)
			}
		case *ast.GenDecl:
			for _, name := range silentNames(d) {
				add(name)
			}
		}
	}
	return problems
}

// silentNames lists the exported names of a declaration that neither have a
// comment nor stand in a group with one.
func silentNames(d *ast.GenDecl) []*ast.Ident {
	if d.Tok == token.IMPORT {
		return nil
	}
	var names []*ast.Ident
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			alone := described(d.Doc) && len(d.Specs) == 1
			if s.Name.IsExported() && !described(s.Doc) && !alone {
				names = append(names, s.Name)
			}
		case *ast.ValueSpec:
			if described(d.Doc) || described(s.Doc) || described(s.Comment) {
				continue
			}
			for _, name := range s.Names {
				if name.IsExported() {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// described says whether a comment has words besides directives.
func described(c *ast.CommentGroup) bool { return strings.TrimSpace(c.Text()) != "" }
