// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:56:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// Plugins render {{ ... }} in every text when they are only asked to validate:
// with loops, recursion and functions. In an untrusted tree a text may only name
// a value of the plugin's own.
var allowedActions = regexp.MustCompile(
	"\\{\\{-? *(\\.[A-Za-z]+|build [`\"][A-Za-z]+[`\"]|timestamp|isotime|uuid) *-?\\}\\}")

// cutters are functions that can take a text apart, or decode it; what they make
// of values that are not known here cannot be told.
var cutters = []string{
	"chomp", "csvdecode", "element", "format", "formatlist", "jsondecode", "join", "regex", "regex_replace", "regexall",
	"replace", "split", "strrev", "substr", "title", "trim", "trimprefix", "trimspace", "trimsuffix", "yamldecode",
}

// piecesOf collects the pieces of an expression or of what a name stands for,
// once in a target, however often it is used.
func piecesOf(t *Target, key any, collect func(*pieces)) *pieces {
	if known, ok := t.made[key]; ok {
		return known
	}
	p := &pieces{of: t}
	t.made[key] = p
	collect(p)
	return p
}

// add takes over the pieces of what a name stands for.
func (p *pieces) add(o *pieces) {
	if p.bad == "" {
		p.bad = o.bad
	}
	p.brace, p.ends, p.begins = p.brace || o.brace, p.ends || o.ends, p.begins || o.begins
	p.frees, p.decodes, p.writes = p.frees || o.frees, p.decodes || o.decodes, p.writes || o.writes
	p.raw = p.raw || o.raw
	p.cuts = p.cuts || o.cuts || p.cutters > 0 && (o.brace || o.writes || o.decodes || o.raw)
}

// text adds a piece. Raw ones stand in a text file between what is put in: no
// function gets them but with the whole text.
func (p *pieces) text(text string, raw bool) {
	if acts(text) && p.bad == "" {
		p.bad = text
	}
	rest := allowedActions.ReplaceAllString(text, "")
	switch brace := strings.Contains(rest, "{"); {
	case brace && raw:
		p.raw = true
	case brace:
		p.brace, p.cuts = true, p.cuts || p.cutters > 0
	}
	p.ends = p.ends || strings.HasSuffix(rest, "{")
	p.begins = p.begins || strings.HasPrefix(rest, "{")
}

func (p *pieces) value(value cty.Value) {
	_ = cty.Walk(value, func(_ cty.Path, value cty.Value) (bool, error) { // the callback gives no error
		p.text(eval.StringOf(value), false)
		for _, key := range keysOf(value) {
			p.text(key, false)
		}
		return true, nil
	})
}

// expression adds the texts of an expression and of what it refers to.
func (p *pieces) expression(expr hclsyntax.Expression) { _ = hclsyntax.Walk(expr, p) } // the walk gives no error

// Enter is for hclsyntax.Walk.
func (p *pieces) Enter(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case *hclsyntax.LiteralValueExpr:
		p.value(n.Val)
	case *hclsyntax.ScopeTraversalExpr:
		p.reference(n.Traversal)
	case *hclsyntax.FunctionCallExpr:
		p.call(n)
	}
	return nil
}

// Exit is for hclsyntax.Walk.
func (p *pieces) Exit(node hclsyntax.Node) hcl.Diagnostics {
	if call, ok := node.(*hclsyntax.FunctionCallExpr); ok && slices.Contains(cutters, call.Name) {
		p.cutters--
	}
	return nil
}

// call adds what a function does to its arguments, which are visited next.
func (p *pieces) call(e *hclsyntax.FunctionCallExpr) {
	p.decodes = p.decodes || e.Name == "yamldecode" || e.Name == "jsondecode"
	if e.Name == "jsonencode" || e.Name == "yamlencode" {
		p.writes, p.brace, p.cuts = true, p.brace || !p.inText, p.cuts || p.cutters > 0
	}
	switch e.Name {
	case "templatefile":
		p.add(piecesOf(p.of, "templatefile()", (*pieces).files))
	case "file":
		p.file(e)
	}
	if !slices.Contains(cutters, e.Name) {
		return
	}
	p.cutters++
	for _, arg := range e.Args {
		for _, t := range arg.Variables() {
			p.frees = p.frees || !slices.Contains(module.Roots, t.RootName())
		}
	}
}

// rendering adds the pieces of a text file.
func (p *pieces) rendering(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		p.text(eval.StringOf(e.Val), true)
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			p.rendering(part)
		}
	case *hclsyntax.ConditionalExpr:
		p.expression(e.Condition)
		p.rendering(e.TrueResult)
		p.rendering(e.FalseResult)
	case *hclsyntax.TemplateJoinExpr:
		loop, ok := e.Tuple.(*hclsyntax.ForExpr)
		if !ok {
			p.expression(e.Tuple)
			return
		}
		p.expression(loop.CollExpr)
		p.rendering(loop.ValExpr)
	default:
		p.expression(expr)
	}
}

// reference adds a variable's or a local's texts.
func (p *pieces) reference(t hcl.Traversal) {
	name := module.AttrName(t, 1)
	switch t.RootName() {
	case "local":
		if l, ok := p.of.Module.Locals[name]; ok {
			p.add(piecesOf(p.of, l.Attr.Expr, func(p *pieces) { p.expression(l.Attr.Expr) }))
		}
	case "var":
		if d, ok := p.of.Module.Variables[name]; ok && !p.of.fromOutside(name) {
			p.add(piecesOf(p.of, "var."+name, func(p *pieces) { p.value(p.of.Scope.Variables.Given(d)) }))
		}
	}
}

// file adds the text that file reads, which may be too large to be a value here.
func (p *pieces) file(e *hclsyntax.FunctionCallExpr) {
	if len(e.Args) == 1 && !e.ExpandFinal {
		path := p.of.Scope.Cheap(e.Args[0])
		if content, ok := p.of.Scope.Stage.Content(eval.StringOf(path)); ok {
			p.add(piecesOf(p.of, "file "+eval.StringOf(path), func(p *pieces) { p.text(string(content), false) }))
			return
		}
	}
	p.decodes = true
}

// files adds the texts that functions of the target have read.
func (p *pieces) files() {
	p.inText = true
	for _, text := range p.of.Scope.Texts() {
		p.rendering(text.Expr)
	}
}

// keysOf are the keys of a map; those of an object are names of it.
func keysOf(value cty.Value) []string {
	if !value.IsKnown() || value.IsNull() || !value.Type().IsMapType() && !value.Type().IsObjectType() {
		return nil
	}
	return slices.Sorted(maps.Keys(value.AsValueMap()))
}

// acts says whether a text has an action that is not allowed.
func acts(text string) bool { return strings.Contains(allowedActions.ReplaceAllString(text, ""), "{{") }

// fromOutside says whether no file of the tree has given a variable its value.
func (t *Target) fromOutside(name string) bool {
	return t.Scope.Variables[name].Run || t.Scope.Variables.FromEnvironment(name)
}
