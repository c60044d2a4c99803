// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:53:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-builds-and-sources
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Settings that Packer itself reads in blocks of a build (1.15, hcl2template).
var (
	buildSettings = map[string]cty.Type{
		"name": cty.String, "description": cty.String,
		"sources": cty.List(cty.String),
	}
	provisionerSettings = map[string]cty.Type{
		"name": cty.String, "pause_before": cty.String, "max_retries": cty.Number, "timeout": cty.String,
		"only": cty.List(cty.String), "except": cty.List(cty.String), "override": cty.DynamicPseudoType,
	}
	postProcessorSettings = map[string]cty.Type{
		"name": cty.String, "only": cty.List(cty.String), "except": cty.List(cty.String), "keep_input_artifact": cty.Bool,
	}
	buildBlocks = map[string]int{
		"source": 1, "provisioner": 1, "error-cleanup-provisioner": 1, "post-processor": 1, "post-processors": 0,
		"hcp_packer_registry": 0,
	}
)

// sources checks every source block; what the target builds also by the values
// of its variables.
func (s *scope) sources() {
	for _, source := range sortedPlaced(s.m.sources) {
		name := source.block.Labels[0]
		schema := s.schema(Builder, name)
		p := &component{
			kind: Builder, name: name, what: "the source " + source.name, file: source.file, at: source.block.TypeRange,
			own: s.t.Source == "" || s.t.Source == source.name,
		}
		ctx := s.ctx
		if !p.own {
			ctx = s.blank()
		}
		if schema == nil {
			s.body(p, source.block.Body, nil, ctx, nil)
		} else {
			s.body(p, source.block.Body, &schema.Block, ctx, nil)
		}
		s.part(p, source.block.Body)
	}
}

// blank is a scope in which no variable has a value: for sources that other
// targets build.
func (s *scope) blank() *hcl.EvalContext {
	vars, locals := map[string]cty.Value{}, map[string]cty.Value{}
	for name, d := range s.m.variables {
		vars[name] = cty.UnknownVal(d.Type)
	}
	for name := range s.m.locals {
		locals[name] = cty.DynamicVal
	}
	ctx := s.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"var": object(vars), "local": object(locals)}
	return ctx
}

// datas checks the data sources.
func (s *scope) datas() {
	for _, data := range sortedPlaced(s.m.datas) {
		name := data.block.Labels[0]
		p := &component{
			kind: DataSource, name: name, what: "the data source " + data.name, file: data.file,
			at: data.block.TypeRange, own: true,
		}
		var block *Block
		if schema := s.schema(DataSource, name); schema != nil {
			block = &schema.Block
		}
		s.body(p, data.block.Body, block, s.ctx, nil)
		s.part(p, data.block.Body)
	}
}

// part keeps a component and applies the rules about one component.
func (s *scope) part(p *component, body *hclsyntax.Body) {
	p.body = body
	s.parts = append(s.parts, p)
	s.required(p)
	s.paths(p)
	s.secretAttributes(p.file, body)
}

// builds checks the build blocks and says which sources nobody builds.
func (s *scope) builds() {
	built, certain := map[string]bool{}, len(s.m.builds) > 0
	for _, build := range s.m.builds {
		certain = s.build(build, built) && certain
	}
	if len(s.m.builds) == 0 {
		s.refuse(s.m.files[0], RuleBlock, hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}}, "no template has a build block",
			"add build { sources = [...] }")
	}
	for _, source := range sortedPlaced(s.m.sources) {
		if certain && !built[source.name] {
			s.warn(source.file, RuleUnused, source.block.TypeRange, fmt.Sprintf("no build uses the source %s", source.name),
				"add it to the sources of a build, or remove it")
		}
	}
}

// build checks one build block; false when its sources are not known.
func (s *scope) build(at placed, built map[string]bool) bool {
	p := &component{what: "the build", file: at.file, at: at.block.TypeRange, attrs: map[string]setting{}}
	for _, attr := range hclfile.SortedAttributes(at.block.Body) {
		of, ok := buildSettings[attr.Name]
		if !ok {
			s.refuse(at.file, RuleAttribute, attr.NameRange,
				fmt.Sprintf("a build has no setting %q%s", attr.Name,
					near(attr.Name, []string{"name", "description", "sources"})), "")
			continue
		}
		value, ok := s.eval(at.file, attr.Expr, s.ctx)
		if ok {
			value = s.typed(p, attr, value, of)
		}
		p.attrs[attr.Name] = setting{attr, value}
	}
	certain, count := true, 0
	if sources, ok := p.attrs["sources"]; ok {
		names := stringsOf(sources.value)
		certain = sources.value.IsWhollyKnown()
		if !certain && s.in.Policy != nil {
			s.refuse(at.file, RulePolicyPart, sources.attr.SrcRange,
				"the sources of the build cannot be told before they are evaluated", "write them out")
		}
		for _, name := range names {
			count++
			s.built(at.file, sources.attr.Expr.Range(), name, built)
		}
	}
	for _, b := range s.expand(at.file, at.block.Body, s.ctx) {
		s.inBuild(at.file, b, built)
		if b.name == "source" {
			count++
		}
	}
	s.uses += count
	if count == 0 && certain {
		s.refuse(at.file, RuleSource, at.block.TypeRange, "the build names no source", `write sources = ["source.TYPE.NAME"]`)
	}
	return certain && count > 0
}

// built notes a source that a build names.
func (s *scope) built(file *hclfile.File, at hcl.Range, ref string, built map[string]bool) {
	name := strings.TrimPrefix(ref, "source.")
	if ref == "" {
		return // not known
	}
	if _, ok := s.m.sources[name]; !ok {
		var all []string
		for _, source := range sortedPlaced(s.m.sources) {
			all = append(all, "source."+source.name)
		}
		s.refuse(file, RuleSource, at, fmt.Sprintf("there is no source %q%s", ref, near("source."+name, all)),
			fmt.Sprintf("declare it: source %q %q { ... }", "TYPE", "NAME"))
		return
	}
	built[name] = true
}

// inBuild checks one block of a build.
func (s *scope) inBuild(file *hclfile.File, b expanded, built map[string]bool) {
	labels, ok := buildBlocks[b.name]
	switch {
	case !ok:
		s.refuse(file, RuleBlock, b.at,
			fmt.Sprintf("a build has no block %q%s", b.name, near(b.name, sortedKeys(buildBlocks))), "")
	case len(b.labels) != labels:
		s.refuse(file, RuleBlock, b.at, fmt.Sprintf("the block %s has %d labels, not %d", b.name, labels, len(b.labels)),
			fmt.Sprintf("write %s %q { ... }", b.name, "TYPE"))
	case b.name == "source":
		s.built(file, b.at, b.labels[0], built)
		s.sourceInBuild(file, b)
	case b.name == "provisioner", b.name == "error-cleanup-provisioner":
		s.step(Provisioner, file, b, provisionerSettings)
	case b.name == "post-processor":
		s.step(PostProcessor, file, b, postProcessorSettings)
	case b.name == "post-processors":
		for _, inner := range s.expand(file, b.body, b.ctx) {
			if inner.name != "post-processor" || len(inner.labels) != 1 {
				s.refuse(file, RuleBlock, inner.at, fmt.Sprintf("post-processors hold no block %q", inner.name),
					`write post-processor "TYPE" { ... }`)
				continue
			}
			s.step(PostProcessor, file, inner, postProcessorSettings)
		}
	}
}

// sourceInBuild checks settings that a build adds to a source.
func (s *scope) sourceInBuild(file *hclfile.File, b expanded) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(b.labels[0], "source."), ".")
	p := &component{kind: Builder, name: kind, what: "the source in the build", file: file, at: b.at, own: true}
	var block *Block
	if schema := s.schema(Builder, kind); schema != nil {
		block = &schema.Block
	}
	s.body(p, b.body, block, b.ctx, map[string]cty.Type{"name": cty.String})
	s.paths(p)
	p.body = b.body
	s.parts = append(s.parts, p) // what it adds is held to the policy as the source is
}

// step checks a provisioner or post-processor.
func (s *scope) step(kind Kind, file *hclfile.File, b expanded, own map[string]cty.Type) {
	name := b.labels[0]
	if name == "" { // a label that is not known
		s.parts = append(s.parts, &component{kind: kind, what: fmt.Sprintf("the name of a %s", kind), file: file, at: b.at})
		return
	}
	var block *Block
	if schema := s.provided(s.m, kind, name, file, b.at); schema != nil {
		block = &schema.Block
	}
	p := &component{kind: kind, name: name, what: fmt.Sprintf("the %s %s", kind, name), file: file, at: b.at, own: b.real}
	s.body(p, b.body, block, b.ctx, own)
	s.limited(p)
	s.part(p, b.body)
}

// limited warns of only and except that name no source of any template: such
// a step never, or always, runs.
func (s *scope) limited(p *component) {
	for _, name := range []string{"only", "except"} {
		setting, ok := p.attrs[name]
		if !ok {
			continue
		}
		for _, ref := range stringsOf(setting.value) {
			if ref != "" && !s.anySource(ref) {
				s.warn(p.file, RuleSource, setting.attr.Expr.Range(),
					fmt.Sprintf("%s of %s names %q, which is no source of any template", name, p.what,
						ref), "write TYPE.NAME, without source.")
			}
		}
	}
}

// anySource says whether any template of the tree declares a source; a build's
// name may stand before it.
func (s *scope) anySource(ref string) bool {
	for _, file := range s.parsed {
		if file == nil {
			continue
		}
		for _, block := range file.Body.Blocks {
			if block.Type == "source" && len(block.Labels) == 2 {
				if full := strings.Join(block.Labels, "."); ref == full || strings.HasSuffix(ref, "."+full) {
					return true
				}
			}
		}
	}
	return false
}

// validations evaluates the conditions of variables whose values are known.
func (s *scope) validations() {
	for _, at := range s.m.validations {
		if _, ok := s.m.variables[at.name]; !ok {
			continue
		}
		for _, block := range at.block.Body.Blocks {
			if block.Type == "validation" {
				s.validation(at, block)
			}
		}
	}
}

func (s *scope) validation(at placed, block *hclsyntax.Block) {
	condition, ok := block.Body.Attributes["condition"]
	if !ok {
		s.refuse(at.file, RuleRequired, block.TypeRange, "a validation needs a condition",
			`write condition = length(var.NAME) > 0`)
		return
	}
	value, ok := s.eval(at.file, condition.Expr, s.ctx)
	if !ok || !value.IsKnown() || value.IsNull() {
		return
	}
	if value.Type() != cty.Bool {
		s.refuse(at.file, RuleType, condition.Expr.Range(), "a condition must be true or false", "")
		return
	}
	if value.True() {
		return
	}
	why := ""
	if attr, ok := block.Body.Attributes["error_message"]; ok {
		if text, ok := s.eval(at.file, attr.Expr, s.ctx); ok && stringOf(text) != "" {
			why = ": " + strings.TrimSuffix(stringOf(text), ".")
		}
	}
	f := hybridcore.Finding{
		Kind: hybridcore.KindVariable, Rule: RuleValidation, Subject: at.name, Severity: hybridcore.Error, Blocking: true,
		Message: hclfile.Printable(fmt.Sprintf("the value of %s is refused%s", at.name, why)),
		Hint:    fmt.Sprintf("the condition stands at %s:%d", at.file.Path, block.TypeRange.Start.Line), File: at.file.Path,
		Line: at.block.TypeRange.Start.Line,
	}
	if layer := s.winner(at.name); layer.File != "" {
		f.File, f.Line = layer.File, layer.Line
	}
	s.finding(f)
}

// winner is the layer that gave a variable its value.
func (s *scope) winner(name string) hybridcore.Layer {
	layers := s.resolved[name].Layers
	if len(layers) == 0 {
		return hybridcore.Layer{}
	}
	return layers[len(layers)-1]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
