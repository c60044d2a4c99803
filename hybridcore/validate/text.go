// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:01:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-form-of-files
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"bytes"
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Canonical says whether HCL is in the form that `packer fmt` writes, and if
// not, the first line that is not.
func Canonical(src []byte) (line int, ok bool) {
	formatted := hclwrite.Format(src)
	if bytes.Equal(src, formatted) {
		return 0, true
	}
	line = 1
	for i := range min(len(src), len(formatted)) {
		if src[i] != formatted[i] {
			break
		}
		if src[i] == '\n' {
			line++
		}
	}
	return line, false
}

// Format returns HCL in canonical form. Bytes that are no HCL within the
// limits of a file come as *hybridcore.FindingsError.
func Format(src []byte, name string) ([]byte, error) {
	limit := hclfile.Template()
	if isVarFile(name) {
		limit = hclfile.VarFile()
	}
	if _, findings := parse(src, name, limit); len(findings) > 0 {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	return hclwrite.Format(src), nil
}

// hidden refuses characters that make a text look different from what it is:
// bidirectional controls and invisible characters. A byte order mark at the
// beginning is none.
func (c *checker) hidden(file *hclfile.File) {
	line, column := 1, 1
	for i := 0; i < len(file.Source); {
		r, size := utf8.DecodeRune(file.Source[i:])
		if size > 1 && unicode.Is(unicode.Cf, r) && (i > 0 || r != '\uFEFF') {
			c.refuse(file, RuleHidden, hcl.Range{Start: hcl.Pos{Line: line, Column: column, Byte: i}},
				fmt.Sprintf("the file holds the invisible character U+%04X", r), fmt.Sprintf("remove it, or write it as \\u%04x",
					r))
			return
		}
		i += size
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
}

// Limits of an Ansible file. Real roles have a few hundred nodes and no alias.
const (
	maxYAML      = 1 << 20
	maxYAMLDepth = 100     // brackets and indentation; the parser recurses
	maxYAMLNodes = 200_000 // after aliases are followed
)

// Naming rules: what is written in templates is lower case with underscores,
// and a source may have hyphens.
var (
	snake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	kebab = regexp.MustCompile(`^[a-z][a-z0-9]*([_-][a-z0-9]+)*$`)
)

// named warns of a name against the rules.
func (c *checker) named(file *hclfile.File, at hcl.Range, what, name string) {
	rule, form := snake, "lower-case words joined by _"
	if what == "source" || what == "data" {
		rule, form = kebab, "lower-case words joined by _ or -"
	}
	if !rule.MatchString(name) {
		c.warn(file, RuleName, at, fmt.Sprintf("the name of the %s %q is not made of %s", what, name, form), "rename it")
	}
}

// templatefile renders a staged file; what is wrong in it is reported there.
func (s *scope) templatefile() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s.render(args[0].AsString(), args[1])
			return cty.UnknownVal(cty.String), nil
		},
	})
}

func (s *scope) render(name string, vars cty.Value) {
	from, ok := s.stage[stagePath(name)]
	if !ok {
		return // reported with the paths
	}
	t := s.text(from)
	named := vars.Type().IsObjectType() || vars.Type().IsMapType()
	if t == nil || !named || !vars.IsKnown() || vars.IsNull() {
		return
	}
	ctx := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: make(map[string]function.Function, len(functions))}
	for name, spec := range functions {
		ctx.Functions[name] = spec.fn
	}
	given := make([]string, 0, len(ctx.Variables))
	for name := range ctx.Variables {
		given = append(given, name)
	}
	for _, ref := range s.factsOf(t.expr).traversals {
		if _, ok := ctx.Variables[ref.RootName()]; !ok {
			s.refuse(t.file, RuleTemplate, ref.SourceRange(),
				fmt.Sprintf("templatefile gives this file no value %q%s", ref.RootName(), near(ref.RootName(), given)),
				"it sees only the names of the object that is its second argument")
			return
		}
	}
	if !s.affordable(t.file, t.expr, s.cost(t.expr, nil, ctx)) {
		return
	}
	if _, diags := t.expr.Value(ctx); diags.HasErrors() {
		s.diagnostics(t.file, RuleTemplate, diags)
	}
}

// text parses a templatefile source once.
func (s *scope) text(from string) *text {
	if t, ok := s.texts[from]; ok {
		return t
	}
	file, expr, err := hclfile.ParseText(s.in.Files[from], from)
	if err != nil {
		f := hclfile.Findings(from, err)[0] // the others are mostly its echo
		f.Rule = RuleTemplate
		s.finding(f)
		s.texts[from] = nil
		return nil
	}
	s.texts[from] = &text{file, expr}
	return s.texts[from]
}
