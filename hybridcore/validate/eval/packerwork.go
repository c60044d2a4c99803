// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:40:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Work in units of one node, 0.3 µs, of what only Packer does.
const (
	bcryptWork   = 200 // of cost 0; each one more doubles it: 60 ms at 10, the default
	bcryptCost   = 10
	parseWork    = 4       // of each byte of a text that templatefile parses
	maxGlobStars = 4       // wildcards of one pattern: matching can try all their combinations
	maxPattern   = 4096    // bytes of a regular expression that is looked at; a longer one counts as the worst
	maxTexts     = 4 << 20 // bytes of texts that are bounded for the calls of templatefile in one target
	maxRepeat    = 1000    // how often {n} in a regular expression repeats at most (RE2)
)

// perCall is what a call takes that has little to do; a few units for what is
// not here.
var perCall = map[string]int{
	"base64gzip": 1500, "csvdecode": 60, "file": 100, "filebase64": 100, "fileexists": 100, "fileset": 200, "format": 20,
	"formatlist": 20, "jsondecode": 40, "jsonencode": 20, "regex": 100, "regex_replace": 100, "regexall": 100,
	"replace": 20, "yamldecode": 300, "yamlencode": 300,
}

// packers is the work of a call that only Packer does; nothing without a policy.
func (c call) packers() int {
	if !c.in.scope.tree.Untrusted {
		return 0
	}
	each := max(perCall[c.e.Name], 5)
	switch c.e.Name {
	case "bcrypt":
		cost := bcryptCost
		if len(c.e.Args) > 1 {
			cost, _ = whole(c.value(1)) // unbounded has looked at it
		}
		return product(bcryptWork, 1<<min(cost, 31))
	case "distinct": // compares objects slowly
		return product(c.sum.n, product(c.sum.n, min(4+4*c.sum.most, 64))) / 2
	case "file", "filebase64":
		return each + c.fileSize()/16
	case "fileset": // goes through the whole tree
		return each + 20*len(c.in.scope.Stage.paths)
	}
	return each
}

// unbounded says why a call can cost Packer any time or memory: an argument of it
// is too large or not known. It holds for a tree whose author is not trusted.
func (c call) unbounded() string {
	if !c.in.scope.tree.Untrusted {
		return ""
	}
	switch c.e.Name {
	case "format", "formatlist": // pads to the width that stands in its text
		if layout, known := c.text(0); !known || wide.MatchString(layout) {
			return fmt.Sprintf("the text of %s() is not known before, or has a width or precision above %d", c.e.Name, maxWidth)
		}
	case "indent":
		if n, ok := whole(c.value(0)); !ok || n > maxIndent {
			return fmt.Sprintf("the width of indent() is not known before, or above %d", maxIndent)
		}
	case "bcrypt":
		if n, ok := whole(c.value(1)); (len(c.e.Args) > 1 || c.e.ExpandFinal) && (!ok || n > 31) {
			return "the cost of bcrypt() is not known before, or above 31"
		}
	case "yamldecode": // aliases of aliases
		if document, known := c.text(0); !known || strings.Contains(document, "&") {
			return "the text of yamldecode() is not known before, or has anchors, which multiply"
		}
	case "fileset":
		if pattern, known := c.text(1); !known || strings.Count(pattern, "*")+strings.Count(pattern, "{") > maxGlobStars {
			return fmt.Sprintf("the pattern of fileset() is not known before, or has more than %d wildcards", maxGlobStars)
		}
	}
	return ""
}

// rendered bounds a text that templatefile makes: with what is not known here,
// Packer may do a lot.
func (c call) rendered() bound {
	with := c.vars()
	worst := bound{n: 1}
	for _, from := range c.templates() {
		b := with.rendering(from)
		worst.size, worst.slow = max(worst.size, b.size), max(worst.slow, capped(b.slow+b.work))
		if worst.why == "" {
			worst.why = b.why
		}
	}
	worst.most = worst.size
	return worst
}

// vars are the values of a text: those that are known, and bounds of the others
// by their names, or by any name.
func (c call) vars() estimate {
	loops, ctx := sizes{anyName: some(c.size(1), 1)}, &hcl.EvalContext{Variables: map[string]cty.Value{}}
	in := estimate{c.in.scope, loops, ctx}
	if len(c.e.Args) != 2 {
		return in
	}
	if object, ok := c.e.Args[1].(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range object.Items {
			name := hcl.ExprAsKeyword(item.KeyExpr)
			if name != "" && !c.in.scope.renders(item.ValueExpr) {
				loops[name] = c.in.cost(item.ValueExpr)
				loops[name] = bound{n: loops[name].n, size: loops[name].size, most: loops[name].most, work: 1}
			}
		}
	}
	value := c.value(1)
	if !value.IsKnown() || value.IsNull() || !value.Type().IsObjectType() {
		return in
	}
	for name, part := range value.AsValueMap() {
		if part.IsWhollyKnown() {
			ctx.Variables[name] = part
			delete(loops, name)
		}
	}
	return in
}

// renders says whether an expression calls templatefile: its cost is told once,
// not once more for each level.
func (s *Scope) renders(expr hclsyntax.Expression) bool {
	return slices.ContainsFunc(s.tree.Facts.Of(expr).Calls, func(e *hclsyntax.FunctionCallExpr) bool {
		return e.Name == "templatefile"
	})
}

// templates are the staged files that a call of templatefile may render: the one
// that is named, or those that begin as far as the path is known.
func (c call) templates() []string {
	if path, known := c.text(0); known {
		if from, ok := c.in.scope.Stage.paths[Clean(path)]; ok {
			return []string{from}
		}
		return nil
	}
	prefix := ""
	if template, ok := c.e.Args[0].(*hclsyntax.TemplateExpr); ok {
		for _, part := range template.Parts {
			if c.in.scope.renders(part) {
				break
			}
			value := c.in.argument(part, c.in.cost(part))
			if StringOf(value) == "" {
				break
			}
			prefix += StringOf(value)
		}
	}
	if prefix != "" {
		prefix = strings.TrimPrefix(Clean(prefix+"x"), "./")
		prefix = strings.TrimSuffix(prefix, "x")
	}
	var all []string
	for path, from := range c.in.scope.Stage.paths {
		if strings.HasPrefix(path, prefix) {
			all = append(all, from)
		}
	}
	slices.Sort(all)
	return all
}

// rendering bounds one text that templatefile may render with some values.
func (in estimate) rendering(from string) bound {
	s := in.scope
	content := len(s.tree.Files[from])
	switch s.rendered.looked += content; {
	case s.rendered.sizes != nil:
		return endless("a text that templatefile renders cannot render another one")
	case s.rendered.looked > maxTexts:
		return endless(fmt.Sprintf("the texts of all calls of templatefile() have more than %d MiB", maxTexts>>20))
	}
	b := bound{size: content, slow: product(content, parseWork)}
	if t := s.tree.text(from).parsed; t != nil { // one that is none is reported where it is rendered
		s.rendered.texts[from] = *t
		s.rendered.sizes = sizes{}
		b = b.plus(in.cost(t.Expr))
		s.rendered.sizes = nil
	}
	return b
}
