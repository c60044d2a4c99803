// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T02:23:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
)

// repeat nests dynamic blocks, each over a hundred elements.
func repeat(levels int, inside string) string {
	for range levels {
		inside = "dynamic \"d\" {\n  for_each = local.l\n  content {\n" + inside + "\n}\n}"
	}
	return "locals {\n  l = range(100)\n}\n" + build("provisioner \"nosuch\" {\n"+inside+"\n}")
}

// Dynamic blocks have one budget at all levels, whoever wrote them.
func TestDynamicBombs(t *testing.T) { // not beside others: it measures time
	for name, text := range map[string]string{
		"three levels": repeat(3, ""), "two levels": repeat(2, "a = 1"), "six levels": repeat(6, ""),
		"blocks inside":   repeat(1, strings.Repeat("b {\n}\n", 5000)),
		"settings inside": repeat(2, strings.Repeat("b {\n  x = 1\n  y = 1\n}\n", 50)),
		"a long list":     repeat(2, "a = ["+strings.Repeat("1,", 20_000)+"]"),
		"steps": "locals {\n  l = range(100)\n}\n" + build("dynamic \"post-processors\" {\n  for_each = local.l\n"+
			"  content {\n"+
			"dynamic \"post-processor\" {\n  for_each = local.l\n  labels = [\"manifest\"]\n  content {\n}\n}\n}\n}"),
		"empty inside": repeat(2, "dynamic \"e\" {\n  for_each = []\n  content {\n}\n}"),
	} {
		for _, policy := range []*untrusted.Policy{nil, {}} {
			in := input(map[string]string{"a.pkr.hcl": text})
			in.Policy = policy
			var findings []hybridcore.Finding
			took, held := cost(t, func() { findings = validate.Check(in) })
			if !slices.ContainsFunc(findings, func(f hybridcore.Finding) bool {
				return f.Rule == finding.RuleWork && f.Blocking && f.Line > 0 && strings.Contains(f.Hint, "shorten the list")
			}) {
				t.Errorf("%s: %.1000v", name, findings)
			}
			if took > 20*maxTime*slow || held > 2*maxBytes {
				t.Errorf("%s: took %v and held %d MiB", name, took, held>>20)
			}
			t.Logf("%s: took %v and held %d MiB", name, took, held>>20)
		}
	}
}

// nest calls a function on itself, in parentheses, many times.
func nest(n int, inside string) string {
	return strings.Repeat("trimspace((", n) + inside + strings.Repeat("))", n)
}

// What a text is made of is visited once, however it is nested and wherever it
// is used.
func TestTextBombs(t *testing.T) { // not beside others: it measures time
	shells := func(n int, inline string, locals ...string) string {
		return "locals {\n" + strings.Join(locals, "\n") + "\n}\n" +
			build(strings.Repeat("provisioner \"shell\" {\n  inline = ["+inline+"]\n}\n", n))
	}
	chain := []string{"a0 = " + nest(1, "var.given")}
	for i := range 8 {
		chain = append(chain, fmt.Sprintf("a%d = %s", i+1, nest(1, fmt.Sprintf("local.a%d", i))))
	}
	repeated := func(each, inline string) string {
		return "dynamic \"provisioner\" {\n  for_each = " + each + "\n  labels = [\"shell\"]\n  content {\n    inline = [" +
			inline + "]\n  }\n}\n"
	}
	for name, text := range map[string]string{
		"deep calls":  shells(1, nest(22, "var.given")),
		"two in each": shells(1, nest(8, `join("", [`+nest(8, "var.given")+", "+nest(8, "var.given")+"])")),
		"calls":       shells(300, nest(12, "var.given")),
		"locals":      shells(300, nest(2, "local.a8"), chain...),
		"deep locals": shells(1, nest(20, "local.a8"), chain...),
		"a long local in many": shells(300, `join("", local.a)`,
			"a = ["+strings.Repeat("var.given,\n", 300)+"]"),
		"a file in many":        shells(40, `var.given, file("${path.root}/large.txt")`),
		"a text file in many":   shells(40, `var.given, templatefile("${path.root}/plain.txt", { a = var.given })`),
		"in a repeated block":   build(repeated("range(99)", nest(12, "var.given"))),
		"lists that are nested": build(strings.Repeat(repeated("["+nest(10, "var.given")+"]", `"x"`), 100)),
	} {
		in := settingsTree(text)
		took, held := cost(t, func() { validate.Check(in) })
		if took > 20*maxTime*slow || held > 2*maxBytes {
			t.Errorf("%s: took %v and held %d MiB", name, took, held>>20)
		}
		t.Logf("%s: took %v and held %d MiB", name, took, held>>20)
	}
}
