// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:36:00Z
// Spec: openspec/specs/repository/spec.md#requirement-measures-of-the-house
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules_test

import (
	"strings"
	"testing"

	rules "github.com/packer-hybrid/packer-hybrid/tools/treerules"
)

// TestBack counts uses that run up: of methods too, and a circle once.
func TestBack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files map[string]string
		want  int // percent
	}{
		"down only": {map[string]string{
			"p/a.go": "package p\nfunc A() { B(); C() }\n", "p/b.go": "package p\nfunc B() { C() }\n", "p/c.go": "package p\nfunc C() {}\n",
		}, 0},
		"a circle of three": {map[string]string{
			"p/a.go": "package p\nfunc A() { B() }\n", "p/b.go": "package p\nfunc B() { C() }\n", "p/c.go": "package p\nfunc C() { A() }\n",
		}, 33},
		"a method and its type": {map[string]string{
			"p/a.go": "package p\ntype T struct{}\nfunc (t T) M() { t.N() }\n", "p/b.go": "package p\nfunc (t T) N() {}\n",
		}, 50},
		"what is imported does not count": {map[string]string{
			"p/a.go": "package p\nimport \"x/y\"\nfunc A() { y.B(); B() }\n", "p/b.go": "package p\nfunc B() {}\n",
		}, 0},
	} {
		tree, err := rules.FromMap(tt.files)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.Back()(tree); len(got) != 1 || got[0].Value != tt.want {
			t.Errorf("%s: %+v, want %d", name, got, tt.want)
		}
	}
}

// TestHouse holds a place to what is known of it: neither more nor less.
func TestHouse(t *testing.T) {
	t.Parallel()
	tree, err := rules.FromMap(map[string]string{"p/a.go": "package p\n" + strings.Repeat("\n", 9)})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		most  int
		known map[string]int
		says  string
	}{
		"under":         {10, nil, ""},
		"over":          {9, nil, "10 lines, at most 9"},
		"known":         {9, map[string]int{"p": 10}, ""},
		"known, risen":  {8, map[string]int{"p": 9}, "10 lines, at most 9"},
		"known, fallen": {9, map[string]int{"p": 11}, "only 10 lines by now"},
	} {
		rows := rules.House(tree, []rules.Measure{
			{Name: "A package", Most: tt.most, Unit: "lines", Of: rules.PackageLines, Known: tt.known},
		})
		var text strings.Builder
		for _, p := range rules.Problems(rows) {
			text.WriteString(p.String())
		}
		if (text.Len() > 0) != (tt.says != "") || !strings.Contains(text.String(), tt.says) {
			t.Errorf("%s: %q, want %q", name, text.String(), tt.says)
		}
	}
}

// TestColumns counts characters, and leaves texts in backquotes alone.
func TestColumns(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 30)
	tree, err := rules.FromMap(map[string]string{"p/a.go": "package p\n\n// " + long + "\nvar a = `\n" + long + long + "\n`\n"})
	if err != nil {
		t.Fatal(err)
	}
	if got := rules.Columns(tree); len(got) != 1 || got[0].Value != 33 {
		t.Errorf("%+v, want 33 columns", got)
	}
}
