// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:03Z
// Spec: openspec/specs/hclfile/spec.md#requirement-literals-only
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Literal is a value that a file holds as such.
type Literal struct {
	Name  string    // of the attribute
	Value cty.Value // exact
	JSON  string    // canonical
	File  string
	Range hcl.Range
}

// Line is where the attribute begins, 1-based.
func (l Literal) Line() int { return l.Range.Start.Line }

// Literals returns the attributes of a variable file by name. A block, and
// every value that is not a literal, is a finding; the other values are
// returned all the same.
func (f *File) Literals() (map[string]Literal, []hybridcore.Finding) {
	literals := map[string]Literal{}
	var findings []hybridcore.Finding
	for _, block := range f.Body.Blocks {
		findings = append(findings, f.Finding(hybridcore.KindSchema, block.TypeRange,
			fmt.Sprintf("a block %q does not belong here",
				block.Type), "a variable file sets values: name = value; variables are declared in templates/*.pkr.hcl"))
	}
	for _, attr := range SortedAttributes(f.Body) {
		literal, problems := f.Literal(attr)
		findings = append(findings, problems...)
		if len(problems) == 0 {
			literals[attr.Name] = literal
		}
	}
	return literals, findings
}

// Expression reads a single literal that does not come from a file, for
// example the value of an environment variable. Its findings carry the name
// as subject and no source line; a message may still quote a word of the text.
func Expression(text, name string) (cty.Value, []hybridcore.Finding) {
	f := &File{Path: name, Source: []byte(text)}
	var findings []hybridcore.Finding
	var value cty.Value
	if int64(len(text)) > maxVarFile {
		findings = []hybridcore.Finding{f.Finding(hybridcore.KindSyntax, hcl.Range{},
			fmt.Sprintf("the value is larger than %d KiB", maxVarFile>>10), "")}
	} else if finding, ok := f.badText(); !ok {
		findings = []hybridcore.Finding{finding}
	} else if findings = f.scan(VarFile(), false); len(findings) == 0 {
		value, findings = f.expression()
	}
	for i := range findings {
		findings[i].File, findings[i].Line, findings[i].Column, findings[i].Source = "", 0, 0, ""
	}
	return value, findings
}

func (f *File) expression() (cty.Value, []hybridcore.Finding) {
	expr, diags := hclsyntax.ParseExpression(f.Source, f.Path, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, f.Diagnostics(diags)
	}
	if findings := f.check(expr); len(findings) > 0 {
		return cty.NilVal, findings
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, f.Diagnostics(diags)
	}
	return value, nil
}

// SortedAttributes lists the attributes of a body in the order of the file.
func SortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(body.Attributes), func(a, b *hclsyntax.Attribute) int {
		return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte
	})
}

// Literal returns the value of one attribute, or findings that say what in it
// is not a literal.
func (f *File) Literal(attr *hclsyntax.Attribute) (Literal, []hybridcore.Finding) {
	if findings := f.check(attr.Expr); len(findings) > 0 {
		return Literal{}, findings
	}
	value, diags := attr.Expr.Value(nil) // literals only: no evaluation to speak of
	if diags.HasErrors() {
		return Literal{}, f.Diagnostics(diags)
	}
	text, err := CanonicalJSON(value)
	if err != nil {
		return Literal{}, []hybridcore.Finding{f.Finding(hybridcore.KindSyntax, attr.Expr.Range(), err.Error(), "")}
	}
	return Literal{Name: attr.Name, Value: value, JSON: text, File: f.Path, Range: attr.SrcRange}, nil
}

// literalHint says what may stand where a literal is wanted.
const literalHint = "only literals are read here: strings without ${...}, numbers, true, false, null, lists and " +
	"objects of these"

// check walks an expression, at most Limit.Depth deep, and refuses everything
// that would have to be evaluated.
func (f *File) check(expr hclsyntax.Expression) []hybridcore.Finding {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return nil
	case *hclsyntax.ParenthesesExpr:
		return f.check(e.Expression)
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			if !isText(part) {
				return []hybridcore.Finding{f.refuse(part.Range(), "a template sequence",
					`write $${ for a literal ${, %%{ for a literal %{`)}
			}
		}
		return nil
	case *hclsyntax.UnaryOpExpr:
		if number, ok := e.Val.(*hclsyntax.LiteralValueExpr); ok && e.Op == hclsyntax.OpNegate &&
			number.Val.Type() == cty.Number {
			return nil
		}
		return []hybridcore.Finding{f.refuse(e.SrcRange, "an operator", literalHint)}
	case *hclsyntax.TupleConsExpr:
		var findings []hybridcore.Finding
		for _, item := range e.Exprs {
			findings = append(findings, f.check(item)...)
		}
		return findings
	case *hclsyntax.ObjectConsExpr:
		return f.checkObject(e)
	default:
		return []hybridcore.Finding{f.refuse(expr.Range(), construct(expr), literalHint)}
	}
}

// isText says whether a part of a template is plain text. The literal of
// "${1}" is a number.
func isText(part hclsyntax.Expression) bool {
	literal, ok := part.(*hclsyntax.LiteralValueExpr)
	return ok && literal.Val.Type() == cty.String
}

func (f *File) checkObject(object *hclsyntax.ObjectConsExpr) []hybridcore.Finding {
	var findings []hybridcore.Finding
	seen := map[string]bool{}
	for _, item := range object.Items {
		findings = append(findings, f.check(item.ValueExpr)...)
		key, ok := literalKey(item.KeyExpr)
		switch {
		case !ok:
			findings = append(findings, f.refuse(item.KeyExpr.Range(), "a computed key", "a key is a name or a quoted string"))
		case seen[key]:
			findings = append(findings,
				f.Finding(hybridcore.KindSyntax, item.KeyExpr.Range(), fmt.Sprintf("the key %q is set twice in one object", key),
					"remove one of them"))
		}
		seen[key] = true
	}
	return findings
}

// literalKey returns the key of an object item that is a name, a plain string
// or a plain number.
func literalKey(expr hclsyntax.Expression) (string, bool) {
	wrapped, ok := expr.(*hclsyntax.ObjectConsKeyExpr)
	if !ok || wrapped.ForceNonLiteral {
		return "", false
	}
	switch inner := wrapped.Wrapped.(type) {
	case *hclsyntax.TemplateExpr:
		for _, part := range inner.Parts {
			if !isText(part) {
				return "", false
			}
		}
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.LiteralValueExpr:
	default:
		return "", false
	}
	value, diags := wrapped.Value(nil)
	if diags.HasErrors() || value.IsNull() || !value.IsWhollyKnown() {
		return "", false
	}
	switch value.Type() {
	case cty.String:
		return value.AsString(), true
	case cty.Number:
		return value.AsBigFloat().Text('f', -1), true
	case cty.Bool:
		return fmt.Sprint(value.True()), true
	default:
		return "", false
	}
}

func (f *File) refuse(at hcl.Range, what, hint string) hybridcore.Finding {
	return f.Finding(hybridcore.KindSyntax, at, what+" is not allowed here", hint)
}

// construct names an expression for an error.
func construct(expr hclsyntax.Expression) string {
	switch e := expr.(type) {
	case *hclsyntax.FunctionCallExpr:
		return fmt.Sprintf("a call of the function %s", e.Name)
	case *hclsyntax.ScopeTraversalExpr:
		return fmt.Sprintf("a reference to %s", e.Traversal.RootName())
	case *hclsyntax.ForExpr:
		return `a "for" expression`
	case *hclsyntax.ConditionalExpr:
		return "a condition"
	case *hclsyntax.BinaryOpExpr:
		return "an operator"
	case *hclsyntax.TemplateWrapExpr, *hclsyntax.TemplateJoinExpr:
		return "a template sequence"
	case *hclsyntax.SplatExpr, *hclsyntax.IndexExpr, *hclsyntax.RelativeTraversalExpr:
		return "an access to a part of a value"
	default:
		return "this expression"
	}
}
