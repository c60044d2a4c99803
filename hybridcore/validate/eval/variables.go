// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Variables are the resolved variables of a target by name.
type Variables map[string]hybridcore.Variable

// known is the value of a variable as far as it may be known: a secret and
// what differs from run to run are unknown values of their type.
func (v Variables) known(d hclfile.Declaration) cty.Value {
	given, ok := v[d.Name]
	if !ok || given.Sensitive || given.Run || d.Sensitive {
		return cty.UnknownVal(d.Type)
	}
	return v.Given(d)
}

// Given is the value that Packer gets for a variable: its size only is for
// others to know.
func (v Variables) Given(d hclfile.Declaration) cty.Value {
	given, ok := v[d.Name]
	if !ok && d.Default != nil {
		return d.Default.Value
	}
	if !ok {
		return cty.UnknownVal(d.Type)
	}
	of := d.Type
	if of.HasDynamicTypes() {
		implied, err := ctyjson.ImpliedType([]byte(given.JSON))
		if err != nil {
			return cty.UnknownVal(d.Type)
		}
		of = implied
	}
	value, err := ctyjson.Unmarshal([]byte(given.JSON), of)
	if err != nil {
		return cty.UnknownVal(d.Type)
	}
	return value
}

// layerEnvironment is the layer of config that no file of a tree is.
const layerEnvironment = "environment"

// FromEnvironment says whether a variable has its value from the environment of
// the run: no file of the tree sets it.
func (v Variables) FromEnvironment(name string) bool { return v.Winner(name).Name == layerEnvironment }

// Winner is the layer that gave a variable its value.
func (v Variables) Winner(name string) hybridcore.Layer {
	layers := v[name].Layers
	if len(layers) == 0 {
		return hybridcore.Layer{}
	}
	return layers[len(layers)-1]
}
