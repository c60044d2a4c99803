// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-secrets-in-plain-text
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// maxSecretScan bounds the files that are searched for credentials.
const maxSecretScan = 1 << 20

// shape is a credential that its form gives away. hint is a text that every
// match holds: most files are told clean by a search for it.
type shape struct {
	name string
	hint string
	form *regexp.Regexp
}

// shapes are the credentials that templates, variable files and playbooks of
// images meet. Forms: docs.github.com "About authentication to GitHub"; GitLab
// "Token prefixes"; Slack "Token types"; AWS IAM "Unique identifiers"; Proxmox
// VE API tokens; Entra ID client secrets; RFC 7468; crypt(5); RFC 7519.
var shapes = []shape{
	{"private key", "PRIVATE KEY-----", regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`)},
	{"GitHub token", "gh", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})`)},
	{"GitLab token", "gl", regexp.MustCompile(`\bgl(pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{16}`)},
	{"Slack token", "xox", regexp.MustCompile(`\bxox[abeprs][-.][A-Za-z0-9-]{10}`)},
	{"AWS key", "IA", regexp.MustCompile(`\bA[KS]IA[A-Z2-7]{16}\b`)},
	{"Proxmox VE API token", "PVEAPIToken=", regexp.MustCompile(`PVEAPIToken=[^\s"'<$]{8}`)},
	{"Azure storage key", "AccountKey=", regexp.MustCompile(`AccountKey=[A-Za-z0-9+/]{20}`)},
	{"Azure client secret", "Q~", regexp.MustCompile(`\b[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31}`)},
	{"JSON web token", "eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.`)},
	{"password hash", "$", regexp.MustCompile(`\$(5|6|y)\$[A-Za-z0-9./$=]{20}`)},
}

// secrets finds secrets in plain text.
type secrets struct{ found *finding.List }

// scan searches one file for credentials by their form.
func (s secrets) scan(name string, content []byte) {
	if len(content) > maxSecretScan || bytes.IndexByte(content, 0) >= 0 {
		return
	}
	for _, shape := range shapes {
		if !bytes.Contains(content, []byte(shape.hint)) {
			continue
		}
		at := shape.form.FindIndex(content)
		if at == nil {
			continue
		}
		before := content[:at[0]]
		s.leak(name, bytes.Count(before, []byte("\n"))+1, at[0]-bytes.LastIndexByte(before, '\n'),
			"the file holds what looks like a "+shape.name)
	}
	if strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml") {
		s.yaml(name, content)
	}
}

// yamlSecret is a plain value of a key that names a secret.
var yamlSecret = regexp.MustCompile(`(?m)^[ \t-]*([A-Za-z_][A-Za-z0-9_]*):[ \t]+["']?([^\s"'{!|>&*#][^\s"'#]*)`)

func (s secrets) yaml(name string, content []byte) {
	for _, at := range yamlSecret.FindAllSubmatchIndex(content, 100) {
		key, value := string(content[at[2]:at[3]]), string(content[at[4]:at[5]])
		if hclfile.SecretName(key) && !hclfile.Placeholder(value) && !strings.Contains(value, "{{") && value != "no" &&
			value != "omit" {
			s.leak(name, bytes.Count(content[:at[2]], []byte("\n"))+1, 0, fmt.Sprintf("the secret %s stands in plain text", key))
		}
	}
}

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
	text, ok := literal(expr)
	switch {
	case !ok || text == "" || hclfile.Placeholder(text):
	case hclfile.SecretName(name):
		s.leak(file.Path, at.Start.Line, at.Start.Column, fmt.Sprintf("the secret %s stands in plain text", name))
	case keyed.MatchString(name) && random(text):
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

// coded matches texts as programs write random bytes.
var coded = regexp.MustCompile(`^[A-Za-z0-9+/=_~.-]{24,}$`)

// random says whether a text has the entropy of random characters: 24 random
// ones of 64 have 4.1 bits each and more in 99 of 100 cases, English words and
// file names joined by hyphens stay below 3.9.
func random(text string) bool {
	if !coded.MatchString(text) || strings.Count(text, "/") > 2 {
		return false
	}
	var count [256]float64
	for i := range len(text) {
		count[text[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := n / float64(len(text))
			bits -= p * math.Log2(p)
		}
	}
	return bits >= 4.0
}

func (s secrets) leak(path string, line, column int, message string) {
	s.found.Add(hybridcore.Finding{
		Kind: finding.KindLeak, Rule: finding.RuleSecret, Subject: path, File: path, Line: line, Column: column,
		Message:  hclfile.Printable(message),
		Hint:     "remove it, change it where it is used, since it may be in the history, and export PKR_VAR_NAME instead",
		Severity: hybridcore.Error, Blocking: true,
	})
}
