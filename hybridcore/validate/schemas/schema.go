// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

// Package schemas holds what builders, provisioners, post-processors and data sources take, as
// the real plugins answered: embedded here, or added as they are installed.
package schemas

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Kind is a kind of component.
type Kind string

// Kinds of components, as the files of the schemas begin.
const (
	Builder       Kind = "builder"
	Provisioner   Kind = "provisioner"
	PostProcessor Kind = "post-processor"
	DataSource    Kind = "data"
)

// Schema is what a component takes: the HCL2 spec that its plugin answers with.
type Schema struct {
	Plugin  string // source address, or "packer" for what is built in
	Version string // that the schema was taken from
	Block
	Output cty.Type // of a data source; cty.NilType when it is not known
}

// Body is what the component takes in its own body; nil of nil.
func (s *Schema) Body() *Block {
	if s == nil {
		return nil
	}
	return &s.Block
}

// Block is one body: attributes with their types, and blocks.
type Block struct {
	Attributes map[string]cty.Type
	Blocks     map[string]*Block
	Single     bool // a block that may stand only once
}

// Names lists what may stand in the body, sorted.
func (b *Block) Names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range maps.Keys(b.Attributes) {
			if !strings.HasPrefix(name, "packer_") && !yield(name) {
				return
			}
		}
		for name := range maps.Keys(b.Blocks) {
			if !yield(name) {
				return
			}
		}
	})
}

// Block is the schema of a nested block; nil for none.
func (b *Block) Block(name string) *Block {
	if b == nil {
		return nil
	}
	return b.Blocks[name]
}

// schemaFiles are the specs of Packer 1.15.0 and of the plugins proxmox 1.2.3,
// vsphere 1.4.2, azure 2.5.0 and ansible 1.1.2, as they answered over RPC.
//
//go:embed *.json
var schemaFiles embed.FS

// Embedded finds the schema of a component of the plugins that this project
// builds with, or of Packer itself.
func Embedded(kind Kind, name string) (*Schema, bool) {
	data, err := schemaFiles.ReadFile(string(kind) + "." + name + ".json")
	if err != nil {
		return nil, false
	}
	schema, err := Parse(data)
	if err != nil {
		panic(fmt.Sprintf("schemas: the embedded schema of %s %s: %v", kind, name, err)) // a test reads them all
	}
	return schema, true
}

// components lists the embedded components of a kind, sorted.
func components(kind Kind) []string {
	entries, err := schemaFiles.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("schemas: listing embedded schemas: %v", err))
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutPrefix(entry.Name(), string(kind)+"."); ok {
			names = append(names, strings.TrimSuffix(name, ".json"))
		}
	}
	return names
}

// rawBlock is a block as the schema files hold it.
type rawBlock struct {
	Nesting    string                     `json:"nesting"`
	Attributes map[string]json.RawMessage `json:"attributes"`
	Blocks     map[string]rawBlock        `json:"blocks"`
}

// Parse reads the JSON form of a schema.
func Parse(data []byte) (*Schema, error) {
	var raw struct {
		Plugin  string          `json:"plugin"`
		Version string          `json:"version"`
		Output  json.RawMessage `json:"output"`
		rawBlock
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("reading a schema: %w", err)
	}
	block, err := raw.block()
	if err != nil {
		return nil, err
	}
	schema := &Schema{Plugin: raw.Plugin, Version: raw.Version, Block: *block}
	if len(raw.Output) > 0 {
		if schema.Output, err = ctyjson.UnmarshalType(raw.Output); err != nil {
			return nil, fmt.Errorf("reading the output of a schema: %w", err)
		}
	}
	return schema, nil
}

// primitives are the types that nearly all attributes have.
var primitives = map[string]cty.Type{`"string"`: cty.String, `"number"`: cty.Number, `"bool"`: cty.Bool}

func (r rawBlock) block() (*Block, error) {
	b := &Block{
		Attributes: make(map[string]cty.Type, len(r.Attributes)), Blocks: make(map[string]*Block, len(r.Blocks)),
		Single: r.Nesting == "single",
	}
	for name, raw := range r.Attributes {
		if of, ok := primitives[string(raw)]; ok {
			b.Attributes[name] = of
			continue
		}
		of, err := ctyjson.UnmarshalType(raw)
		if err != nil {
			return nil, fmt.Errorf("reading the type of %s: %w", name, err)
		}
		b.Attributes[name] = of
	}
	for name, raw := range r.Blocks {
		nested, err := raw.block()
		if err != nil {
			return nil, err
		}
		b.Blocks[name] = nested
	}
	return b, nil
}
