// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:16Z
// Spec: openspec/specs/hclfile/spec.md#requirement-literals-only
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

func parse(t *testing.T, text string) *hclfile.File {
	t.Helper()
	file, err := hclfile.Parse([]byte(text), "vars/x.pkrvars.hcl", hclfile.VarFile())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLiterals(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"string":          {`"x"`, `"x"`},
		"escapes":         {`"q\" b\\ n\n t\t u\u00e9"`, `"q\" b\\ n\n t\t ué"`},
		"html":            {`"<a>&"`, `"<a>&"`},
		"escaped interp":  {`"$${x} %%{if}"`, `"${x} %{if}"`},
		"dollar":          {`"$5 $x 100%"`, `"$5 $x 100%"`},
		"heredoc":         {"<<EOT\nline $${x}\n  two\nEOT", `"line ${x}\n  two\n"`},
		"indented":        {"<<-EOT\n    a\n      b\n  EOT", `"a\n  b\n"`},
		"normal form":     {"\"e\u0301\"", `"é"`},
		"integer":         {`12345678901234567890123`, `12345678901234567890123`},
		"fraction":        {`0.1`, `0.1`},
		"exponent":        {`1.5e3`, `1500`},
		"small":           {`1e-3`, `0.001`},
		"negative":        {`-42`, `-42`},
		"negative zero":   {`-0`, `0`},
		"trailing zeros":  {`1.50`, `1.5`},
		"true":            {`true`, `true`},
		"null":            {`null`, `null`},
		"list":            {"[1, \"a\", [true], null,\n]", `[1,"a",[true],null]`},
		"empty":           {`[{}, []]`, `[{},[]]`},
		"object":          {`{ b = 1, "a" = { c : [] }, 5 = 6 }`, `{"5":6,"a":{"c":[]},"b":1}`},
		"quoted key":      {`{ "a.b $${c}" = 1 }`, `{"a.b ${c}":1}`},
		"parentheses":     {`(1)`, `1`},
		"largest allowed": {`1e308`, "1" + strings.Repeat("0", 308)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			literals, findings := parse(t, "\nv = "+test.text+"\n").Literals()
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			got := literals["v"]
			if diff := cmp.Diff(test.want, got.JSON); diff != "" {
				t.Error(diff)
			}
			if !json.Valid([]byte(got.JSON)) || got.Line() != 2 || got.File != "vars/x.pkrvars.hcl" || got.Name != "v" {
				t.Errorf("literal %+v", got)
			}
		})
	}
}

func TestNothingIsEvaluated(t *testing.T) {
	bomb := "[0,1,2,3,4,5,6,7,8,9]"
	loops := strings.Repeat("[for a in "+bomb+" : ", 7) + "a" + strings.Repeat("]", 7)
	tests := map[string]struct{ text, want string }{
		"function":        {`env("HOME")`, "a call of the function env"},
		"file":            {`file("/etc/passwd")`, "a call of the function file"},
		"nested function": {`[{ a = timestamp() }]`, "a call of the function timestamp"},
		"name space":      {`provider::x::f(1)`, "a call of the function provider::x::f"},
		"reference":       {`var.x`, "a reference to var"},
		"bare word":       {`vsphere`, "a reference to vsphere"},
		"bomb":            {loops, `a "for" expression`},
		"object loop":     {`{ for k in ["a"] : k => 1 }`, `a "for" expression`},
		"interpolation":   {`"${1}"`, "a template sequence"},
		"mixed":           {`"a ${upper("b")}"`, "a template sequence"},
		"directive":       {`"%{ if true }a%{ endif }"`, "a template sequence"},
		"loop directive":  {`"%{ for x in [1] }a%{ endfor }"`, "a template sequence"},
		"heredoc":         {"<<EOT\n${1}\nEOT", "a template sequence"},
		"condition":       {`true ? 1 : 2`, "a condition"},
		"sum":             {`1 + 1`, "an operator"},
		"not":             {`!true`, "an operator"},
		"minus minus":     {`- -1`, "an operator"},
		"minus string":    {`-"1"`, "an operator"},
		"index":           {`[1][0]`, "an access to a part of a value"},
		"splat":           {`[1][*]`, "an access to a part of a value"},
		"computed key":    {`{ (a) = 1 }`, "a computed key"},
		"template key":    {`{ "${a}" = 1 }`, "a computed key"},
		"key twice":       {`{ a = 1, "a" = 2 }`, `the key "a" is set twice`},
		"number key":      {`{ 1 = 1, "1" = 2 }`, `the key "1" is set twice`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			start := cpu(t)
			literals, findings := parse(t, "ok = 1\nv = "+test.text+"\n").Literals()
			if took := cpu(t) - start; took > 2*time.Second {
				t.Errorf("took %s", took)
			}
			if len(findings) == 0 || !strings.Contains(findings[0].Message, test.want) || findings[0].Line < 2 {
				t.Fatalf("findings %v, want %q", findings, test.want)
			}
			if got := slices.Sorted(maps.Keys(literals)); !slices.Equal(got, []string{"ok"}) {
				t.Errorf("literals %v", got)
			}
		})
	}
}

func TestBlocksAreNoValues(t *testing.T) {
	_, findings := parse(t, "variable \"x\" {\n  default = 1\n}\nb = f()\n").Literals()
	if len(findings) != 2 || findings[0].Kind != hybridcore.KindSchema || findings[1].Line != 4 {
		t.Errorf("findings %v", findings)
	}
}

func TestExpressionShowsNothing(t *testing.T) {
	for _, text := range []string{
		`hunter2(`, `hunter2`, `"hunter2`, `["hunter2", f()]`, strings.Repeat("[", 100_000),
		"hunter2\x00", strings.Repeat("x", 300<<10), "true\n? 1 : 2",
	} {
		_, findings := hclfile.Expression(text, "PKR_VAR_x")
		if len(findings) == 0 {
			t.Errorf("%.20q accepted", text)
		}
		for _, f := range findings {
			if f.Source != "" || f.Subject != "PKR_VAR_x" || f.File != "" {
				t.Errorf("%.20q: %+v", text, f)
			}
		}
	}
	value, findings := hclfile.Expression("[\n1,\n2]", "x")
	if len(findings) > 0 || value.LengthInt() != 2 {
		t.Errorf("value %v, findings %v", value, findings)
	}
}

// What is accepted has one JSON form that reads back as the same value.
func FuzzLiterals(f *testing.F) {
	for _, text := range []string{
		`"x"`, `[1, -2.5e3, null]`, `{ a = "${b}", "c" = true }`, "<<EOT\nx\nEOT",
		`"\u0000\U0010FFFF"`, `1e308`, `{ 1 = 2 }`, "\"$${x}\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := hclfile.Parse([]byte("v = "+text+"\n"), "x", hclfile.VarFile())
		if err != nil {
			return
		}
		literals, findings := file.Literals()
		v, ok := literals["v"]
		if len(findings) > 0 || !ok {
			return
		}
		of, err := ctyjson.ImpliedType([]byte(v.JSON))
		if err != nil {
			t.Fatalf("%q: %v", v.JSON, err)
		}
		back, err := ctyjson.Unmarshal([]byte(v.JSON), of)
		if err != nil {
			t.Fatalf("%q: %v", v.JSON, err)
		}
		again, err := hclfile.CanonicalJSON(back)
		if err != nil || again != v.JSON {
			t.Fatalf("%q reads back as %q (%v)", v.JSON, again, err)
		}
		if v.Value.Type() == cty.String && back.AsString() != v.Value.AsString() {
			t.Fatalf("%q is not %q", back.AsString(), v.Value.AsString())
		}
	})
}
