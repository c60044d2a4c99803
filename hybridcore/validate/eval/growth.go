// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:40:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// call bounds a function by the sizes of its arguments, and some by their values.
func (in estimate) call(e *hclsyntax.FunctionCallExpr, args []bound) bound {
	c := call{in: in, e: e, args: args}
	for _, arg := range args {
		c.sum = c.sum.plus(arg)
	}
	if why := c.unbounded(); why != "" {
		return endless(why)
	}
	result := c.result()
	for i, arg := range e.Args {
		if takesNumber(e.Name, i) {
			c.sum = c.sum.plus(in.numeric(arg, args[i]))
		}
	}
	effort := capped(1 + result.size/bytesPerWork + product(c.sum.size, perByte[e.Name])/bytesPerWork + c.effort())
	if slices.Contains(makers, e.Name) || slices.Contains(joiners, e.Name) {
		effort = capped(effort + result.n/4)
	}
	total := c.sum.plus(bound{work: effort, slow: c.packers(), why: result.why})
	total = total.plus(bound{work: result.work, slow: result.slow})
	return bound{n: result.n, size: result.size, most: result.most, work: total.work, slow: total.slow, why: total.why}
}

// joiners are the functions whose result has no more elements than their
// arguments together; makers those that make more of them.
var (
	joiners = []string{
		"coalescelist", "compact", "concat", "distinct", "keys", "merge", "reverse", "setintersection", "setunion",
		"slice", "sort", "values",
	}
	makers = []string{
		"chunklist", "csvdecode", "flatten", "formatlist", "jsondecode", "range", "regex", "regexall", "setproduct",
		"split", "yamldecode", "zipmap",
	}
)

// grows is how many times as large as its arguments a result can be; twice for
// what is not here. <, > and & become 6 bytes each, YAML indents.
var grows = map[string]int{"jsonencode": 6, "textencodebase64": 6, "urlencode": 3, "yamlencode": 32}

// perByte is what functions that go through texts by characters or build values
// take for each 64 bytes or elements, in units of work, as measured.
var perByte = map[string]int{
	"base64gzip": 8, "convert": 128, "csvdecode": 16, "format": 32, "formatlist": 128, "jsondecode": 64, "jsonencode": 32,
	"length": 16, "parseint": 128, "sort": 256, "strrev": 64, "substr": 64, "title": 192, "yamldecode": 64,
	"yamlencode": 64, "zipmap": 256,
}

// maxRange is how many numbers range makes; for more it is an error (go-cty).
const maxRange = 1024

// result bounds the value of a call, and the work of what it evaluates itself.
func (c call) result() bound {
	size := product(c.sum.size, max(2, grows[c.e.Name])) + 16
	switch name := c.e.Name; name {
	case "range":
		n := c.ranged()
		return bound{n: n, size: n * 2, most: 1}
	case "setproduct":
		count, most := 1, 1
		for _, arg := range c.args {
			count, most = product(count, arg.n), capped(most+arg.most+1)
		}
		if c.e.ExpandFinal {
			return some(tooMuch, 0)
		}
		return bound{n: count, size: product(count, most+1), most: most}
	case "indent":
		width := maxIndent
		if n, ok := whole(c.value(0)); ok {
			width = min(n, maxIndent)
		}
		size = product(width+1, size)
	case "format", "formatlist":
		return c.formatted()
	case "join":
		size = capped(product(c.size(0), c.sum.n) + size)
	case "replace", "regex_replace":
		size = capped(product(c.size(0)+1, c.size(2)) + size)
	case "regex", "regexall":
		size = product(c.size(1)+1, c.groups()+2)
	case "csvdecode": // each row has the names of the first
		if !c.in.scope.tree.Untrusted {
			break
		}
		size = capped(product(c.sum.size, c.sum.size)/4 + size)
	case "file", "filebase64":
		size = capped(size + 2*c.fileSize())
	case "fileset":
		return c.found()
	case "templatefile":
		if c.in.scope.tree.Untrusted {
			return c.rendered()
		}
		return bound{n: 1, size: 64, most: 64} // what is rendered pays for itself
	}
	if slices.Contains(joiners, c.e.Name) {
		return bound{n: c.sum.n, size: size, most: c.sum.most}
	}
	return some(size, 0)
}

// ranged is how many numbers a call of range makes at most.
func (c call) ranged() int {
	if len(c.e.Args) != 1 || c.e.ExpandFinal {
		return maxRange
	}
	if n, ok := whole(c.value(0)); ok {
		return min(n, maxRange)
	}
	return maxRange
}

var number = regexp.MustCompile(`[0-9]+`)

// formatted bounds what format makes: each verb may name any argument again.
func (c call) formatted() bound {
	verbs, widest := c.size(0)/2, maxWidth
	if layout, known := c.text(0); known {
		verbs, widest = strings.Count(layout, "%"), 0
		for _, digits := range number.FindAllString(layout, -1) {
			n, _ := strconv.Atoi(digits) // one beyond an int is 0, and refused as wide
			widest = max(widest, min(n, maxWidth))
		}
	}
	count, most, rest := 1, 0, 0
	for _, arg := range c.args[min(1, len(c.args)):] {
		count, most, rest = max(count, arg.n), max(most, arg.most), capped(rest+arg.size)
	}
	if c.e.Name == "format" {
		count, most = 1, rest
	}
	each := capped(c.size(0) + product(verbs, widest+product(6, most)))
	size := product(count, each+1)
	return bound{n: count, size: size, most: each}
}

// found bounds what fileset finds.
func (c call) found() bound {
	dir, known := c.text(0)
	pattern, too := c.text(1)
	if known && too && !strings.Contains(pattern, "**") {
		if files, err := c.in.scope.Stage.fileset().Call([]cty.Value{
			cty.StringVal(dir),
			cty.StringVal(pattern),
		}); err == nil {
			b := boundOf(files)
			b.work = len(c.in.scope.Stage.paths)
			return b
		}
	}
	longest := 0
	for path := range c.in.scope.Stage.paths {
		longest = max(longest, len(path)+1)
	}
	n := len(c.in.scope.Stage.paths)
	return bound{n: n, size: product(n, longest+1), most: longest, work: n}
}

// effort is the work of functions beyond that for the size of their arguments and
// results.
func (c call) effort() int {
	switch c.e.Name {
	case "distinct", "setintersection", "setunion": // compares all with all; hashes may be made to collide
		return product(c.sum.n, c.sum.n) / 12
	case "setproduct":
		return product(c.result().n, 1+len(c.args))
	case "regex", "regexall":
		program := c.program(0)
		return capped(16 + program/4 + product(c.size(1), program)/16)
	case "regex_replace", "replace":
		program := c.program(1)
		return capped(1 + program/4 + product(c.size(0), program)/16)
	case "trim", "contains", "index":
		return product(c.size(0), c.size(1)) / 1024
	}
	return 0
}
