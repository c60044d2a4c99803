// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:16Z
// Spec: openspec/specs/hclfile/spec.md#requirement-nesting-is-bounded-before-parsing
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile_test

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// hostile holds files that would end or stall a process that parses them
// plainly, each with a part of the message that refuses it.
func hostile() map[string]struct{ text, want string } {
	const many = 100_000
	in := func(text string) string { return "a = " + text + "\n" }
	return map[string]struct{ text, want string }{
		"brackets":             {strings.Repeat("[", 2*many), "nesting deeper than 64"},
		"attribute brackets":   {in(strings.Repeat("[", 2*many)), "nesting deeper than 64"},
		"closed brackets":      {in(strings.Repeat("[", many/2) + strings.Repeat("]", many/2)), "nesting deeper than 64"},
		"parentheses":          {in(strings.Repeat("(", many)), "nesting deeper than 64"},
		"braces":               {in(strings.Repeat("{a=", many)), "nesting deeper than 64"},
		"blocks":               {strings.Repeat("a {\n", many), "nesting deeper than 64"},
		"interpolations":       {in(strings.Repeat(`"${`, many)), "nesting deeper than 64"},
		"directive sequences":  {in(strings.Repeat(`"%{if `, many)), "nesting deeper than 64"},
		"directives in a row":  {in(`"` + strings.Repeat(`%{if true}`, many/5) + `"`), "nesting deeper than 64"},
		"loops in a row":       {in(`"` + strings.Repeat(`%{for x in y}`, many/10) + `"`), "nesting deeper than 64"},
		"heredocs":             {in(strings.Repeat("<<A\n${", many/5)), "nesting deeper than 64"},
		"not":                  {in(strings.Repeat("!", many) + "true"), "nesting deeper than 64"},
		"minus":                {in(strings.Repeat("-", many) + "1"), "nesting deeper than 64"},
		"minus and blanks":     {in("1 " + strings.Repeat("- ", many/2) + "1"), "nesting deeper than 64"},
		"conditions":           {in(strings.Repeat("true?1:", many/5) + "1"), "nesting deeper than 64"},
		"conditions in front":  {in(strings.Repeat("true?", many/5)), "nesting deeper than 64"},
		"conditions and lines": {in("(" + strings.Repeat("true\n?1\n:", many/10) + "1)"), "nesting deeper than 64"},
		"splats":               {in("x" + strings.Repeat("[*]", many/5)), "nesting deeper than 64"},
		"indexes":              {in("x" + strings.Repeat("[y]", many/5)), "operators in one expression"},
		"attribute splats":     {in("x" + strings.Repeat(".*[0]", many/10)), "operators in one expression"},
		"sums":                 {in("1" + strings.Repeat("+1", many/5)), "operators in one expression"},
		"name spaces":          {in(strings.Repeat("a::", many/5) + "a()"), "operators in one expression"},
		"calls":                {in(strings.Repeat("f(", many)), "nesting deeper than 64"},
		"loops":                {in(strings.Repeat("[for x in ", many/10)), "nesting deeper than 64"},
		"loop keys":            {in(strings.Repeat("{for x in y : ", many/10)), "nesting deeper than 64"},
		"nesting behind text": {
			"# " + strings.Repeat("x", 70_000) + "\n" + strings.Repeat("(", 20_000),
			"nesting deeper than 64",
		},
		"tokens":              {strings.Repeat("\n", 230_000), "more than 200000 tokens"},
		"long number":         {in(strings.Repeat("1", 200_000)), "a number of more than 64 characters"},
		"exponent":            {in("1e999999999"), "exponent beyond"},
		"small exponent":      {in("1e-999999999"), "exponent beyond"},
		"exponent in a block": {"b {\n  a = 1e400\n}\n", "exponent beyond"},
		"closer alone":        {"a = 1 }\n", `"}" closes nothing`},
		"wrong closer":        {in("[1)"), `")" does not close the "[" of line 1`},
		"open bracket":        {"a = [1,\n", `"[" is never closed`},
		"open quote":          {`a = "x`, `is never closed`},
		"open heredoc":        {"a = <<EOT\nx\n", `"<<EOT" is never closed`},
		"NUL":                 {"a = 1\nb = \"\x00\"\n", "a NUL byte"},
		"bad UTF-8":           {"a = \"\xff\"\n", "not valid UTF-8"},
		"UTF-16":              {"\xff\xfea\x00=\x001\x00", "not valid UTF-8"},
		"control character":   {"a\x1b[31m = 1\n", "Invalid character"},
		"attribute twice":     {"a = 1\nb = 2\na = 3\n", "Attribute redefined"},
	}
}

// cpu is the processor time of this process: unlike the clock it does not tell
// of what else runs on the machine.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestHostileFilesAreRefused(t *testing.T) {
	// 64 MiB of stack are a sixteenth of Go's own limit: an overflow ends the test.
	defer debug.SetMaxStack(debug.SetMaxStack(64 << 20))
	for name, test := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := cpu(t)
			_, err := hclfile.Parse([]byte(test.text), "x.pkrvars.hcl", hclfile.VarFile())
			took := cpu(t) - start
			var findings *hybridcore.FindingsError
			if !errors.As(err, &findings) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %.300v, want %q", err, test.want)
			}
			if took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("exit code %d, want %d", hybridcore.ExitCode(err), hybridcore.ExitUsage)
			}
			for _, f := range findings.Findings {
				if f.Line < 1 || f.File != "x.pkrvars.hcl" || len(f.Source) > 1000 {
					t.Errorf("finding without a fit place: %+v", f)
				}
			}
		})
	}
}

// 200 KB of "[" are refused within 100 ms and 50 MB (threat HCL-10). The race
// detector makes both several times as large.
func TestBracketsAreCheap(t *testing.T) {
	text := []byte(strings.Repeat("[", 200_000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpu(t)
	_, err := hclfile.Parse(text, "x", hclfile.VarFile())
	took := cpu(t) - start
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Fatal("accepted")
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 50<<20 {
		t.Errorf("allocated %d MiB", spent>>20)
	}
	if took > time.Second {
		t.Errorf("took %s", took)
	}
}

func TestOrdinaryFilesPass(t *testing.T) {
	tests := map[string]string{
		"empty":             "",
		"byte order mark":   "\xef\xbb\xbfa = 1\n",
		"CRLF":              "a = 1\r\nb = <<EOT\r\nx\r\nEOT\r\n",
		"no last line end":  "a = 1",
		"comments":          "# ((((((((\n// [[[[[[\n/* {{{{{{ \"${ */\na = 1 # !!!!\n",
		"long comment":      "/*" + strings.Repeat(" ---- (((( !!!! \n", 10_000) + "*/\na = 1\n",
		"long line comment": "#" + strings.Repeat("(", 100_000) + "\na = 1\n",
		"long heredoc":      "a = <<EOT\n" + strings.Repeat("((((!!!!----????\n", 8_000) + "EOT\n",
		"long string":       `a = "` + strings.Repeat("([{!-?", 20_000) + "\"\n",
		"many attributes":   attributes(10_000),
		"many conditions":   "a = [\n" + strings.Repeat("  true ? 1 : 2,\n", 5_000) + "]\n",
		"object conditions": "a = {\n" + numbered("  k%d = true ? 1 : 2\n", 5_000) + "}\n",
		"colon objects":     "a = {\n" + numbered("  k%d : true ? !false : -2\n", 5_000) + "}\n",
		"block conditions":  "b {\n" + numbered("  k%d = (true ? 1 : 2) # x\n", 5_000) + "}\n",
		"deep but allowed":  "a = " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\n",
		"else if":           "a = " + strings.Repeat("x == 1 ? 1 : ", 50) + "2\n",
		"directives":        "a = \"" + strings.Repeat("%{if x}y%{else}z%{endif}", 1_000) + "\"\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := hclfile.Parse([]byte(text), "x", hclfile.Template()); err != nil {
				t.Errorf("refused: %.300v", err)
			}
		})
	}
}

func attributes(n int) string { return numbered("k%d = -1\n", n) }

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// What the scan accepts cannot overflow the parser's stack.
func FuzzPrescan(f *testing.F) {
	for _, test := range hostile() {
		f.Add(test.text[:min(len(test.text), 2_000)])
	}
	for _, text := range []string{
		"a = 1\n", "b \"c\" {\n  d = [for x in y : x if -x]\n}\n",
		"a = \"${b[*].c}%{for x in y}${x}%{endfor}\"\n", "a = <<-EOT\n  ${x}\n  EOT\n",
	} {
		f.Add(text)
	}
	defer debug.SetMaxStack(debug.SetMaxStack(4 << 20))
	f.Fuzz(func(t *testing.T, text string) {
		for _, repeated := range []string{text, strings.Repeat(text, 1+4_000/(1+len(text)))} {
			file, err := hclfile.Parse([]byte(repeated), "x", hclfile.Template())
			if (file == nil) == (err == nil) {
				t.Fatalf("file %v with error %v", file, err)
			}
			if file != nil {
				file.Literals()
				file.Declarations()
			}
		}
	})
}
