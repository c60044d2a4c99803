// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:16Z
// Spec: openspec/specs/repository/spec.md#requirement-banned-constructs
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	rules "github.com/packer-hybrid/packer-hybrid/tools/treerules"
)

// planted is a small tree and the problems that one rule must find in it, each
// as the start of its text up to a word that only this problem has.
type planted struct {
	name  string
	files map[string]string
	want  []string
}

// check runs a rule over planted trees. A rule that finds too much fails as
// well as one that finds too little.
func check(t *testing.T, rule func(*rules.Tree) []rules.Problem, cases []planted) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tree, err := rules.FromMap(c.files)
			if err != nil {
				t.Fatal(err)
			}
			problems := rule(tree)
			for i, p := range problems {
				if i >= len(c.want) || !strings.HasPrefix(p.String(), c.want[i]) {
					t.Errorf("unexpected problem: %s", p)
				}
			}
			for _, want := range c.want[min(len(problems), len(c.want)):] {
				t.Errorf("not found: %s", want)
			}
		})
	}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	table := []rules.Layer{
		{Unit: "core"},
		{Unit: "core/logs", May: []string{"core"}},
		{Unit: "core/state", May: []string{"core"}, Tests: []string{"lab"}},
		{Unit: "lab", May: []string{"core"}},
		{Unit: "cmd", May: []string{"*"}},
		{Unit: "."},
	}
	src := func(imports ...string) string {
		text := "package p\n"
		for _, i := range imports {
			text += "import _ \"example.org/m/" + i + "\"\n"
		}
		return text
	}
	check(t, func(tree *rules.Tree) []rules.Problem { return rules.Layers(tree, "example.org/m", table) }, []planted{
		{"allowed", map[string]string{
			"cmd/x/main.go": src("core/logs", "lab/guest"), "core/logs/a.go": src("core"), "lab/b.go": src("lab/guest", "core"),
			"core/state/a_test.go": src("lab"),
		}, nil},
		{
			"sideways",
			map[string]string{"core/state/a.go": src("core", "core/logs")},
			[]string{"core/state/a.go:3: core/state must not import core/logs: its row allows core"},
		},
		{
			"sideways from a folder below",
			map[string]string{"core/state/deep/a.go": src("core/logs")},
			[]string{"core/state/deep/a.go:2: core/state must not import core/logs"},
		},
		{"down", map[string]string{"core/a.go": src("core/logs")}, []string{"core/a.go:2: core must not import core/logs"}},
		{"test bed in code", map[string]string{"core/state/a.go": src("lab")}, []string{"core/state/a.go:2: core/state must not import lab"}},
		{"to the root", map[string]string{"lab/a.go": "package p\nimport _ \"example.org/m\"\n"}, []string{"lab/a.go:2: lab must not import .: "}},
		{"no row", map[string]string{"extra/a.go": src()}, []string{"extra/a.go:1: extra lies in no unit"}},
		{"no row for a part of core", map[string]string{"core/extra/a.go": src()}, []string{"core/extra/a.go:1: core/extra lies in no unit"}},
		{"a nested module is on its own", map[string]string{"rpc/go.mod": "module x\n", "rpc/a.go": src("core/logs")}, nil},
	})
}

func TestOwners(t *testing.T) {
	t.Parallel()
	table := []rules.Owner{
		{Import: "example.com/hcl/v2", Units: []string{"core/hcl"}, Tests: []string{"cmd"}, Why: "files"},
		{Import: "os/exec", Units: []string{"lab"}, Tests: []string{"*"}, Why: "children"},
	}
	gomod := "module example.org/m\n\nrequire example.com/hcl/v2 v2.0.0\n"
	owners := func(tree *rules.Tree) []rules.Problem { return rules.Owners(tree, table) }
	check(t, owners, []planted{
		{"allowed", map[string]string{
			"go.mod": gomod, "core/hcl/deep/a.go": "package p\nimport _ \"example.com/hcl/v2/hclsyntax\"\n",
			"cmd/a_test.go": "package p\nimport _ \"example.com/hcl/v2\"\n", "x/a_test.go": "package p\nimport _ \"os/exec\"\n",
			"x/b.go": "package p\nimport _ \"os\"\nimport _ \"example.org/m/core\"\n",
		}, nil},
		{
			"borrowed",
			map[string]string{"go.mod": gomod, "core/a.go": "package p\nimport _ \"example.com/hcl/v2\"\n"},
			[]string{"core/a.go:2: core must not import example.com/hcl/v2: it is for core/hcl (files)"},
		},
		{
			"a test's module in code",
			map[string]string{"go.mod": gomod, "cmd/a.go": "package p\nimport _ \"example.com/hcl/v2\"\n"},
			[]string{"cmd/a.go:2: cmd must not import example.com/hcl/v2"},
		},
		{
			"a similar name",
			map[string]string{"go.mod": gomod, "core/hclx/a.go": "package p\nimport _ \"example.com/hcl/v2\"\n"},
			[]string{"core/hclx/a.go:2: core/hclx must not import"},
		},
		{
			"exec",
			map[string]string{"go.mod": gomod, "core/a.go": "package p\nimport _ \"os/exec\"\n"},
			[]string{"core/a.go:2: core must not import os/exec: it is for lab (children)"},
		},
		{
			"no row for an import",
			map[string]string{"go.mod": gomod, "core/a.go": "package p\nimport _ \"example.com/hcl\"\n"},
			[]string{"core/a.go:2: example.com/hcl belongs to no row"},
		},
		{
			"no row for a requirement",
			map[string]string{"go.mod": gomod + "require example.com/y v1.0.0\nrequire example.com/z v1.0.0 // indirect\n"},
			[]string{"go.mod:4: example.com/y has no owner"},
		},
		{"a stale row", map[string]string{"go.mod": "module m\n"}, []string{"rules_test.go: the row of example.com/hcl/v2 names a module that go.mod does not require"}},
		{"no go.mod", map[string]string{"a.go": "package p\n"}, []string{"go.mod: is missing"}},
	})
	check(t, func(tree *rules.Tree) []rules.Problem {
		return rules.Owners(tree, []rules.Owner{{Import: "os/exec"}})
	}, []planted{{"no reason", map[string]string{"go.mod": "module m\n"}, []string{"rules_test.go: the row of os/exec gives no reason"}}})
	check(t, func(tree *rules.Tree) []rules.Problem {
		return rules.Calls(tree, []rules.Owner{{Import: "os.StartProcess", Units: []string{"lab"}, Why: "not here"}})
	}, []planted{{"calls", map[string]string{
		"a/a.go":   "package a\nimport \"os\"\nfunc f() { os.StartProcess(\"\", nil, nil) }\n",
		"lab/a.go": "package a\nimport \"os\"\nvar f = os.StartProcess\n",
	}, []string{"a/a.go:3: os.StartProcess: not here"}}})
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	docs := map[string]string{
		"openspec/specs/x/spec.md":    "# x\n### Requirement: Do `it`, twice\n```\n# not a heading\n```\n",
		"openspec/specs/x/diagram.md": "# d\n## The way\n",
	}
	head := func(sign, created, spec, diagram string) string {
		return sign + " SPDX-License-Identifier: Apache-2.0\n" + sign + " Created: " + created + "\n" +
			sign + " Spec: openspec/specs/x/spec.md#" + spec + "\n" + sign + " Diagram: openspec/specs/x/diagram.md#" + diagram + "\n"
	}
	const at, spec, way = "2026-01-02T03:04:05Z", "requirement-do-it-twice", "the-way"
	with := func(name, text string) map[string]string {
		files := map[string]string{name: text}
		maps.Copy(files, docs)
		return files
	}
	check(t, func(tree *rules.Tree) []rules.Problem { return rules.Headers(tree, []string{"openspec"}) }, []planted{
		{"go", with("a.go", head("//", at, spec, way)+"\npackage a\n"), nil},
		{"script", with("run", "#!/bin/sh\n"+head("#", at, spec, way)+"#\n# what it does\n"), nil},
		{"yaml", with("a.yml", "---\n"+head("#", at, spec, way)+"\nx: 1\n"), nil},
		{"cloud-init", with("a.yaml", "#cloud-config\n"+head("#", at, spec, way)+"\nx: 1\n"), nil},
		{"no header wanted", with("a.json", "{}"), nil},
		{"input of a test", with("a/testdata/x.hcl", "a = 1\n"), nil},
		{"another tool's folder", with("openspec/config.yaml", "schema: x\n"), nil},
		{"none", with("a.go", "package a\n"), []string{"a.go:1: the header must start with"}},
		{"none in a script", with("run", "#!/bin/sh\nexit 0\n"), []string{"run:2: the header must start with"}},
		{"empty", with("a.sh", ""), []string{"a.sh:1: the header must start with"}},
		{"another licence", with("a.hcl", "# SPDX-License-Identifier: MIT\n"), []string{"a.hcl:1: the header must start with"}},
		{"local time", with("a.go", head("//", "2026-01-02T03:04:05+01:00", spec, way)+"\npackage a\n"), []string{"a.go:2: the second line must be"}},
		{"an impossible day", with("a.go", head("//", "2026-02-30T03:04:05Z", spec, way)+"\npackage a\n"), []string{"a.go:2: the second line must be"}},
		{"a dead anchor", with("a.go", head("//", at, "requirement-gone", way)+"\npackage a\n"), []string{"a.go:3: Spec: openspec/specs/x/spec.md has no heading #requirement-gone (it has #x, #requirement-do-it-twice)"}},
		{"a heading in code", with("a.go", head("//", at, "not-a-heading", way)+"\npackage a\n"), []string{"a.go:3: Spec: "}},
		{"a dead diagram", with("a.go", head("//", at, spec, "gone")+"\npackage a\n"), []string{"a.go:4: Diagram: "}},
		{"no blank line", with("a.go", head("//", at, spec, way)+"package a\n"), []string{"a.go:5: an empty line must follow"}},
		{"no diagram", with("a.go", strings.Join(strings.Split(head("//", at, spec, way), "\n")[:3], "\n")+"\n\npackage a\n"), []string{"a.go:4: the next line must be \"// Diagram: "}},
		{"wrong document", with("a.go", strings.ReplaceAll(head("//", at, spec, way), "diagram.md", "spec.md")+"\npackage a\n"), []string{"a.go:4: Diagram: \"openspec/specs/x/spec.md#the-way\" is not of the form"}},
	})
}

func TestSlug(t *testing.T) {
	t.Parallel()
	got := rules.Anchors("# A B\n\n## `code`, and [a link](http://x/y)!\n## A B\n~~~\n# no\n~~~\n#no\n### Größe — 100 % (neu) ###\n# snake_case-name\n# A B\n")
	want := []string{"a-b", "code-and-a-link", "a-b-1", "größe--100--neu", "snake_case-name", "a-b-2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	limits := rules.Limits{FileLines: 9, TestFileLines: 12, FuncLines: 3, HardFuncLines: 5, Params: 2, Methods: 2, Fields: 2}
	fn := func(name string, lines int) string {
		return "package p\nfunc " + name + " {" + strings.Repeat("\n", lines-1) + "}\n"
	}
	rule := func(reviewed map[string]string) func(*rules.Tree) []rules.Problem {
		return func(tree *rules.Tree) []rules.Problem { return rules.Budgets(tree, limits, reviewed) }
	}
	check(t, rule(nil), []planted{
		{"fits", map[string]string{
			"a.go": fn("f(a, b int) (c, d, e int)", 3), "b_test.go": fn("g()", 11), "c.go": "package p\ntype N interface{ ~int | ~uint | ~int8 }\n",
			"notes.md": strings.Repeat("\n", 99),
		}, nil},
		{"long file", map[string]string{"a.go": "package p\n" + strings.Repeat("\n", 9)}, []string{"a.go: has 10 lines, at most 9"}},
		{"long test", map[string]string{"a_test.go": "package p\n" + strings.Repeat("\n", 12)}, []string{"a_test.go: has 13 lines, at most 12"}},
		{"long script", map[string]string{"x/run.sh": strings.Repeat("\n", 10)}, []string{"x/run.sh: has 10 lines"}},
		{"long function", map[string]string{"a.go": fn("f()", 4)}, []string{"a.go:2: f has 4 lines, at most 3"}},
		{"parameters", map[string]string{"a.go": "package p\nfunc f(a, b int, c string) {}\n"}, []string{"a.go:2: has 3 parameters"}},
		{"parameters of a literal", map[string]string{"a.go": "package p\nvar f = func(int, int, int) {}\n"}, []string{"a.go:2: has 3 parameters"}},
		{"methods", map[string]string{"a.go": "package p\ntype I interface { A(); B(); error }\n"}, []string{"a.go:2: the interface has 3 methods"}},
		{"fields", map[string]string{"a.go": "package p\ntype S struct { a, b int; error }\n"}, []string{"a.go:2: the struct has 3 fields"}},
	})
	check(t, rule(map[string]string{"a.go:T.f": "a table"}), []planted{
		{"reviewed", map[string]string{"a.go": "package p\nfunc (t *T[K]) f() {\n\n\n\n}\n"}, nil},
		{"too long for any reason", map[string]string{"a.go": "package p\nfunc (T) f() {\n\n\n\n\n}\n"}, []string{"a.go:2: T.f has 6 lines, at most 5 are allowed: no reason"}},
		{"reason not needed", map[string]string{"a.go": "package p\nfunc (T) f() {}\n"}, []string{"rules_test.go: a.go:T.f needs no reason"}},
	})
}

func TestDocs(t *testing.T) {
	t.Parallel()
	const doc = "// Package p does one thing well.\npackage p\n\n"
	check(t, rules.Docs, []planted{
		{"documented", map[string]string{
			"p/a.go": doc + "// A is one.\ntype A int\n\nfunc (A) String() string { return \"\" }\n\ntype b int\n\n// Of b.\nconst (\n\tB = 1\n\tC = 2\n)\n\nfunc (b) X() {}\n",
			"p/b.go": "package p\n\nvar (\n\tD = 1 // as all know\n)\n", "p/a_test.go": "package p_test\n\nfunc TestX() {}\n",
		}, nil},
		{"no package comment", map[string]string{"p/a.go": "package p\n", "p/b.go": "package p\n"}, []string{"p/a.go:1: its package has no"}},
		{"two", map[string]string{"p/a.go": doc, "p/b.go": doc}, []string{"p/b.go:1: its package has a package comment in p/a.go"}},
		{"header swallowed", map[string]string{"p/a.go": "// SPDX-License-Identifier: Apache-2.0\n" + doc}, []string{"p/a.go:1: the header is part"}},
		{"wrong name", map[string]string{"p/a.go": "// This is a package for things.\npackage p\n"}, []string{"p/a.go:1: the package comment must start"}},
		{"empty words", map[string]string{"p/a.go": "// Package p is p.\npackage p\n"}, []string{"p/a.go:1: the package comment says nothing"}},
		{"function", map[string]string{"p/a.go": doc + "func F() {}\n"}, []string{"p/a.go:4: F is exported"}},
		{"method", map[string]string{"p/a.go": doc + "// T is.\ntype T int\n\nfunc (t *T) Do() {}\n"}, []string{"p/a.go:7: Do is exported"}},
		{"type", map[string]string{"p/a.go": doc + "type T int\n"}, []string{"p/a.go:4: T is exported"}},
		{"type in a group", map[string]string{"p/a.go": doc + "// Types.\ntype (\n\tT int\n\tU int\n)\n"}, []string{"p/a.go:6: T is", "p/a.go:7: U is"}},
		{"constant", map[string]string{"p/a.go": doc + "const (\n\tA = 1 // one\n\tB = 2\n)\n"}, []string{"p/a.go:6: B is exported"}},
		{"only a directive", map[string]string{"p/a.go": doc + "//go:noinline\nfunc F() {}\n"}, []string{"p/a.go:5: F is exported"}},
	})
}

func TestSpecs(t *testing.T) {
	t.Parallel()
	const spec = "# x\n### Requirement: A\n"
	draw := func(lines string) string { return "# d\n## S\n```mermaid\n" + lines + "\n```\n" }
	with := func(diagram string) map[string]string {
		return map[string]string{"openspec/specs/x/spec.md": spec, "openspec/specs/x/diagram.md": diagram}
	}
	const at = "openspec/specs/x/diagram.md:"
	check(t, rules.Specs, []planted{
		{"good", with(draw("flowchart LR\n  a[\"x (1)\"] -- \"yes [2]\" --> b{\"?\"}\n  b -->|\"no\"| c([\"end\"])\n  subgraph s[\"group\"]\n  a --> c\n  end")), nil},
		{"a sequence needs no quotes", with(draw("sequenceDiagram\n  a->>b: call (twice) [1]")), nil},
		{"none", map[string]string{"a.md": ""}, []string{"openspec/specs: holds no specs"}},
		{"no diagram", map[string]string{"openspec/specs/x/spec.md": spec}, []string{"openspec/specs/x/diagram.md: is missing"}},
		{"ignored", map[string]string{"openspec/specs/x/Spec.md": spec}, []string{
			"openspec/specs/x/Spec.md: is ignored", "openspec/specs/x/spec.md: is missing", "openspec/specs/x/diagram.md: is missing",
		}},
		{"twice", map[string]string{"openspec/specs/x/spec.md": spec + "### Requirement: a!\n", "openspec/specs/x/diagram.md": draw("graph")}, []string{
			"openspec/specs/x/spec.md:3: \"Requirement: a!\" stands in line 2",
		}},
		{"no requirement", map[string]string{"openspec/specs/x/spec.md": "# x\n", "openspec/specs/x/diagram.md": draw("graph")}, []string{
			"openspec/specs/x/spec.md: has no \"### Requirement: \"",
		}},
		{"no section", with("# d\n"), []string{"openspec/specs/x/diagram.md: has no"}},
		{"empty section", with(draw("graph") + "## T\n"), []string{at + "6: section \"T\" draws 0"}},
		{"bare node", with(draw("flowchart LR\n  a[call (twice)] --> b")), []string{at + "5: a label is not quoted: a[call"}},
		{"bare choice", with(draw("graph TD\n  a{yes?}")), []string{at + "5: a label"}},
		{"bare edge", with(draw("flowchart LR\n  a -- yes --> b")), []string{at + "5: a label"}},
		{"bare edge in bars", with(draw("flowchart LR\n  a -->|yes| b")), []string{at + "5: a label"}},
		{"bare group", with(draw("flowchart LR\n  subgraph my group\n  end")), []string{at + "5: a label"}},
	})
}

func TestProofs(t *testing.T) {
	t.Parallel()
	const spec = "openspec/specs/s/spec.md"
	with := func(text string) map[string]string {
		return map[string]string{spec: text, "p/a_test.go": "package p\n\nfunc TestA() {}\n\nfunc FuzzB() {}\n\nfunc (x) TestC() {}\n", "p/a.go": "package p\n\nfunc TestD() {}\n"}
	}
	check(t, func(tree *rules.Tree) []rules.Problem { return rules.Proofs(tree, spec) }, []planted{
		{"proven", with("### R\n\n#### S\n\n- **TEST** `p`: `TestA/one case`, `FuzzB`\n"), nil},
		{"no scenario", with("### R\n### Q\n#### S\n- **TEST** `p`: `TestA`\n"), []string{spec + ":1: \"R\" has no scenario"}},
		{"no scenario at the end", with("### R\n"), []string{spec + ":1: \"R\" has no scenario"}},
		{"no test", with("### R\n#### S\n- **THEN** x\n#### T\n- **TEST** `p`: `TestA`\n"), []string{spec + ":2: \"S\" names no test"}},
		{"not there", with("### R\n#### S\n- **TEST** `p`: `TestA`, `TestB`\n"), []string{spec + ":3: p has no test TestB"}},
		{"a method, and no test file", with("### R\n#### S\n- **TEST** `p`: `TestC`, `TestD`\n"), []string{spec + ":3: p has no test TestC", spec + ":3: p has no test TestD"}},
		{"another folder", with("### R\n#### S\n- **TEST** `q`: `TestA`\n"), []string{spec + ":3: q has no test TestA"}},
		{"bare names", with("### R\n#### S\n- **TEST** p: TestA\n"), []string{spec + ":3: is not of the form"}},
		{"a bare second name", with("### R\n#### S\n- **TEST** `p`: `TestA`, TestB\n"), []string{spec + ":3: TestB is no name of a test"}},
		{"missing", map[string]string{}, []string{spec + ": is missing"}},
	})
}

func TestCode(t *testing.T) {
	t.Parallel()
	check(t, rules.Code, []planted{
		{"good", map[string]string{
			"a.go":                  "package a\nfunc (x T) init() {}\nfunc f() { r.Skip(1) }\n",
			"a_test.go":             "package a\nfunc f() error { return fs.SkipDir }\n",
			"cmd/testdata/a.txtar":  "# skip nothing\nexec x\n-- f --\nskip\n",
			"cmd/testdata/x/bad.go": "not Go at all",
		}, nil},
		{"init", map[string]string{"a.go": "package a\nfunc init() {}\n"}, []string{"a.go:2: init runs unasked"}},
		{"skip", map[string]string{"a_test.go": "package a\nfunc f() { t.Skip() }\nfunc g() { tb.Skipf(\"\") }\n"}, []string{"a_test.go:2: a test must not", "a_test.go:3: a test must not"}},
		{"short", map[string]string{"a_test.go": "package a\nfunc f() { testing.Short() }\n"}, []string{"a_test.go:2: a test must not"}},
		{"script", map[string]string{"testdata/a.txtar": "[!root] skip 'no root'\n"}, []string{"testdata/a.txtar:1: a test must not"}},
		{"empty name", map[string]string{"util/a.go": "package util\n"}, []string{"util/a.go:1: package util: name it"}},
	})
	bans := []rules.Ban{{Text: regexp.MustCompile(`/secret/\S`), Why: "no", Except: []string{"guest", "one.txt"}}}
	check(t, func(tree *rules.Tree) []rules.Problem { return rules.Bans(tree, bans) }, []planted{
		{"banned", map[string]string{
			"a.md": "x\n/secret/y\n", "guest/b.md": "/secret/y", "one.txt": "/secret/y", "bin": "\xff/secret/y", "c.md": "/secret/ y",
		}, []string{"a.md:2: \"/secret/y\": no"}},
	})
	check(t, func(tree *rules.Tree) []rules.Problem { return rules.Goals(tree, "bench") }, []planted{
		{"goals", map[string]string{
			"bench/a/main.go": "// Command a measures.\n//\n// Goal: 5 times\npackage main\n", "bench/a/b.go": "package main\n",
			"bench/c/main.go": "// Command c has no Goal: at all.\npackage main\n", "bench/c/d.go": "package main\n",
		}, []string{"bench/c/main.go:1: its package comment has no line"}},
	})
}

// TestLoad checks what the tree on disk gives: ignored names are left out,
// Go that cannot be parsed and unknown patterns are errors.
func TestLoad(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, files map[string]string) string {
		t.Helper()
		root := t.TempDir()
		for name, text := range files {
			file := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}
	t.Run("ignored", func(t *testing.T) {
		t.Parallel()
		root := write(t, map[string]string{
			".gitignore": "# made\n/bin/\nnode_modules/\n*.out\n", ".git/x.go": "bad", "bin/x.go": "bad", "a/bin/x.go": "package bin\n",
			"a/node_modules/x.go": "bad", "a/b.out": "", "b.md": "",
		})
		tree, err := rules.Load(root)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range tree.Files {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff([]string{".gitignore", "a/bin/x.go", "b.md"}, got); diff != "" {
			t.Error(diff)
		}
	})
	for name, files := range map[string]map[string]string{
		"parsing Go":                      {".gitignore": "", "a.go": "pakcage a\n"},
		"only plain patterns":             {".gitignore": "!keep\n"},
		"reading ignored names: open ":    {"a.go": "package a\n"},
		"a.go:1:1: expected 'package', f": {".gitignore": "", "a.go": "x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := rules.Load(write(t, files)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want an error with %q", err, name)
			}
		})
	}
}
