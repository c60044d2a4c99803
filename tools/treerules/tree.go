// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-banned-constructs
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

// Package rules checks the source tree against the rules of the repository:
// layers, owners of modules, headers, budgets, documentation, specs. Each rule
// is a function from a set of files to problems; the tables that fill the
// rules in are in the root's rules_test.go.
//
// The package reads files itself and starts no program: the answer of a test
// that shells out comes from the test cache although the tree has changed.
package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is one place where the tree breaks a rule.
type Problem struct {
	Path string // relative to the root, with slashes
	Line int    // 1-based, 0 when the whole file is meant
	Text string
}

// String renders the problem as PATH:LINE: TEXT, which editors can follow.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
}

// File is one file of the tree.
type File struct {
	Path   string // relative to the root, with slashes
	Text   string
	Syntax *ast.File // nil unless the file is Go
	Nested bool      // belongs to a Go module below the root's
}

// Dir is the folder of the file; "." is the root.
func (f *File) Dir() string { return path.Dir(f.Path) }

// Test says whether go builds the file for tests only.
func (f *File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Tree is a set of files, sorted by path.
type Tree struct {
	Files []*File
	fset  *token.FileSet
}

// Load reads the tree below a root, without what its .gitignore leaves out.
// Errors: a file that cannot be read, Go that cannot be parsed, a pattern in
// .gitignore of a form that Load does not know.
func Load(root string) (*Tree, error) {
	ignored, err := readIgnore(root)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case entry.IsDir() && (name == ".git" || ignored.match(name, true)):
			return fs.SkipDir
		case name == ".git" || !entry.Type().IsRegular() || ignored.match(name, false):
			return nil
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return fmt.Errorf("reading a file: %w", err)
		}
		files[name] = string(data)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the tree: %w", err)
	}
	return FromMap(files)
}

// FromMap makes a tree of path → content. Errors: Go that cannot be parsed.
func FromMap(files map[string]string) (*Tree, error) {
	t := &Tree{fset: token.NewFileSet()}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := &File{Path: name, Text: files[name], Nested: nested(name, files)}
		if strings.HasSuffix(name, ".go") && !f.testdata() {
			var err error
			f.Syntax, err = parser.ParseFile(t.fset, name, f.Text, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, fmt.Errorf("parsing Go: %w", err)
			}
		}
		t.Files = append(t.Files, f)
	}
	return t, nil
}

// nested says whether a folder between the root and the file has a go.mod.
func nested(name string, files map[string]string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := files[dir+"/go.mod"]; ok {
			return true
		}
	}
	return false
}

// testdata says whether the file is input of a test rather than source.
func (f *File) testdata() bool { return strings.Contains("/"+f.Path, "/testdata/") }

// Go yields the Go files of the tree.
func (t *Tree) Go() []*File {
	return slices.DeleteFunc(slices.Clone(t.Files), func(f *File) bool { return f.Syntax == nil })
}

// Get returns the file of a path, or nil.
func (t *Tree) Get(name string) *File {
	i, ok := slices.BinarySearchFunc(t.Files, name, func(f *File, name string) int { return strings.Compare(f.Path, name) })
	if !ok {
		return nil
	}
	return t.Files[i]
}

func (t *Tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }

// ignore holds the patterns of a .gitignore.
type ignore []string

func readIgnore(root string) (ignore, error) {
	data, err := os.ReadFile(path.Join(root, ".gitignore"))
	if err != nil {
		return nil, fmt.Errorf("reading ignored names: %w", err)
	}
	var patterns ignore
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "!") || strings.Contains(line, "**") {
			return nil, fmt.Errorf(".gitignore: %q: only plain patterns are understood", line)
		}
		patterns = append(patterns, line)
	}
	return patterns, nil
}

// match follows gitignore(5) for patterns without "!" and "**": a slash at
// the start or in the middle anchors a pattern, one at the end asks for a folder.
func (i ignore) match(name string, dir bool) bool {
	for _, pattern := range i {
		plain, wantDir := strings.CutSuffix(pattern, "/")
		if wantDir && !dir {
			continue
		}
		subject := path.Base(name)
		if strings.Contains(plain, "/") {
			plain, subject = strings.TrimPrefix(plain, "/"), name
		}
		if ok, _ := path.Match(plain, subject); ok {
			return true
		}
	}
	return false
}
