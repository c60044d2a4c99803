// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:17Z
// Spec: openspec/specs/full-validation/spec.md#requirement-schemas-of-what-is-installed
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package prepare

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/plugins/component"
)

// described is what a plugin says about itself, asked once for a job and kept
// by its digest.
type described struct {
	ready chan struct{}
	component.Description
	err error
}

func (h *checking) describe(ctx context.Context, plugin Binary) (component.Description, error) {
	d, mine := once(h.session, h.described, plugin.SHA256,
		func() *described { return &described{ready: make(chan struct{})} })
	if mine {
		d.Description, d.err = describe(ctx, h.job.Cache, plugin, h.place().Env)
		close(d.ready)
	}
	select {
	case <-d.ready:
		return d.Description, d.err
	case <-ctx.Done():
		return component.Description{}, context.Cause(ctx)
	}
}

// describe asks the plugin, unless the cache knows it.
func describe(ctx context.Context, cache string, plugin Binary, env []string) (component.Description, error) {
	var d component.Description
	kept := cacheFile(cache, plugin.SHA256, "describe.json")
	if data, err := os.ReadFile(kept); kept != "" && err == nil && json.Unmarshal(data, &d) == nil && d.APIVersion != "" {
		return d, nil
	}
	d, err := component.Describe(ctx, plugin.Path, env)
	if err != nil {
		return d, fmt.Errorf("describing %s: %w", plugin.Address, err)
	}
	keep(kept, d)
	return d, nil
}

var digestRule = regexp.MustCompile(`^[0-9a-f]{64}$`)

// cacheFile is where something about a binary is kept; empty for nowhere.
func cacheFile(cache, sha256, name string) string {
	if cache == "" || !digestRule.MatchString(sha256) {
		return ""
	}
	return filepath.Join(cache, "components", sha256, name)
}

// keep writes a file of the cache whole, or not at all: what is missing is
// asked again.
func keep(path string, value any) {
	data, err := json.MarshalIndent(value, "", " ")
	if path == "" || err != nil || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return
	}
	_, err = part.Write(data)
	if closed := part.Close(); err != nil || closed != nil || os.Rename(part.Name(), path) != nil {
		_ = os.Remove(part.Name()) // it is of no use
	}
}

// Schema is what a component takes, in the form of the program's embedded
// schemas.
type Schema struct {
	Plugin  string `json:"plugin"`
	Version string `json:"version"`
	Block
	Output *cty.Type `json:"output,omitempty"` // of a data source
}

// Block is one body: attributes with their types, and blocks.
type Block struct {
	Nesting    string              `json:"nesting,omitempty"` // single or list; empty for the outermost
	Attributes map[string]cty.Type `json:"attributes,omitempty"`
	Blocks     map[string]Block    `json:"blocks,omitempty"`
}

// Schemas asks plugins for the schemas of all their components, by
// KIND.NAME as the program's schema files are called. What the cache knows is
// not asked again.
func Schemas(ctx context.Context, job Job) (map[string]Schema, error) {
	all := map[string]Schema{}
	for _, stage := range job.Stages {
		h := &checking{session: &session{job: job, slots: make(chan struct{}, 1)}, stage: stage}
		for _, plugin := range stage.Plugins {
			found, err := h.schemas(ctx, plugin)
			if err != nil {
				return nil, err
			}
			maps.Copy(all, found)
		}
	}
	return all, nil
}

func (h *checking) schemas(ctx context.Context, plugin Binary) (map[string]Schema, error) {
	kept := cacheFile(h.job.Cache, plugin.SHA256, "schemas.json")
	all := map[string]Schema{}
	if data, err := os.ReadFile(kept); kept != "" && err == nil && json.Unmarshal(data, &all) == nil && len(all) > 0 {
		return all, nil
	}
	d, err := describe(ctx, h.job.Cache, plugin, h.place().Env)
	if err != nil {
		return nil, err
	}
	accessor := plugin.Address[strings.LastIndexByte(plugin.Address, '/')+1:]
	for _, kind := range []component.Kind{
		component.Builder, component.Provisioner, component.PostProcessor,
		component.DataSource,
	} {
		for _, name := range d.All(kind, accessor) {
			program, _ := d.Program(plugin.Path, plugin.SHA256, kind, accessor, name)
			schema, err := h.schema(ctx, kind, program)
			if err != nil {
				return nil, fmt.Errorf("asking the %s %s for its settings: %w", kind, name, err)
			}
			schema.Plugin, schema.Version = plugin.Address, plugin.Version
			label := string(kind)
			if kind == component.DataSource {
				label = "data"
			}
			all[label+"."+name] = schema
		}
	}
	keep(kept, all)
	return all, nil
}

func (h *checking) schema(ctx context.Context, kind component.Kind, program component.Program) (Schema, error) {
	c, err := h.start(ctx, kind, program)
	if err != nil {
		return Schema{}, err
	}
	defer h.end(c)
	spec, err := c.Spec()
	if err != nil {
		return Schema{}, err
	}
	block, err := blockOf(spec)
	if err != nil || kind != component.DataSource {
		return Schema{Block: block}, err
	}
	output, err := c.Output()
	if err != nil {
		return Schema{}, err
	}
	of := hcldec.ImpliedType(output)
	return Schema{Block: block, Output: &of}, nil
}

// blockOf turns a plugin's description of a body into ours.
func blockOf(spec hcldec.Spec) (Block, error) {
	if pointer, ok := spec.(*hcldec.ObjectSpec); ok { // what protobuf makes of it
		spec = *pointer
	}
	object, ok := spec.(hcldec.ObjectSpec)
	if !ok {
		return Block{}, fmt.Errorf("a body is described by %T", spec)
	}
	b := Block{Attributes: map[string]cty.Type{}, Blocks: map[string]Block{}}
	for _, key := range slices.Sorted(keys(object)) {
		var name, nesting string
		var nested hcldec.Spec
		switch s := object[key].(type) {
		case *hcldec.AttrSpec:
			b.Attributes[s.Name] = s.Type
			continue
		case *hcldec.BlockListSpec:
			name, nested, nesting = s.TypeName, s.Nested, "list"
		case *hcldec.BlockSpec:
			name, nested, nesting = s.TypeName, s.Nested, "single"
		default:
			return Block{}, fmt.Errorf("%s is described by %T", key, s)
		}
		inner, err := blockOf(nested)
		if err != nil {
			return Block{}, fmt.Errorf("the block %s: %w", name, err)
		}
		inner.Nesting = nesting
		b.Blocks[name] = inner
	}
	return b, nil
}

func keys(object hcldec.ObjectSpec) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range object {
			if !yield(key) {
				return
			}
		}
	}
}
