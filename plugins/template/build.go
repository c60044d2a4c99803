// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:41:51Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Build is one build block.
type Build struct {
	Name           string
	Sources        []*Source
	Provisioners   []*Step
	Cleanup        *Step // the error-cleanup-provisioner; may be nil
	PostProcessors []*Step
	Range          hcl.Range
}

// Source is a source as a build uses it.
type Source struct {
	Type, Name string // Name as the source block calls it
	Body       hcl.Body
	Range      hcl.Range
	As         string // as the build calls it
}

// String is how only and except name the source.
func (s *Source) String() string { return s.Type + "." + s.As }

// Step is a provisioner or post-processor of a build.
type Step struct {
	Type     string
	Body     hcl.Body
	Range    hcl.Range
	override map[string]map[string]any
	only     []string
	except   []string
}

// Skips says whether the step is not for a source.
func (s *Step) Skips(source *Source) bool {
	if len(s.only) > 0 {
		return !slices.Contains(s.only, source.String())
	}
	return slices.Contains(s.except, source.String())
}

// Override is what the step sets otherwise for a source; nil for nothing.
func (s *Step) Override(source *Source) map[string]any { return s.override[source.As] }

// content reads the sources and builds of a file, with its dynamic blocks
// expanded.
func (t *Template) content(file *hcl.File) hcl.Diagnostics {
	content, diags := dynblock.Expand(file.Body, t.scope(nil)).Content(schemas[""])
	for _, block := range content.Blocks {
		switch block.Type {
		case "source":
			diags = append(diags, t.source(block)...)
		case "build":
			build, more := t.build(block)
			diags = append(diags, more...)
			if !more.HasErrors() {
				t.Builds = append(t.Builds, build)
			}
		}
	}
	return diags
}

func (t *Template) source(block *hcl.Block) hcl.Diagnostics {
	name := block.Labels[0] + "." + block.Labels[1]
	if first, ok := t.sources[name]; ok {
		return hcl.Diagnostics{problem(&block.DefRange, "Duplicate source block",
			"It is first at "+first.DefRange.String()+".")}
	}
	t.sources[name] = block
	return nil
}

func (t *Template) build(block *hcl.Block) (*Build, hcl.Diagnostics) {
	var b struct {
		Name        string   `hcl:"name,optional"`
		Description string   `hcl:"description,optional"`
		Sources     []string `hcl:"sources,optional"`
		Rest        hcl.Body `hcl:",remain"`
	}
	diags := gohcl.DecodeBody(block.Body, t.scope(nil), &b)
	if diags.HasErrors() {
		return nil, diags
	}
	build := &Build{Name: b.Name, Range: block.DefRange}
	for _, ref := range b.Sources {
		kind, name, ok := sourceRef(ref)
		if !ok {
			diags = append(diags, problem(&block.DefRange, "Invalid source reference",
				fmt.Sprintf("A source is named source.TYPE.NAME, not %.80q.", ref)))
			continue
		}
		build.Sources = append(build.Sources, &Source{Type: kind, Name: name, As: name, Range: block.DefRange})
	}
	content, more := b.Rest.Content(schemas["build"])
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	ctx := t.scope(map[string]cty.Value{"build": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(b.Name)})})
	for _, inner := range content.Blocks {
		diags = append(diags, t.part(build, inner, ctx)...)
	}
	if len(b.Sources)+len(build.Sources) == 0 {
		diags = append(diags, problem(&block.DefRange, "missing source reference",
			"a build block must reference at least one source to be built"))
	}
	return build, diags
}

// part reads one block of a build.
func (t *Template) part(build *Build, block *hcl.Block, ctx *hcl.EvalContext) hcl.Diagnostics {
	switch block.Type {
	case "source":
		source, diags := buildSource(block)
		if source != nil {
			build.Sources = append(build.Sources, source)
		}
		return diags
	case "provisioner":
		step, diags := provisioner(block, ctx)
		if step != nil {
			build.Provisioners = append(build.Provisioners, step)
		}
		return diags
	case "error-cleanup-provisioner":
		if build.Cleanup != nil {
			return hcl.Diagnostics{problem(&block.DefRange, "Only one error-cleanup-provisioner is allowed", "")}
		}
		step, diags := provisioner(block, ctx)
		build.Cleanup = step
		return diags
	case "post-processors":
		content, diags := block.Body.Content(schemas["post-processors"])
		for _, inner := range content.Blocks {
			diags = append(diags, t.part(build, inner, ctx)...)
		}
		return diags
	case "post-processor":
		step, diags := postProcessor(block, ctx)
		if step != nil {
			build.PostProcessors = append(build.PostProcessors, step)
		}
		return diags
	default:
		t.doubt("a block hcp_packer_registry, which Packer checks with HCP")
		return nil
	}
}

// sourceRef splits [source.]TYPE.NAME.
func sourceRef(ref string) (kind, name string, ok bool) {
	parts := strings.Split(ref, ".")
	if len(parts) > 2 {
		parts = parts[1:]
	}
	if len(parts) < 2 {
		return "", "", false
	}
	return parts[0], parts[1], hclsyntax.ValidIdentifier(parts[0]) && hclsyntax.ValidIdentifier(parts[1])
}

// buildSource reads a source block within a build: additions to a source.
func buildSource(block *hcl.Block) (*Source, hcl.Diagnostics) {
	var b struct {
		Name string   `hcl:"name,optional"`
		Rest hcl.Body `hcl:",remain"`
	}
	if diags := gohcl.DecodeBody(block.Body, nil, &b); diags.HasErrors() {
		return nil, diags
	}
	kind, name, ok := sourceRef(block.Labels[0])
	if !ok {
		return nil, hcl.Diagnostics{problem(&block.DefRange, "Invalid source reference",
			"A source is named source.TYPE.NAME.")}
	}
	s := &Source{Type: kind, Name: name, As: name, Body: b.Rest, Range: block.DefRange}
	if b.Name != "" {
		s.As = b.Name
	}
	return s, nil
}

func provisioner(block *hcl.Block, ctx *hcl.EvalContext) (*Step, hcl.Diagnostics) {
	var b struct {
		Name     string    `hcl:"name,optional"`
		Pause    string    `hcl:"pause_before,optional"`
		Retries  int       `hcl:"max_retries,optional"`
		Timeout  string    `hcl:"timeout,optional"`
		Only     []string  `hcl:"only,optional"`
		Except   []string  `hcl:"except,optional"`
		Override cty.Value `hcl:"override,optional"`
		Rest     hcl.Body  `hcl:",remain"`
	}
	diags := gohcl.DecodeBody(block.Body, ctx, &b)
	if diags.HasErrors() {
		return nil, diags
	}
	step := &Step{Type: block.Labels[0], Body: b.Rest, Range: block.DefRange, only: b.Only, except: b.Except}
	diags = append(diags, step.exclusive()...)
	for name, text := range map[string]string{"pause_before": b.Pause, "timeout": b.Timeout} {
		if text == "" {
			continue
		}
		if _, err := time.ParseDuration(text); err != nil {
			diags = append(diags, problem(&block.DefRange, "Failed to parse "+name+" duration", err.Error()))
		}
	}
	if !b.Override.IsNull() {
		var more hcl.Diagnostics
		step.override, more = overrides(b.Override, block.DefRange)
		diags = append(diags, more...)
	}
	return step, diags
}

func overrides(value cty.Value, at hcl.Range) (map[string]map[string]any, hcl.Diagnostics) {
	refused := hcl.Diagnostics{problem(&at, "provisioner's override block must be an HCL object", "")}
	if !value.Type().IsObjectType() {
		return nil, refused
	}
	all := map[string]map[string]any{}
	for name, settings := range value.AsValueMap() {
		if !settings.Type().IsObjectType() || settings.IsNull() || !settings.IsKnown() {
			return nil, refused
		}
		all[name] = map[string]any{}
		for key, setting := range settings.AsValueMap() {
			all[name][key] = plain(setting)
		}
	}
	return all, nil
}

func postProcessor(block *hcl.Block, ctx *hcl.EvalContext) (*Step, hcl.Diagnostics) {
	var b struct {
		Name   string   `hcl:"name,optional"`
		Only   []string `hcl:"only,optional"`
		Except []string `hcl:"except,optional"`
		Keep   *bool    `hcl:"keep_input_artifact,optional"`
		Rest   hcl.Body `hcl:",remain"`
	}
	diags := gohcl.DecodeBody(block.Body, ctx, &b)
	if diags.HasErrors() {
		return nil, diags
	}
	step := &Step{Type: block.Labels[0], Body: b.Rest, Range: block.DefRange, only: b.Only, except: b.Except}
	return step, append(diags, step.exclusive()...)
}

func (s *Step) exclusive() hcl.Diagnostics {
	if len(s.only) > 0 && len(s.except) > 0 {
		return hcl.Diagnostics{problem(&s.Range, "only one of 'only' or 'except' may be specified", "")}
	}
	return nil
}

// Resolve gives every source of the builds its body: that of the source block,
// with what the build adds.
func (t *Template) Resolve() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, build := range t.Builds {
		for _, source := range build.Sources {
			block, ok := t.sources[source.Type+"."+source.Name]
			if !ok {
				diags = append(diags, problem(&source.Range, "Unknown source "+source.Type+"."+source.Name,
					"Known: "+strings.Join(sorted(t.sources), ", ")))
				continue
			}
			source.Range = block.DefRange
			if source.Body == nil {
				source.Body = block.Body
			} else {
				source.Body = hcl.MergeBodies([]hcl.Body{block.Body, source.Body})
			}
		}
	}
	return diags
}
