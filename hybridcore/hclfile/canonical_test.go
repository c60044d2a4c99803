// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:12:00Z
// Spec: openspec/specs/hclfile/spec.md#requirement-canonical-files-are-recognised
// Diagram: openspec/specs/hclfile/diagram.md#a-file-that-is-certainly-canonical

package hclfile_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// recognised holds what Canonical knows, each a file of its own.
var recognised = []string{
	"# A comment.\n// Another, with ü and a tab\tinside.\n",
	"packer {\n  required_plugins {\n    a = {\n      source  = \"x/y\"  # here\n      version = \">= 1\" // and there\n    }\n  }\n}\n",
	"block \"label\" \"other*\" plain {}\nsingle { a = 1 }\nsingle { a = [1, 2.5, \"x\"] }\n",
	"text = \"a ${var.b} c ${d(\"e\")}${f[0].g} \\\" \\\\ \\n %s $HOME ü [a-z]$\"\nb    = 1\n",
	"first = !var.a && (b == 1 || c != 2) ? -1 : 5 - 3\n",
	"long  = a < 1 ? b : c > 2 ? d : e <= 3 ? f : g >= 4\nmaths = 1 + 2 * 3 / 4 % 5\n",
	"negated = [-1, -a, !b, a - b]\n",
	"each  = [for x in var.list : x.name if x.on]\nkeyed = { for k, v in { a = 1 } : k => v }\n",
	"nested = { for k, v in var.m : k => [for x in v : \"${k}-${x}\"] }\n",
	"files = {\n  # all\n  for name in fileset(\"x\", \"**\") :\n  name => file(name)\n}\n",
	"object = { a = 1, \"b c\" = 2, d : 3 }\nempty  = [[], {}, f()]\n",
	"in_list = f(a, [\n  1,\n  2, # two\n], \"b\")\n",
	"call = jsonencode({\n  a    = 1\n  long = \"2\"\n\n  # Apart.\n  b = { c = [\n    1\n  ] }\n})\n",
	"text_of_lines = <<-EOT\n    free   text \"with\" ${var.x} in ${f(\"}\")}\n  %s # no comment\n\nEOT\nx             = <<EOT\nEOT\nlast          = a[\"b\"][1].c\n",
}

// judged says what hcl makes of a file.
func judged(src []byte) error {
	if out := hclwrite.Format(src); !bytes.Equal(src, out) {
		return fmt.Errorf("hclwrite.Format changes it to:\n%s", out)
	}
	_, err := hclfile.Parse(src, "x.pkrvars.hcl", hclfile.VarFile())
	return err
}

// trees are all HCL files of the repository.
func trees(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".hcl") {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(files) < 50 {
		tb.Fatalf("only %d HCL files: %v", len(files), err)
	}
	return files
}

func TestCanonicalKnowsTheTemplates(t *testing.T) {
	for _, src := range recognised {
		if err := judged([]byte(src)); err != nil || !hclfile.Canonical([]byte(src)) {
			t.Errorf("not recognised, error %v\n%s", err, src)
		}
	}
	for path, src := range trees(t) {
		known, err := hclfile.Canonical(src), judged(src)
		if known && err != nil {
			t.Errorf("%s is recognised, but %v", path, err)
		}
		ours := strings.HasPrefix(path, "../../templates/") || strings.HasPrefix(path, "../../configs/")
		if ours && err == nil && !known {
			t.Errorf("%s is canonical, but not recognised: fmt takes the long way", path)
		}
	}
}

// TestCanonicalIsSure changes files in many ways at every place: whatever is
// still recognised must be right.
func TestCanonicalIsSure(t *testing.T) {
	n, still := 0, 0
	try := func(src ...string) {
		n++
		file := []byte(strings.Join(src, ""))
		if !hclfile.Canonical(file) {
			return
		}
		still++
		if err := judged(file); err != nil {
			t.Fatalf("recognised, but %v\n%s", err, file)
		}
	}
	for _, src := range recognised {
		for at := range len(src) {
			head, tail := src[:at], src[at:]
			try(head, tail[1:])
			try(head, tail[:1], tail)
			for _, c := range "\t\n\r \"#$%&'()*+,-./0:;<=>?@Aa[\\]^_`{|}~ü" {
				try(head, string(c), tail)
				try(head, string(c), tail[1:])
			}
			for _, word := range []string{"in ", "for ", "if ", "...", "<<EOT\n", "EOT\n", "${", "%{"} {
				try(head, word, tail)
			}
		}
	}
	for _, one := range recognised {
		for _, other := range recognised {
			try(one, other)
			try("a {\n", one, other, "}\n")
		}
	}
	if still < 1000 {
		t.Errorf("of %d changed files only %d are recognised: the test shows little", n, still)
	}
}

func TestCanonicalLeavesToHCL(t *testing.T) {
	for name, src := range map[string]string{
		"nothing":           "",
		"no line break":     "a = 1",
		"mark":              "\uFEFFa = 1\n",
		"CRLF":              "a = 1\r\n",
		"NUL":               "# \x00\n",
		"not UTF-8":         "# \xff\n",
		"long":              strings.Repeat("# x\n", 40_000),
		"deep":              "a = " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n",
		"many conditions":   "a = " + strings.Repeat("b ? c : ", 20) + "d\n",
		"many operators":    "a = b" + strings.Repeat(" + b", 600) + "\n",
		"argument twice":    "a = 1\na = 2\n",
		"control sequence":  "a = \"%{if b}c%{endif}\"\n",
		"escaped sequence":  "a = \"$${b}\"\n",
		"trimming sequence": "a = \"${~b~}\"\n",
		"splat":             "a = b[*].c\n",
		"exponent":          "a = 1e5\n",
		"other letters":     "ä = 1\n",
		"unaligned":         "a = 1\nbc = 2\n",
		"two spaces":        "a =  1\n",
		"indent":            "a {\n   b = 1\n}\n",
	} {
		if hclfile.Canonical([]byte(src)) {
			t.Errorf("%s is recognised", name)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, src := range recognised {
		f.Add([]byte(src))
	}
	for _, src := range trees(f) {
		if len(src) < 8<<10 {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if !hclfile.Canonical(src) {
			return
		}
		if err := judged(src); err != nil {
			t.Errorf("recognised, but %v", err)
		}
	})
}

// chooser makes files by a grammar of its own, wider than what Canonical
// knows and sometimes wrong. It takes its choices from data and then ends.
type chooser struct {
	data []byte
	deep int
}

func (c *chooser) next() int {
	if len(c.data) == 0 {
		return 0
	}
	n := int(c.data[0])
	c.data = c.data[1:]
	return n
}

// even takes one of the choices, pick rather an early one: the last are odd.
func (c *chooser) even(from ...string) string { return from[c.next()%len(from)] }

func (c *chooser) pick(from ...string) string {
	n := c.next()
	return from[n*n*n*len(from)>>24]
}

func (c *chooser) more(deepest int) bool { return c.next()%8 > 0 && c.deep < deepest }

func (c *chooser) expr() string {
	c.deep++
	defer func() { c.deep-- }()
	if c.deep > 9 {
		return "x"
	}
	switch c.even("name", "num", "text", "call", "list", "object", "op", "op", "cond", "not", "paren", "attr", "index", "for", "forobj", c.pick("name", "name", "name", "odd")) {
	case "num":
		return c.pick("1", "2.5", "007", "1e5", "1.", "123456789012345678901234567890")
	case "text":
		return `"` + c.text() + c.text() + `"`
	case "call":
		return c.pick("f", "g::h", "for", "f ") + "(" + c.items() + c.pick("", "", "...", ",") + ")"
	case "list":
		return "[" + c.items() + c.pick("", "", ",", "\n") + "]"
	case "object":
		return "{" + c.space() + c.entries() + "}"
	case "op":
		return c.expr() + c.even(" + ", " - ", " == ", " && ", " <= ", " * ", " % ", c.pick(" / ", "*", "-", " ! ", "\n+ ")) + c.expr()
	case "cond":
		return c.expr() + " ? " + c.expr() + " : " + c.expr()
	case "not":
		return c.pick("!", "-", "- ", "--", "!!", "-!") + c.expr()
	case "paren":
		return "(" + c.space() + c.expr() + c.space() + ")"
	case "attr":
		return c.expr() + c.pick(".a", ".in", ".for", ".0", ".*", " .a", ".a.b")
	case "index":
		return c.expr() + "[" + c.pick("", "*", "\n") + c.expr() + "]"
	case "for":
		return "[for " + c.pick("k", "k, v", "in", "1") + " in " + c.expr() + c.pick(" : ", ": ", " :\n") + c.expr() + c.pick("", " if "+c.expr(), " => "+c.expr()) + "]"
	case "forobj":
		return "{" + c.space() + "for k, v in " + c.expr() + " : " + c.expr() + c.pick(" => ", "=>", " ") + c.expr() + c.pick("", "...", " if x") + c.space() + "}"
	case "odd":
		return c.pick("in", "for", "if", "ü", "`", "'", "$", "~", "", "a b", "\"", "<<EOT\nx\nEOT", "/* c */ a", "null")
	default:
		return c.pick("a", "b-c", "_d", "var.e", "in", "if")
	}
}

func (c *chooser) space() string { return c.pick("", "\n", "# c\n", " ") }

func (c *chooser) text() string {
	return c.even("a", "", "ü", c.pick("b", `\n`, `\"`, `\u00e4`, `\x`, "$", "%", "$$", "%%{", "${~x}", "%{if a}b%{endif}", " 10 % ", "#", "{", "}", "~", "\t")) + c.even("", "", "${"+c.expr()+"}")
}

func (c *chooser) items() string {
	text := ""
	for c.more(9) {
		text += c.space() + c.expr() + c.pick(", ", ",", ",\n", " ", "\n")
	}
	return text + c.pick(c.expr(), "")
}

func (c *chooser) entries() string {
	text := ""
	for c.more(9) {
		text += c.pick("a", "b-c", `"d"`, "(e)", "for", "1", "a.b") + c.pick(" = ", " : ", "=") + c.value() + c.pick(", ", "\n", ",\n", " # c\n")
	}
	return text
}

func (c *chooser) value() string {
	if c.even("expr", "expr", "expr", "heredoc") == "heredoc" {
		return c.pick("<<EOT\n", "<<-EOT\n", "<<E-T\n", "<<EOT \n") + c.text() + c.pick("\n", "") + c.text() + c.pick("\nEOT", "\n  EOT ", "\n EOTA\nEOT", "EOT")
	}
	return c.expr()
}

func (c *chooser) body() string {
	c.deep++
	defer func() { c.deep-- }()
	text := ""
	for c.more(6) {
		switch c.even("argument", "argument", "argument", "block", "single", "comment", "blank", c.pick("blank", "blank", "odd")) {
		case "argument":
			text += c.even("a", "bb", "c-c", "long_name", "dd", "e", "ff", "g", "h", c.pick("i", "in", "for")) + " = " + c.value() + c.pick("\n", "\n", " # c\n", " // d\n", "")
		case "block":
			text += "x" + c.pick("", ` "l"`, ` "l" m`, ` "${l}"`, ` ""`, " \"\\n\"", ` "ü"`) + c.pick(" {\n", " { # c\n", " {", "{\n") + c.body() + c.pick("}\n", "} # c\n", "}")
		case "single":
			text += "y { a = " + c.expr() + " }\n"
		case "comment":
			text += c.pick("# c\n", "  // ü\n", "/* c */\n", "#\n")
		case "blank":
			text += "\n"
		default:
			text += c.even("}\n", "a\n", "= 1\n", "\"a\" = 1\n", "a b\n")
		}
	}
	return text
}

// FuzzCanonicalGrammar makes files by a grammar, with the spaces that they
// come with and with those of hclwrite.Format.
func FuzzCanonicalGrammar(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		data := make([]byte, 10+random.IntN(200))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := []byte((&chooser{data: data}).body())
		for _, file := range [][]byte{src, hclwrite.Format(src)} {
			if !hclfile.Canonical(file) {
				continue
			}
			if err := judged(file); err != nil {
				t.Errorf("recognised, but %v\n%s", err, file)
			}
		}
	})
}
