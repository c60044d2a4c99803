// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:59:01Z
// Spec: openspec/specs/hclfile/spec.md#requirement-variable-declarations
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Declaration is one variable block of a template.
type Declaration struct {
	Name string
	// Type is the constraint as Packer applies it: a variable without a type
	// takes that of its default, and accepts anything without either.
	Type        cty.Type
	Default     *Literal // converted to Type; nil when there is none
	Sensitive   bool
	Description string
	Common      bool // declared for every platform
	File        string
	Line        int
}

// TypeName is the type as it is written in a template.
func (d Declaration) TypeName() string { return typeexpr.TypeString(d.Type) }

// declarationAttributes are the settings of a variable block, in Packer 1.15.
var declarationAttributes = []string{"type", "default", "description", "sensitive"}

// Declarations reads the variable blocks of a template in the order of the
// file. Findings name every block that Packer or packer-hybrid cannot take.
func (f *File) Declarations() ([]Declaration, []hybridcore.Finding) {
	var declarations []Declaration
	var findings []hybridcore.Finding
	for _, block := range f.Body.Blocks {
		switch block.Type {
		case "variables":
			findings = append(findings,
				f.Finding(hybridcore.KindSchema, block.TypeRange, `the short form "variables" is not read`,
					`declare each one: variable "name" { type = string }`))
		case "variable":
			declaration, problems := f.declaration(block)
			findings = append(findings, problems...)
			if len(problems) == 0 {
				declarations = append(declarations, declaration)
			}
		}
	}
	return declarations, findings
}

func (f *File) declaration(block *hclsyntax.Block) (Declaration, []hybridcore.Finding) {
	if len(block.Labels) != 1 || !hclsyntax.ValidIdentifier(block.Labels[0]) || block.Labels[0] == "variable" {
		return Declaration{}, []hybridcore.Finding{f.Finding(hybridcore.KindSchema, block.TypeRange,
			"a variable block needs one name as its label",
			`write variable "name" { ... } with letters, digits and underscores; the name "variable" is reserved`)}
	}
	d := Declaration{Name: block.Labels[0], Type: cty.DynamicPseudoType, File: f.Path, Line: block.TypeRange.Start.Line}
	var findings []hybridcore.Finding
	for _, inner := range block.Body.Blocks {
		if inner.Type != "validation" {
			findings = append(findings,
				f.Finding(hybridcore.KindSchema, inner.TypeRange, fmt.Sprintf("a variable has no block %q", inner.Type),
					"only validation blocks stand here"))
		}
	}
	for _, attr := range SortedAttributes(block.Body) {
		findings = append(findings, f.setting(&d, attr)...)
	}
	if len(findings) > 0 || d.Default == nil {
		return d, findings
	}
	return d, f.convertDefault(&d)
}

func (f *File) setting(d *Declaration, attr *hclsyntax.Attribute) []hybridcore.Finding {
	if !slices.Contains(declarationAttributes, attr.Name) {
		return []hybridcore.Finding{f.Finding(hybridcore.KindSchema, attr.NameRange,
			fmt.Sprintf("a variable has no setting %q%s", attr.Name,
				text.DidYouMean(attr.Name, declarationAttributes)), "")}
	}
	if attr.Name == "type" {
		constraint, diags := typeexpr.Type(attr.Expr) // the function that Packer uses
		if diags.HasErrors() {
			return f.Diagnostics(diags)
		}
		d.Type = constraint
		return nil
	}
	literal, findings := f.Literal(attr)
	if len(findings) > 0 {
		return findings
	}
	literal.Name = d.Name
	switch attr.Name {
	case "default":
		d.Default = &literal
	case "description":
		return f.decode(literal, cty.String, func(v cty.Value) { d.Description = v.AsString() })
	case "sensitive":
		return f.decode(literal, cty.Bool, func(v cty.Value) { d.Sensitive = v.True() })
	}
	return nil
}

func (f *File) decode(literal Literal, want cty.Type, set func(cty.Value)) []hybridcore.Finding {
	if literal.Value.IsNull() || !literal.Value.Type().Equals(want) {
		return []hybridcore.Finding{f.Finding(hybridcore.KindSchema, literal.Range,
			"this setting must be a "+want.FriendlyName(), "")}
	}
	set(literal.Value)
	return nil
}

func (f *File) convertDefault(d *Declaration) []hybridcore.Finding {
	value, text, err := Convert(d.Default.Value, d.Type)
	if err != nil {
		return []hybridcore.Finding{f.Finding(hybridcore.KindVariable, d.Default.Range,
			fmt.Sprintf("the default of %s does not fit its type %s: %v", d.Name, d.TypeName(), err), "")}
	}
	d.Default.Value, d.Default.JSON = value, text
	if d.Type == cty.DynamicPseudoType && !value.Type().Equals(cty.EmptyObject) && !value.Type().Equals(cty.EmptyTuple) {
		d.Type = value.Type()
	}
	return nil
}

// Convert fits a value to a type by the rules of HCL and returns it with its
// canonical JSON. The error names the part that does not fit, never a value.
func Convert(value cty.Value, want cty.Type) (cty.Value, string, error) {
	converted, err := convert.Convert(value, want)
	if err != nil {
		return cty.NilVal, "", errors.New(Printable(place(err) + err.Error()))
	}
	text, err := CanonicalJSON(converted)
	if err != nil {
		return cty.NilVal, "", err
	}
	return converted, text, nil
}

// place says which part of a value a conversion error is about.
func place(err error) string {
	var at cty.PathError
	if !errors.As(err, &at) || len(at.Path) == 0 {
		return ""
	}
	var b strings.Builder
	for _, step := range at.Path {
		switch step := step.(type) {
		case cty.GetAttrStep:
			b.WriteString("." + step.Name)
		case cty.IndexStep:
			if key, err := CanonicalJSON(step.Key); err == nil {
				b.WriteString("[" + key + "]")
			}
		}
	}
	return "at " + b.String() + ": "
}
