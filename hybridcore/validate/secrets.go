// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-secrets-in-plain-text
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// secrets finds secrets in plain text by the settings of HCL that hold them. What other files
// and forms hold is the search for leaks of the whole project.
type secrets struct{ found *finding.List }

// attributes searches the settings of a body for literals that are
// secrets by the name of the setting.
func (s secrets) attributes(file *hclfile.File, body *hclsyntax.Body) {
	for _, attr := range hclfile.SortedAttributes(body) {
		s.value(file, attr.Name, attr.NameRange, attr.Expr)
	}
	for _, block := range body.Blocks {
		s.attributes(file, block.Body)
	}
}

func (s secrets) value(file *hclfile.File, name string, at hcl.Range, expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			if key := keyOf(item); key != "" {
				s.value(file, key, item.KeyExpr.Range(), item.ValueExpr)
			}
		}
		return
	case *hclsyntax.TupleConsExpr:
		for _, item := range e.Exprs {
			s.value(file, name, at, item)
		}
		return
	}
	value, ok := literal(expr)
	switch {
	case !ok || value == "" || hclfile.Placeholder(value):
	case hclfile.SecretName(name):
		s.leak(file.Path, at.Start.Line, at.Start.Column, fmt.Sprintf("the secret %s stands in plain text", name))
	case keyed.MatchString(name) && text.Random(value):
		s.leak(file.Path, at.Start.Line, at.Start.Column, fmt.Sprintf("%s looks like a random secret in plain text", name))
	}
}

// keyOf is the key of an item as it is written, or an empty text: nothing is
// evaluated for it.
func keyOf(item hclsyntax.ObjectConsItem) string {
	key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return ""
	}
	expr := key.Wrapped
	if name := hcl.ExprAsKeyword(expr); name != "" && !key.ForceNonLiteral {
		return name
	}
	if inner, ok := expr.(*hclsyntax.ParenthesesExpr); ok {
		expr = inner.Expression
	}
	text, _ := literal(expr)
	return text
}

// literal is the text of an expression without any reference.
func literal(expr hclsyntax.Expression) (string, bool) {
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok || !template.IsStringLiteral() {
		return "", false
	}
	value, diags := template.Value(nil)
	if diags.HasErrors() || value.Type() != cty.String || value.IsNull() {
		return "", false
	}
	return value.AsString(), true
}

// keyed matches names that are like those of secrets without being one of them.
var keyed = regexp.MustCompile(`(?i)(pass|pwd|secret|token|cred|auth|key)`)

func (s secrets) leak(path string, line, column int, message string) {
	s.found.Add(hybridcore.Finding{
		Kind: finding.KindLeak, Rule: finding.RuleSecret, Subject: path, File: path, Line: line, Column: column,
		Message:  hclfile.Printable(message),
		Hint:     "remove it, change it where it is used, since it may be in the history, and export PKR_VAR_NAME instead",
		Severity: hybridcore.Error, Blocking: true,
	})
}
