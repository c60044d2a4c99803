// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:32:00Z
// Spec: openspec/specs/repository/spec.md#requirement-measures-of-the-house
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"cmp"
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// Measure is what the layout of the code may come to at most.
type Measure struct {
	Name string
	Most int
	Unit string // of Most
	// Of measures parts of the tree, each with its place; the largest counts.
	Of func(*Tree) []Measured
	// Known are the places that are over it today, with what they come to: that may
	// fall and not rise.
	Known map[string]int
}

// Measured is one part of the tree.
type Measured struct {
	Place string
	Value int
}

// Row is a measure with what the tree comes to.
type Row struct {
	Measure
	Largest Measured
	Over    []Measured // further than is known
	Spare   []Measured // known to be further over than they are
}

// House measures the tree.
func House(t *Tree, measures []Measure) []Row {
	var rows []Row
	for _, m := range measures {
		row := Row{Measure: m}
		for _, one := range m.Of(t) {
			if one.Value > row.Largest.Value || row.Largest.Place == "" {
				row.Largest = one
			}
			switch known := max(m.Most, m.Known[one.Place]); {
			case one.Value > known:
				row.Over = append(row.Over, one)
			case one.Value < known && known > m.Most:
				row.Spare = append(row.Spare, one)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Problems are the parts of the tree that are over a measure, and figures in Known
// that are too high by now.
func Problems(rows []Row) []Problem {
	var all []Problem
	for _, row := range rows {
		for _, one := range row.Over {
			all = append(all, Problem{one.Place, 0, fmt.Sprintf("%s: %d %s, at most %d are allowed",
				row.Name, one.Value, row.Unit, max(row.Most, row.Known[one.Place]))})
		}
		for _, one := range row.Spare {
			all = append(all, Problem{one.Place, 0, fmt.Sprintf("%s: only %d %s by now: lower the figure in measures.go, "+
				"or take it out", row.Name, one.Value, row.Unit)})
		}
	}
	return all
}

// Table renders rows as Markdown.
func Table(rows []Row) string {
	var b strings.Builder
	b.WriteString("| Measure | At most | Largest now | Where | Places over it |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d %s | %d | %s | %d |\n", r.Name, r.Most, r.Unit, r.Largest.Value, r.Largest.Place,
			len(r.Known))
	}
	return b.String()
}

// product says whether a file is one of the product's own, and no test.
func product(f *File) bool { return f.Syntax != nil && !f.Test() && !f.Nested }

// packages are the product files of the tree by folder, those of bench and tools aside.
func packages(t *Tree) map[string][]*File {
	all := map[string][]*File{}
	for _, f := range t.Files {
		top, _, _ := strings.Cut(f.Path, "/")
		if product(f) && top != "bench" && top != "tools" {
			all[f.Dir()] = append(all[f.Dir()], f)
		}
	}
	return all
}

func measured(all map[string]int) []Measured {
	var list []Measured
	for place, value := range all {
		list = append(list, Measured{place, value})
	}
	slices.SortFunc(list, func(a, b Measured) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), strings.Compare(a.Place, b.Place))
	})
	return list
}

// PackageLines are the lines of each package, tests aside.
func PackageLines(t *Tree) []Measured {
	all := map[string]int{}
	for dir, files := range packages(t) {
		for _, f := range files {
			all[dir] += strings.Count(f.Text, "\n")
		}
	}
	return measured(all)
}

// Methods are the methods of each type.
func Methods(t *Tree) []Measured {
	all := map[string]int{}
	for dir, files := range packages(t) {
		for _, f := range files {
			for _, d := range f.Syntax.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && receiver(fn) != "" {
					all[dir+":"+receiver(fn)]++
				}
			}
		}
	}
	return measured(all)
}

// FileMedian is the median of the lines of all files.
func FileMedian(t *Tree) []Measured {
	var lines []int
	for _, files := range packages(t) {
		for _, f := range files {
			lines = append(lines, strings.Count(f.Text, "\n"))
		}
	}
	slices.Sort(lines)
	if len(lines) == 0 {
		return nil
	}
	return []Measured{{"all files", lines[len(lines)/2]}}
}

// LinesOf are the lines of one package.
func LinesOf(dir string) func(*Tree) []Measured {
	return func(t *Tree) []Measured {
		return slices.DeleteFunc(PackageLines(t), func(m Measured) bool { return m.Place != dir })
	}
}

// Columns are the longest lines of each Go file. A text in backquotes is not broken:
// its lines are somebody else's.
func Columns(t *Tree) []Measured {
	all := map[string]int{}
	for _, f := range t.Go() {
		raw := false
		for line := range strings.Lines(f.Text) {
			quotes := strings.Count(line, "`")
			if n := len([]rune(strings.TrimRight(line, "\n"))); !raw && quotes == 0 && n > all[f.Path] {
				all[f.Path] = n
			}
			raw = raw != (quotes%2 == 1)
		}
	}
	return measured(all)
}
