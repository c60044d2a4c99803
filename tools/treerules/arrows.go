// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:32:00Z
// Spec: openspec/specs/repository/spec.md#requirement-measures-of-the-house
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
)

// arrow says that one file uses what another one of its package declares.
type arrow struct{ from, to string }

// Back are the arrows between files of each package below a folder, or of all with
// "", that run back up, in percent of its arrows: those that are left over when the
// files are put into the order in which the fewest do.
func Back(below ...string) func(*Tree) []Measured {
	return func(t *Tree) []Measured {
		all := map[string]int{}
		for dir, files := range packages(t) {
			if len(below) > 0 && !slices.ContainsFunc(below, func(b string) bool { return under(dir, b) }) {
				continue
			}
			arrows := t.arrows(dir, files)
			if len(arrows) == 0 {
				continue
			}
			all[dir] = (100*back(arrows) + len(arrows)/2) / len(arrows)
		}
		return measured(all)
	}
}

func under(dir, folder string) bool {
	return dir == folder || len(dir) > len(folder) && dir[:len(folder)+1] == folder+"/"
}

// none stands for every imported package: what a package's own files use of each
// other does not need them.
type none struct{}

// Import implements types.Importer.
func (none) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path)
	p.MarkComplete()
	return p, nil
}

// arrows lists who uses whom among the files of a package.
func (t *Tree) arrows(dir string, files []*File) []arrow {
	info := types.Info{Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	var parsed []*ast.File
	for _, f := range files {
		parsed = append(parsed, f.Syntax)
	}
	config := types.Config{Importer: none{}, Error: func(error) {}, FakeImportC: true}
	_, _ = config.Check(dir, t.fset, parsed, &info) // names of imported packages are not known
	found := map[arrow]bool{}
	for use, object := range info.Uses {
		if !object.Pos().IsValid() || object.Pkg() == nil || object.Pkg().Path() != dir {
			continue
		}
		from, to := t.fset.Position(use.Pos()).Filename, t.fset.Position(object.Pos()).Filename
		if from != to {
			found[arrow{from, to}] = true
		}
	}
	return slices.Collect(maps.Keys(found))
}

// back counts the arrows that run up in the best order that is found: each file is
// moved to where the fewest of its arrows do, until none gains by it.
func back(arrows []arrow) int {
	out, in := map[string][]string{}, map[string][]string{}
	files := map[string]bool{}
	for _, a := range arrows {
		out[a.from], in[a.to] = append(out[a.from], a.to), append(in[a.to], a.from)
		files[a.from], files[a.to] = true, true
	}
	order := peeled(slices.Sorted(maps.Keys(files)), in, out)
	best := upward(order, arrows)
	for gained := true; gained; {
		gained = false
		for _, file := range slices.Clone(order) {
			rest := slices.DeleteFunc(slices.Clone(order), func(f string) bool { return f == file })
			next := slices.Insert(rest, place(file, rest, in[file], out[file]), file)
			if n := upward(next, arrows); n < best {
				order, best, gained = next, n, true
			}
		}
	}
	return best
}

// peeled puts files into an order in which no arrow runs up, if there is one: it takes
// the one that none of the others use, again and again, and where each is used, the
// one that is used least and uses most.
func peeled(files []string, in, out map[string][]string) []string {
	var order []string
	for len(files) > 0 {
		count := func(of []string) (n int) {
			for _, f := range of {
				if slices.Contains(files, f) {
					n++
				}
			}
			return n
		}
		first := slices.MinFunc(files, func(a, b string) int {
			used := count(in[a]) - count(in[b])
			if count(in[a]) > 0 && count(in[b]) > 0 {
				used -= count(out[a]) - count(out[b])
			}
			return used
		})
		order = append(order, first)
		files = slices.DeleteFunc(files, func(f string) bool { return f == first })
	}
	return order
}

// place is where in an order the fewest arrows of a file run up.
func place(file string, rest, in, out []string) int {
	cost := len(in) // before all others, every arrow to it runs up
	best, at := cost, 0
	for n, other := range rest {
		if slices.Contains(in, other) {
			cost--
		}
		if slices.Contains(out, other) {
			cost++
		}
		if cost < best {
			best, at = cost, n+1
		}
	}
	return at
}

// upward counts the arrows from a later file to an earlier one.
func upward(order []string, arrows []arrow) int {
	at := map[string]int{}
	for n, file := range order {
		at[file] = n
	}
	count := 0
	for _, a := range arrows {
		if at[a.from] > at[a.to] {
			count++
		}
	}
	return count
}
