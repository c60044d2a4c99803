// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:39:53Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// variable is one input variable; the last assignment counts.
type variable struct {
	name        string
	of          cty.Type
	at          hcl.Range
	values      []cty.Value
	validations []validation
	sensitive   bool
}

type validation struct {
	condition hcl.Expression
	message   string
	at        hcl.Range
}

func (v *variable) value() cty.Value {
	if len(v.values) == 0 {
		return cty.UnknownVal(v.of)
	}
	return v.values[len(v.values)-1]
}

// defaults is what the default of a variable sees: env alone. The environment
// is not this process's to look at, so env is said instead of answered.
func (t *Template) defaults() *hcl.EvalContext {
	return &hcl.EvalContext{Functions: map[string]function.Function{"env": t.refused("env", cty.String)}}
}

// duplicate says that a variable is there twice.
func (t *Template) duplicate(name string, at hcl.Range) hcl.Diagnostics {
	if _, ok := t.variables[name]; ok {
		return hcl.Diagnostics{problem(&at, "Duplicate variable", "Duplicate "+name+" variable definition found.")}
	}
	return nil
}

// plainVariable declares a variable of a block variables.
func (t *Template) plainVariable(attr *hcl.Attribute) hcl.Diagnostics {
	if diags := t.duplicate(attr.Name, attr.NameRange); diags != nil {
		return diags
	}
	value, diags := attr.Expr.Value(t.defaults())
	if !diags.HasErrors() {
		t.variables[attr.Name] = &variable{name: attr.Name, of: value.Type(), at: attr.Range, values: []cty.Value{value}}
	}
	return diags
}

// variable declares a variable of a block of its own.
func (t *Template) variable(block *hcl.Block) hcl.Diagnostics {
	name := block.Labels[0]
	if diags := t.duplicate(name, block.DefRange); diags != nil {
		return diags
	}
	content, diags := block.Body.Content(schemas["variable"])
	if !hclsyntax.ValidIdentifier(name) {
		diags = append(diags, problem(&block.LabelRanges[0], "Invalid variable name",
			fmt.Sprintf("%q is no identifier.", name)))
	}
	v := &variable{name: name, at: block.DefRange, of: cty.DynamicPseudoType}
	if attr, ok := content.Attributes["type"]; ok {
		of, more := typeexpr.Type(attr.Expr)
		diags = append(diags, more...)
		if more.HasErrors() {
			return diags
		}
		v.of = of
	}
	var text string
	if attr, ok := content.Attributes["description"]; ok {
		diags = append(diags, gohcl.DecodeExpression(attr.Expr, nil, &text)...)
	}
	if attr, ok := content.Attributes["sensitive"]; ok {
		diags = append(diags, gohcl.DecodeExpression(attr.Expr, nil, &v.sensitive)...)
	}
	if attr, ok := content.Attributes["default"]; ok {
		more := v.byDefault(attr, t.defaults())
		diags = append(diags, more...)
		if more.HasErrors() {
			return diags
		}
	}
	for _, inner := range content.Blocks {
		diags = append(diags, v.validation(inner)...)
	}
	t.variables[name] = v
	return diags
}

func (v *variable) byDefault(attr *hcl.Attribute, ctx *hcl.EvalContext) hcl.Diagnostics {
	value, diags := attr.Expr.Value(ctx)
	if diags.HasErrors() {
		return diags
	}
	value, err := convert.Convert(value, v.of)
	if err != nil {
		return append(diags, problem(attr.Expr.Range().Ptr(), "Invalid default value for variable",
			fmt.Sprintf("This default value is not compatible with the variable's type constraint: %s.", err)))
	}
	v.values = append(v.values, value)
	if of := value.Type(); v.of == cty.DynamicPseudoType && !of.Equals(cty.EmptyObject) && !of.Equals(cty.EmptyTuple) {
		v.of = of
	}
	return diags
}

func (v *variable) validation(block *hcl.Block) hcl.Diagnostics {
	content, diags := block.Body.Content(schemas["validation"])
	rule := validation{at: block.DefRange}
	if attr, ok := content.Attributes["condition"]; ok {
		rule.condition = attr.Expr
		own := 0
		for _, ref := range attr.Expr.Variables() {
			if root, name := ref.RootName(), step(ref, 1); root == "var" && name == v.name {
				own++
				continue
			}
			diags = append(diags, problem(ref.SourceRange().Ptr(), "Invalid reference in variable validation",
				fmt.Sprintf("The condition of %q can only refer to var.%[1]s.", v.name)))
		}
		if own == 0 {
			diags = append(diags, problem(attr.Expr.Range().Ptr(), "Invalid variable validation condition",
				fmt.Sprintf("The condition must refer to var.%s.", v.name)))
		}
	}
	if attr, ok := content.Attributes["error_message"]; ok {
		more := gohcl.DecodeExpression(attr.Expr, nil, &rule.message)
		diags = append(diags, more...)
		if !more.HasErrors() && !isSentence(rule.message) {
			diags = append(diags, problem(attr.Expr.Range().Ptr(), "Invalid validation error message",
				"It must be a sentence that begins with a capital letter and ends with a period or a question mark."))
		}
	}
	v.validations = append(v.validations, rule)
	return diags
}

func isSentence(text string) bool {
	text = strings.TrimSpace(text)
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return text != "" && (!unicode.IsLetter(first) || unicode.IsUpper(first)) && strings.ContainsRune(".?!", last)
}

// validate says which variables have no value, or one that their own rules
// refuse.
func (t *Template) validate() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, name := range sorted(t.variables) {
		v := t.variables[name]
		if len(v.values) == 0 {
			diags = append(diags, problem(&v.at, fmt.Sprintf("Unset variable %q", name),
				"A used variable must be set or have a default value."))
			continue
		}
		ctx := &hcl.EvalContext{
			Functions: t.functions,
			Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{name: v.value()})},
		}
		for _, rule := range v.validations {
			diags = append(diags, rule.check(name, ctx)...)
		}
	}
	return diags
}

func (rule validation) check(name string, ctx *hcl.EvalContext) hcl.Diagnostics {
	if rule.condition == nil {
		return nil
	}
	result, diags := rule.condition.Value(ctx)
	if diags.HasErrors() || !result.IsKnown() {
		return diags
	}
	if !result.IsNull() {
		var err error
		if result, err = convert.Convert(result, cty.Bool); err != nil {
			return append(diags, problem(rule.condition.Range().Ptr(), "Invalid variable validation result", err.Error()))
		}
	}
	switch {
	case result.IsNull():
		return append(diags, problem(rule.condition.Range().Ptr(), "Invalid variable validation result",
			"The condition must give true or false."))
	case result.False():
		return append(diags, problem(&rule.at, fmt.Sprintf("Invalid value for variable %q", name), rule.message))
	default:
		return diags
	}
}

// variableFiles parses the files that Packer loads by itself, then those that
// it is given.
func (t *Template) variableFiles(parser *hclparse.Parser) ([]*hcl.File, hcl.Diagnostics) {
	var paths []string
	for _, ext := range []string{".auto.pkrvars.hcl", ".auto.pkrvars.json"} {
		found, _ := filepath.Glob(filepath.Join(t.opts.Dir, "*"+ext)) // the stage's path has no pattern
		slices.Sort(found)
		paths = append(paths, found...)
	}
	var files []*hcl.File
	var diags hcl.Diagnostics
	for _, path := range append(paths, t.opts.VarFiles...) {
		file, more := t.parseFile(parser, path, filepath.Base(path))
		diags = append(diags, more...)
		if !more.HasErrors() {
			files = append(files, file)
		}
	}
	return files, diags
}

// assign gives variables their values: from the environment, then from files.
func (t *Template) assign(files []*hcl.File) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, entry := range t.opts.Env {
		name, text, _ := strings.Cut(entry, "=")
		name, ours := strings.CutPrefix(name, "PKR_VAR_")
		if v, ok := t.variables[name]; ours && ok {
			diags = append(diags, v.fromText(text)...)
		}
	}
	for _, file := range files {
		attrs, more := file.Body.JustAttributes()
		diags = append(diags, more...)
		for _, attr := range inOrder(attrs) {
			v, ok := t.variables[attr.Name]
			if !ok {
				warning := problem(&attr.NameRange, "Undefined variable",
					fmt.Sprintf("The variable %q was set but was not declared as an input variable.", attr.Name))
				warning.Severity = hcl.DiagWarning
				diags = append(diags, warning)
				continue
			}
			value, more := attr.Expr.Value(nil)
			diags = append(append(diags, more...), v.set(value, attr.Expr.Range())...)
		}
	}
	return diags
}

// fromText reads a value of the environment: plain text for a string, a number
// or a variable without a type, an expression for anything else.
func (v *variable) fromText(text string) hcl.Diagnostics {
	name := fmt.Sprintf("<value for var.%s from env>", v.name)
	at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	if v.of == cty.String || v.of == cty.Number || v.of == cty.DynamicPseudoType {
		return v.set(cty.StringVal(text), at)
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return diags
	}
	value, more := expr.Value(nil)
	return append(append(diags, more...), v.set(value, at)...)
}

func (v *variable) set(value cty.Value, at hcl.Range) hcl.Diagnostics {
	converted, err := convert.Convert(value, v.of)
	if err != nil {
		v.values = append(v.values, cty.DynamicVal)
		return hcl.Diagnostics{problem(&at, "Invalid value for variable",
			fmt.Sprintf("The value for %s is not compatible with the variable's type constraint: %s.", v.name, err))}
	}
	v.values = append(v.values, converted)
	return nil
}

// step is the name of a step of a reference, or an empty text.
func step(ref hcl.Traversal, i int) string {
	if i >= len(ref) {
		return ""
	}
	attr, ok := ref[i].(hcl.TraverseAttr)
	if !ok {
		return ""
	}
	return attr.Name
}
