// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:41:51Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/packer-plugin-sdk/hcl2helper"
	"github.com/zclconf/go-cty/cty"
)

// unknownText stands for what only a build knows.
const unknownText = "<unknown>"

// commonData are the data that every builder generates (Packer 1.15,
// packer/provisioner.go).
var commonData = []string{
	"ID", "Host", "Port", "User", "Password", "ConnType", "PackerRunUUID", "PackerHTTPPort", "PackerHTTPIP",
	"PackerHTTPAddr",
	"SSHPublicKey", "SSHPrivateKey", "WinRMPassword",
}

// SourceScope is what the body of a source sees.
func (t *Template) SourceScope(source *Source) *hcl.EvalContext {
	return t.scope(map[string]cty.Value{"source": source.value()})
}

// StepScope is what the bodies of provisioners and post-processors see: the
// data that the builder generates have names, and no values yet.
func (t *Template) StepScope(build *Build, source *Source, generated []string) *hcl.EvalContext {
	data := map[string]cty.Value{}
	for _, names := range [][]string{commonData, generated} {
		for _, name := range names {
			data[name] = cty.StringVal(unknownText)
		}
	}
	data["name"] = cty.StringVal(build.Name)
	return t.scope(map[string]cty.Value{"source": source.value(), "build": cty.ObjectVal(data)})
}

func (s *Source) value() cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"type": cty.StringVal(s.Type), "name": cty.StringVal(s.As)})
}

// Sensitive lists the sensitive variables, sorted.
func (t *Template) Sensitive() []string {
	names := []string{}
	for _, name := range sorted(t.variables) {
		if t.variables[name].sensitive {
			names = append(names, name)
		}
	}
	return names
}

// Known replaces what is not known by what Packer hands to plugins in its place:
// a text, zero, false, or nothing in a collection.
func Known(v cty.Value) cty.Value {
	if v.IsNull() {
		return v
	}
	of := v.Type()
	switch {
	case v.IsKnown() && (of.IsPrimitiveType() || !of.IsCollectionType() && !of.IsTupleType() && !of.IsObjectType()):
		return v
	case of == cty.String:
		return cty.StringVal(unknownText)
	case of == cty.Number:
		return cty.Zero
	case of == cty.Bool:
		return cty.False
	case of.IsMapType():
		return knownMap(v, of)
	case of.IsObjectType():
		values := map[string]cty.Value{}
		if v.IsKnown() {
			for name, value := range v.AsValueMap() {
				values[name] = Known(value)
			}
		}
		return cty.ObjectVal(values)
	default:
		return knownSequence(v, of)
	}
}

func knownMap(v cty.Value, of cty.Type) cty.Value {
	if !v.IsKnown() || v.LengthInt() == 0 {
		return cty.MapValEmpty(of.ElementType())
	}
	values := map[string]cty.Value{}
	for name, value := range v.AsValueMap() {
		values[name] = Known(value)
	}
	return cty.MapVal(values)
}

func knownSequence(v cty.Value, of cty.Type) cty.Value {
	var values []cty.Value
	if v.IsKnown() {
		for it := v.ElementIterator(); it.Next(); {
			_, value := it.Element()
			values = append(values, Known(value))
		}
	}
	switch {
	case of.IsTupleType():
		return cty.TupleVal(values)
	case len(values) == 0 && of.IsSetType():
		return cty.SetValEmpty(of.ElementType())
	case len(values) == 0:
		return cty.ListValEmpty(of.ElementType())
	case of.IsSetType():
		return cty.SetVal(values)
	default:
		return cty.ListVal(values)
	}
}

// plain turns a value into what overrides carry to a plugin.
func plain(v cty.Value) any {
	if !v.IsKnown() {
		return hcl2helper.UnknownVariableValue
	}
	if v.IsNull() {
		return nil
	}
	of := v.Type()
	switch {
	case of == cty.Bool:
		return v.True()
	case of == cty.String:
		return v.AsString()
	case of == cty.Number:
		if i, exact := v.AsBigFloat().Int64(); exact == big.Exact {
			return int(i)
		}
		f, _ := v.AsBigFloat().Float64()
		return f
	case of.IsMapType() || of.IsObjectType():
		values := map[string]any{}
		for name, value := range v.AsValueMap() {
			if p := plain(value); p != nil {
				values[name] = p
			}
		}
		return values
	default:
		values := []any{}
		for it := v.ElementIterator(); it.Next(); {
			_, value := it.Element()
			values = append(values, plain(value))
		}
		return values
	}
}
