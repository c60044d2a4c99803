// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:45:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
)

// tooMuch finds what is said of an evaluation that is beyond a limit.
func tooMuch(findings []hybridcore.Finding) string {
	for _, f := range findings {
		if f.Rule == finding.RuleWork && f.Blocking && f.Line > 0 && f.File != "" && f.Hint != "" {
			return f.Message
		}
	}
	return ""
}

// bombs are what a template evaluates at a great cost, with the limit that is
// named.
var bombs = map[string]struct{ locals, want string }{
	"bcrypt in a loop":      {`a = [for a in range(1000) : bcrypt("x", 10)]`, "Packer may take"},
	"default bcrypt":        {`a = [for a in range(100) : bcrypt("x")]`, "Packer may take"},
	"cheap bcrypt often":    {`a = [for a in range(1000) : [for b in range(20) : bcrypt("x", 4)]]`, "the limit"},
	"bcrypt in locals":      {strings.Join(many17(`a%d = [bcrypt("x"), bcrypt("y")]`), "\n"), "Packer may take"},
	"bcrypt by a value":     {`a = bcrypt("x", length(var.given))`, "cost of bcrypt()"},
	"bcrypt by a splat":     {`a = bcrypt(["x", 20]...)`, "cost of bcrypt()"},
	"bcrypt in a text":      {`a = "%{for a in range(1000)}${bcrypt("x")}%{endfor}"`, "Packer may take"},
	"bcrypt in a condition": {`a = [for a in range(1000) : a if bcrypt("x") == ""]`, "Packer may take"},
	"bcrypt as a key":       {`a = { for a in range(1000) : bcrypt("x${a}") => a }`, "Packer may take"},
	"bcrypt in a try":       {`a = [for a in range(1000) : try(bcrypt("x"), can(bcrypt("y")))]`, "Packer may take"},
	"list in an object": {"x = { l = range(1000) }\na = [for a in local.x.l : [for b in local.x.l : [for c in " +
		"local.x.l : 1]]]", "the limit"},
	"list in a list": {"x = [range(1000)]\na = [for a in local.x[0] : [for b in local.x[0] : 1]]", "the limit"},
	"index":          {`a = [for a in [range(1000)][0] : [for b in { l = range(1000) }["l"] : 1]]`, "the limit"},
	"part of an object": {
		`a = [for a in ({ l = range(1000) }).l : [for b in ({ l = range(1000) }).l : 1]]`,
		"the limit",
	},
	"loop over an element": {
		`a = [for a in [range(1000)] : [for b in a : [for c in a : [for d in a : 1]]]]`,
		"the limit",
	},
	"part of an element":  {`a = [for a in [{ l = range(1000) }] : [for b in a.l : [for c in a.l : 1]]]`, "the limit"},
	"values of an object": {`a = [for k, v in { x = range(1000) } : [for b in v : [for c in v : 1]]]`, "the limit"},
	"groups": {
		`a = [for v in { for i in range(1000) : "k" => i... } : [for b in v : [for c in v : 1]]]`,
		"the limit",
	},
	"splat": {
		`a = [for v in [{ l = range(1000) }][*].l : [for b in v : [for c in v : 1]]]`,
		"the limit",
	},
	"conditional": {
		`a = [for a in true ? range(1000) : [] : [for b in true ? range(1000) : [] : 1]]`,
		"the limit",
	},
	"hidden list": {"x = split(\",\", base64decode(base64encode(join(\",\", range(900)))))\na = [for a in " +
		"local.x : [for b in local.x : [for c in local.x : 1]]]", "the limit"},
	"hidden text": {"x = yamldecode(\"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, " +
		"20]\")\na = [for a in local.x : [for b in local.x : [for c in local.x : [for d in local.x : 1]]]]", "the limit"},
	"sets":    {`a = [for a in range(100) : setunion(range(500), range(500, 1000))]`, "the limit"},
	"product": {`a = setproduct(range(1000), range(1000))`, "value may have"},
	"product of products": {
		`a = setproduct(setproduct(range(50), range(50)), setproduct(range(50), range(50)))`,
		"value may have",
	},
	"product in a loop":  {`a = [for a in range(100) : setproduct(range(100), range(50))]`, "value may have"},
	"product by a splat": {`a = setproduct([for a in range(20) : [1, 2, 3]]...)`, "value may have"},
	"flatten":            {`a = flatten([for a in range(1000) : [for b in range(60) : [1, 2]]])`, "the limit"},
	"split": {
		`a = [for a in range(30) : split("", format("%999s%999s%999s%999s%999s", "", "", "", "", ""))]`,
		"the limit",
	},
	"chunklist": {`a = [for a in range(200) : chunklist(range(1000), 1)]`, "the limit"},
	"concat":    {`a = concat([for a in range(300) : range(1000)]...)`, "the limit"},
	"argument named again": {
		`a = format("` + strings.Repeat("%[1]s", 1000) + `", join("-", range(900)))`,
		"value may have",
	},
	"widths": {`a = [for a in range(100) : format("` + strings.Repeat("%999s", 100) + `", ` +
		strings.TrimSuffix(strings.Repeat(`"", `, 100), ", ") + `)]`, "value may have"},
	"widths of a list":   {`a = formatlist("%999s%[1]999s", range(1000))`, "value may have"},
	"format by a loop":   {`a = [for a in range(9) : format("%${a}s", "x")]`, "width or precision"},
	"replace by nothing": {`a = replace(join("", range(900)), "", join("", range(900)))`, "value may have"},
	"groups of a replacement": {
		`a = regex_replace(join("", range(900)), ".*", "` + strings.Repeat("$0", 1000) + `")`,
		"value may have",
	},
	"groups of regexall": {`a = regexall("` + strings.Repeat("(", 400) + "." + strings.Repeat(")", 400) +
		`", join("", range(900)))`, "value may have"},
	"repeated expression": {
		`a = [for a in range(50) : regexall("((a{30}|b{30}|.{30}){30})*c", join("", range(900)))]`,
		"the limit",
	},
	"large expression": {
		`a = regex("(` + strings.Repeat("x{900}|", 400) + `y)*", join("", range(900)))`,
		"the limit",
	},
	"expression by a loop": {
		`a = [for p in ["x{900}", "y{900}"] : regexall("(${p}${p})*", join("", range(900)))]`,
		"the limit",
	},
	"replace by expressions": {
		`a = [for a in range(50) : replace(join("", range(900)), "/((a{30}|b{30}){30})*/", "")]`,
		"the limit",
	},
	"escapes": {
		`a = jsonencode(jsonencode(jsonencode(jsonencode([for a in range(1000) : "<<<<<<<<<<<<"]))))`,
		"value may have",
	},
	"indented YAML": {`a = yamlencode([for a in range(900) : "x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx"])`, "value may have"},
	"rows": {
		`a = csvdecode("` + strings.Repeat("h", 3000) + `\n${join("\n", range(900))}")`,
		"value may have",
	},
	"gzip in a loop": {`a = [for a in range(100) : [for b in range(60) : base64gzip("x")]]`, "Packer may take"},
	"files in a loop": {
		`a = [for a in range(1000) : [for b in range(50) : fileexists("${path.root}/large.tpl")]]`,
		"the limit",
	},
	"trees in a loop": {`a = [for a in range(1000) : [for b in range(25) : fileset(path.root, "*")]]`, "the limit"},
	"YAML in a loop":  {`a = [for a in range(1000) : [for b in range(25) : yamlencode(a)]]`, "the limit"},
	"expressions in a loop": {
		`a = [for a in range(1000) : [for b in range(30) : can(regex("^[a-z]{1,10}$", "x"))]]`,
		"the limit",
	},
	"unequal objects":        {`a = distinct([for a in range(1000) : { a = a, b = { c = a } }])`, "the limit"},
	"sorted":                 {`a = [for a in range(100) : sort([for b in range(100) : "${b}"])]`, "the limit"},
	"titles":                 {`a = [for a in range(100) : title(join(" ", range(300)))]`, "the limit"},
	"reversed":               {`a = [for a in range(200) : strrev(join("", range(900)))]`, "the limit"},
	"anchors by a value":     {`a = yamldecode(join("", ["a: &", "b [x]"]))`, "anchors"},
	"YAML of a loop":         {`a = [for a in ["&"] : yamldecode("a: ${a}b 1")]`, "yamldecode()"},
	"pattern":                {`a = fileset(path.root, "**/**/**/**/x")`, "wildcards"},
	"pattern of names":       {`a = fileset(path.root, "{a,{b,c}}{a,{b,c}}{a,b}")`, "wildcards"},
	"pattern by a loop":      {`a = [for a in ["**/**/**/**/**"] : fileset(path.root, a)]`, "pattern of fileset()"},
	"text in a loop":         {`a = [for a in range(1000) : templatefile("${path.root}/large.tpl", {})]`, "the limit"},
	"loops in a text":        {`a = templatefile("${path.root}/loops.tpl", { l = range(1000) })`, "the limit"},
	"hidden loops in a text": {`a = templatefile("${path.root}/loops.tpl", { l = split(",", base64decode(base64encode(join(",", range(1000))))) })`, "the limit"},
	"text that is chosen":    {`a = [for f in fileset(path.root, "*.tpl") : templatefile("${path.root}/${f}", { l = split(",", base64encode(var.given)), x = range(900) })]`, "the limit"},
	"bcrypt in a text file":  {`a = templatefile("${path.root}/slow.tpl", {})`, "Packer may take"},
	"text of itself":         {`a = templatefile("${path.root}/self.tpl", {})`, "cannot render another one"},
	"length of a text": {"x = templatefile(\"${path.root}/large.tpl\", {})\na = [for a in split(\"\", local.x) : " +
		"[for b in split(\"\", local.x) : 1]]", "the limit"},
	"secret list": {`a = [for a in var.secret : [for b in var.secret : [for c in var.secret : 1]]]`, "the limit"},
}

// many17 writes 17 lines, each with its number.
func many17(line string) []string {
	all := make([]string, 17)
	for i := range all {
		all[i] = strings.ReplaceAll(line, "%d", strings.Repeat("x", i))
	}
	return all
}

// bombTree is a tree with locals, and with texts for templatefile.
func bombTree(locals string) validate.Input {
	secret := "variable \"secret\" {\n  type      = list(number)\n  sensitive = true\n  default   = [1" + strings.Repeat(
		", 1", 99) + "]\n}\n"
	in := input(map[string]string{
		"a.pkr.hcl": head + "variable \"given\" { type = string }\n" + secret + "locals {\n" + locals + "\n}\n",
		"large.tpl": strings.Repeat("echo some text of a script\n", 400),
		"texts/a":   "echo ${g}\n",
		"loops.tpl": "%{for a in l}%{for b in l}x%{endfor}%{endfor}",
		"slow.tpl":  "%{for a in [1,2,3,4,5,6,7,8,9,10,11,12]}${bcrypt(\"x\", 11)}%{endfor}",
	})
	if strings.Contains(locals, "self.tpl") {
		self := input(map[string]string{"self.tpl": "${templatefile(\"self.tpl\", {})}"})
		in.Files["templates/self.tpl"] = self.Files["templates/self.tpl"]
		in.Targets[0].Files = append(in.Targets[0].Files, self.Targets[0].Files...)
	}
	in.Policy = &untrusted.Policy{}
	return in
}

// Every bomb is refused with the limit, the place and what to do, before it costs
// anything.
func TestBombs(t *testing.T) { // not beside others: it measures time
	for name, test := range bombs {
		t.Run(name, func(t *testing.T) {
			in := bombTree(test.locals)
			var findings []hybridcore.Finding
			took, held := cost(t, func() { findings = validate.Check(in) })
			if message := tooMuch(findings); !strings.Contains(message, test.want) {
				t.Errorf("want %q in %.2000v", test.want, findings)
			}
			if took > maxTime*slow || held > maxBytes {
				t.Errorf("took %v and held %d MiB", took, held>>20)
			}
		})
	}
}

// What real templates do is within the limits.
func TestWithinLimits(t *testing.T) {
	t.Parallel()
	for _, locals := range []string{
		`a = bcrypt("x")`, `a = [for i in range(5) : bcrypt("x", 10)]`, `a = bcrypt("x", 12)`,
		`a = setproduct(["a", "b"], range(20), [true, false])`,
		`a = [for a in range(30) : [for b in range(30) : a * b]]`, `a = { for a in range(50) : "k${a}" => { l = range(a) } }`,
		`a = formatlist("%-20s/%s", [for i in range(100) : "a name of some length ${i}"], "x")`,
		`a = indent(6, join("\n", range(900)))`,
		`a = replace(join("\n", range(900)), "\n", "\n      ")`, `a = replace(join("\n", range(900)), "/[0-9]+\n/", "x")`,
		`a = can(regex("^[A-Za-z0-9]([A-Za-z0-9_.]{0,78}[A-Za-z0-9])?$", "abcdefghijklmnop"))`,
		`a = jsonencode({ for a in range(300) : "k${a}" => "<${a}>" })`,
		`a = yamlencode({ write_files = [for i in range(20) : { path = "/etc/x/${i}", content = "a\nb\n", permissions = "0644" }] })`,
		`a = [for u in ["a", "b"] : templatefile("${path.root}/large.tpl", { u = u })]`,
		`a = distinct(concat([for i in range(200) : "package-${i}"], ["x"]))`,
		`a = [for f in fileset("${path.root}/texts", "*") : templatefile("${path.root}/texts/${f}", { g = var.given })]`,
		`a = fileset("${path.root}/x", "**/*.yml")`,
		"x = { l = [{ n = \"a\", s = [1, 2] }, { n = \"b\", s = [3] }] }\na = [for a in local.x.l : [for b in a.s : " +
			"\"${a.n}${b}\"]]",
		`a = [for s in var.secret : s * 2]`, `a = upper(base64encode(join("", range(900))))`,
		`a = csvdecode("a,b\n1,2\n3,4\n")`,
	} {
		findings := validate.Check(bombTree(locals))
		if slices.ContainsFunc(findings, func(f hybridcore.Finding) bool { return f.Blocking }) {
			t.Errorf("%s: %v", locals, findings)
		}
	}
}

// What it takes to tell the cost is bounded too.
func TestBoundsAreCheap(t *testing.T) { // not beside others: it measures time
	nested := func(open, middle, shut string, n int) string {
		return "a = " + strings.Repeat(open, n) + middle + strings.Repeat(shut, n)
	}
	for name, locals := range map[string]string{
		"nested texts":       nested(`templatefile("${path.root}/texts/a", { g = `, `"x"`, ` })`, 40),
		"nested paths":       nested(`templatefile("${path.root}/texts/${`, `"a"`, `}", {})`, 25),
		"many texts":         "a = [" + strings.Repeat(`templatefile("${path.root}/large.tpl", {}),`+"\n", 4000) + "]",
		"nested calls":       nested(`format("%s", `, `"x"`, `)`, 45),
		"nested loops":       nested(`[for x in [1] : `, `1`, `]`, 45),
		"nested expressions": nested(`regex("x", `, `"x"`, `)`, 45),
		"nested sets":        nested(`setproduct(`, `[1]`, `, [1])`, 45),
		"many expressions":   "a = [" + strings.Repeat(`regex("`+strings.Repeat("(a{9}|b)", 400)+`", "x"), `, 15) + "]",
		"huge parts":         "x = [1]\na = [" + strings.Repeat("local.x[1e900],\n", 2000) + "]",
		"many parts": "x = { l = [for a in range(900) : [1, 2, 3]] }\na = [" + strings.Repeat("local.x.l[7][1], ",
			4000) + "]",
	} {
		in := bombTree(strings.ReplaceAll(locals, "], ", "],\n"))
		took, held := cost(t, func() { validate.Check(in) })
		if took > 3*maxTime*slow || held > maxBytes {
			t.Errorf("%s: took %v and held %d MiB", name, took, held>>20)
		}
		t.Logf("%s: %v", name, took)
	}
}

// A function without a result for its arguments says so in words.
func TestNoPanicInMessages(t *testing.T) {
	t.Parallel()
	for call, name := range map[string]string{
		`log(-1, 2)`: "log()", `log(0, 0)`: "log()", `[for a in [-1] : log(a, 10)]`: "log()", `"${log(-2, 3)}"`: "log()",
		`log("-1", 2)`:                   "log()",
		`formatlist("%s", [log(-1, 2)])`: "log()", `max(log(-1, 2), 1)`: "log()", `pow(-8, 1 / 3)`: "pow()",
		`pow(-1, 0.5)`: "pow()",
	} {
		for _, policy := range []*untrusted.Policy{nil, {}} {
			in := bombTree("a = " + call)
			in.Policy = policy
			findings := validate.Check(in)
			said := func(f hybridcore.Finding) bool {
				return f.Rule == finding.RuleExpression && strings.Contains(f.Message, name) && f.Line > 0 && f.Hint != ""
			}
			text := (&hybridcore.FindingsError{Findings: findings}).Error()
			if !slices.ContainsFunc(findings, said) || strings.Contains(text, "panic") || strings.Contains(text, "goroutine") {
				t.Errorf("%s: %.600s", call, text)
			}
		}
	}
}
