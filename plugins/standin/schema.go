// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:38:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-schema-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#parts

package standin

import (
	"embed"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"
)

//go:embed schemas
var schemas embed.FS

// block is the body of a builder's configuration as the real plugin describes it.
type block struct {
	Attributes map[string]attribute `json:"attributes"`
	Blocks     map[string]nested    `json:"blocks"`
}

type attribute struct {
	Type     cty.Type `json:"type"`
	Required bool     `json:"required"`
}

type nested struct {
	block
	Nesting string `json:"nesting"` // "single" or "list"
}

// Spec returns what the real plugin's builder says of its configuration, "proxmox-iso" for example. It panics for
// a builder whose schema is not embedded.
func Spec(builder string) hcldec.ObjectSpec {
	data, err := schemas.ReadFile("schemas/" + builder + ".json")
	if err != nil {
		panic(fmt.Sprintf("standin: no schema of %s: %v", builder, err))
	}
	var b block
	if err := json.Unmarshal(data, &b); err != nil {
		panic(fmt.Sprintf("standin: the schema of %s: %v", builder, err))
	}
	return b.spec()
}

func (b block) spec() hcldec.ObjectSpec {
	spec := hcldec.ObjectSpec{}
	for name, a := range b.Attributes {
		spec[name] = &hcldec.AttrSpec{Name: name, Type: a.Type, Required: a.Required}
	}
	for name, n := range b.Blocks {
		if n.Nesting == "list" {
			spec[name] = &hcldec.BlockListSpec{TypeName: name, Nested: n.spec()}
		} else {
			spec[name] = &hcldec.BlockSpec{TypeName: name, Nested: n.spec()}
		}
	}
	return spec
}
