// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-hostile-files
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
)

// Limits of the answer to one hostile file. Under the race detector, and on a
// machine that does other things, the time is that of the processor.
const (
	maxTime  = 100 * time.Millisecond
	maxBytes = 50 << 20
)

const head = `packer { required_version = ">= 1.10.0" }
source "null" "x" {
  communicator = "none"
}
build { sources = ["source.null.x"] }
`

// input is a tree of one target with the given files.
func input(files map[string]string) validate.Input {
	in := validate.Input{Files: map[string][]byte{}}
	target := hybridcore.Target{
		Image: hybridcore.Image{Name: "x"}, Platform: hybridcore.VSphere, Env: "lab", Source: "null.x",
	}
	for name, text := range files {
		in.Files["templates/"+name] = []byte(text)
		target.Files = append(target.Files, hybridcore.File{Path: name, From: "templates/" + name})
	}
	in.Targets = []validate.Target{{Target: target}}
	return in
}

// bomb makes locals of which each holds the one before it n times.
func bomb(levels, n int) string {
	var b strings.Builder
	b.WriteString(head + "locals {\n  a0 = \"" + strings.Repeat("x", n) + "\"\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "  a%d = \"%s\"\n", i, strings.Repeat(fmt.Sprintf("${local.a%d}", i-1), n))
	}
	fmt.Fprintf(&b, "  z = local.a%d\n}\n", levels)
	return b.String()
}

func loops(levels int) string { return head + "locals {\n  b = length(" + nested(levels) + ")\n}\n" }

func nested(levels int) string {
	body := "1"
	for i := range levels {
		body = fmt.Sprintf("[for v%d in [1,2,3,4,5,6,7,8,9,10] : %s]", i, body)
	}
	return body
}

func aliases(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

// hostile are files that cost their reader time, memory or its life, with what
// the answer says.
func hostile() map[string]struct{ file, text, want string } {
	const t, v, y = "a.pkr.hcl", "v.pkrvars.hcl", "p.yml"
	return map[string]struct{ file, text, want string }{
		"brackets":           {t, head + "x = " + strings.Repeat("[\n", 100_000), "nesting deeper"},
		"parentheses":        {t, head + "x = " + strings.Repeat("(\n", 100_000), "nesting deeper"},
		"blocks":             {t, strings.Repeat("a {\n", 100_000), "nesting deeper"},
		"templates":          {t, head + "x = " + strings.Repeat(`"${`, 20_000), "nesting deeper"},
		"negations":          {t, head + "x = " + strings.Repeat("!", 60_000) + "true", "nesting deeper"},
		"conditions":         {t, head + "x = " + strings.Repeat("true?1:", 9_000) + "1", "nesting deeper"},
		"large file":         {t, head + "# " + strings.Repeat("x", 2<<20), "larger than 1024 KiB"},
		"large variables":    {v, "# " + strings.Repeat("x", 300<<10), "larger than 256 KiB"},
		"one long line":      {t, head + "x = \"" + strings.Repeat("x", 900<<10) + "\"\n", "longer than 64 KiB"},
		"number":             {t, head + "x = 1e999999999\n", "exponent beyond"},
		"text as number":     {t, head + "locals {\n  a = jsonencode(\"1e9999999\" * 1)\n}\n", "too expensive"},
		"text in a function": {t, head + "locals {\n  a = jsonencode(floor(\"1e99999999\"))\n}\n", "too expensive"},
		"text that is made": {
			t, head + "locals {\n  a = format(\"%f\", join(\"\", [\"1e\", \"99999999\"]) + 0)\n}\n",
			"too expensive",
		},
		"text as key": {
			t,
			head + "locals {\n  a = { for k in [join(\"\", [\"1e\", \"99999999\"]) * 1] : k => 1 }\n}\n", "too expensive",
		},
		"negative exponent": {t, head + "locals {\n  a = jsonencode(\"1e-99999999\" * 1)\n}\n", "too expensive"},
		"ranged text":       {t, head + "locals {\n  a = range(\"1e99999999\")\n}\n", "too expensive"},
		"condition": {t, head + "variable \"v\" {\n  type = string\n  default = \"a\"\n  validation {\n    " +
			"condition = jsonencode(\"1e99999999\" * 1) == var.v\n    error_message = \"No.\"\n  }\n}\n", "too expensive"},
		"heredoc":            {t, head + "x = <<EOT\n" + strings.Repeat("x\n", 90_000), "never closed"},
		"NUL":                {t, head + "x = \"\x00\"\n", "NUL byte"},
		"invalid UTF-8":      {t, head + "x = \"\xff\"\n", "not valid UTF-8"},
		"direction":          {t, head + "# \u202e\n", "U+202E"},
		"invisible":          {t, head + "# \u200b\n", "U+200B"},
		"loops in variables": {v, strings.TrimPrefix(loops(7), head), "does not belong here"},
		"loops":              {t, loops(8), "too expensive"},
		"loops in a key":     {v, "x = {\n  (" + nested(9) + ") = 1\n}\n", "computed key"},
		"loops in a key of a setting": {
			t, head + "source \"null\" \"y\" {\n  communicator = {\n    (" + nested(9) + ") = 1\n  }\n}\n", "too expensive",
		},
		"loops in a path": {
			t, head + "locals {\n  a = [for f in fileset(path.root, \"*\") : file(\"${length(" + nested(9) +
				")}/${f}\")]\n}\n", "too expensive",
		},
		"doubling locals": {t, bomb(14, 12), "too expensive"},
		"self reference":  {t, head + "locals {\n  a = local.b\n  b = local.a\n}\n", "needs itself"},
		"long chain":      {t, chain(3_000), "refer to each other more than 10 deep"},
		"wide format": {
			t, head + "locals {\n  a = format(\"%999999999d\", 1)\n  b = length(local.a)\n}\n",
			"nothing uses",
		},
		"range": {t, head + "locals {\n  a = length(range(999999999))\n}\n", "nothing uses"},
		"products": {t, head + "locals {\n  l = split(\",\", \"" + strings.Repeat("a,", 2_000) +
			"\")\n  a = length(setproduct(local.l, local.l, local.l, local.l))\n}\n", "too expensive"},
		"join": {t, head + "locals {\n  l = split(\",\", \"" + strings.Repeat("a,", 9_000) +
			"\")\n  a = join(join(\"\", local.l), local.l)\n}\n", "too expensive"},
		"indent": {t, head + "locals {\n  a = indent(999999999, \"a\\nb\")\n}\n", "nothing uses"},
		"templatefile": {
			t, head + "locals {\n  a = templatefile(\"${path.root}/bomb.tpl\", { l = range(10) })\n}\n",
			"not staged",
		},
		"many blocks":    {t, head + strings.Repeat("locals {}\n", 10_000), ""},
		"many variables": {t, head + many(4_000), "nothing uses"},
		"many references to nothing": {
			t, head + many(2_000) + "locals {\n  a = [\n" + references(2_000) + "  ]\n}\n", "more than 200 findings",
		},
		"aliases":         {y, aliases(9), "aliases expand"},
		"alias of itself": {y, "a: &a [*a]\n", "aliases expand"},
		"YAML brackets":   {y, strings.Repeat("[", 200_000), "nesting deeper"},
		"YAML dashes":     {y, strings.Repeat("- ", 200_000), "nesting deeper"},
		"YAML NUL":        {y, "a: \x00\n", "not UTF-8 text"},
		"large YAML":      {y, "a: " + strings.Repeat("x", 2<<20), "larger than 1024 KiB"},
	}
}

func chain(n int) string {
	var b strings.Builder
	b.WriteString(head + "locals {\n")
	for i := range n {
		fmt.Fprintf(&b, "  a%d = local.a%d\n", i, i+1)
	}
	fmt.Fprintf(&b, "  a%d = 1\n}\n", n)
	return b.String()
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "variable \"v%d\" {}\n", i)
	}
	return b.String()
}

// references are to variables that nobody declares.
func references(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "var.w%d,\n", i)
	}
	return b.String()
}

// Each hostile file is answered with a clear finding, in little time and memory.
func TestHostileFiles(t *testing.T) {
	for name, test := range hostile() {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"base.pkr.hcl": head, test.file: test.text}
			if strings.HasSuffix(test.file, ".pkr.hcl") {
				delete(files, "base.pkr.hcl")
			}
			in := input(files)
			runtime.GC()
			var findings []hybridcore.Finding
			took, held := cost(t, func() { findings = validate.Check(in) })
			for range 2 { // what it takes by itself, whatever else the machine does
				if took > maxTime*slow {
					took, held = cost(t, func() { findings = validate.Check(in) })
				}
			}
			text := (&hybridcore.FindingsError{Findings: findings}).Error()
			if !strings.Contains(text, test.want) || len(text) > 100<<10 {
				t.Errorf("want %q in %.2000s", test.want, text)
			}
			t.Logf("%v, %d KiB", took, held>>10)
			if took > maxTime*slow || held > maxBytes {
				t.Errorf("took %v and held %d MiB", took, held>>20)
			}
		})
	}
}
