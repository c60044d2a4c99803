// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:53:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-builds-and-sources
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
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

// target checks what depends on the values of one target's variables.
type target struct {
	of        Target
	untrusted bool
	found     *finding.List
	reader    *module.Reader
	module    *module.Module
	scope     *eval.Scope
	bodies    *parts.Bodies
	paths     paths
	parts     []*parts.Part // what was evaluated, for the rules that follow
	uses      int           // how often builds name a source
}

// sources checks every source block; what the target builds also by the values
// of its variables.
func (t *target) sources() {
	for _, source := range module.Sorted(t.module.Sources) {
		name := source.Block.Labels[0]
		p := &parts.Part{
			Kind: schemas.Builder, Name: name, What: "the source " + source.Name, File: source.File, At: source.Block.TypeRange,
			Body: source.Block.Body, Own: t.of.Source == "" || t.of.Source == source.Name,
		}
		ctx := t.scope.Context
		if !p.Own {
			ctx = t.blank()
		}
		t.bodies.Evaluate(p, t.reader.Schemas.Find(schemas.Builder, name).Body(), ctx, nil)
		t.part(p)
	}
}

// blank is a scope in which no variable has a value: for sources that other
// targets build.
func (t *target) blank() *hcl.EvalContext {
	vars, locals := map[string]cty.Value{}, map[string]cty.Value{}
	for name, d := range t.module.Variables {
		vars[name] = cty.UnknownVal(d.Type)
	}
	for name := range t.module.Locals {
		locals[name] = cty.DynamicVal
	}
	ctx := t.scope.Context.NewChild()
	ctx.Variables = map[string]cty.Value{"var": cty.ObjectVal(vars), "local": cty.ObjectVal(locals)}
	return ctx
}

// datas checks the data sources.
func (t *target) datas() {
	for _, data := range module.Sorted(t.module.Datas) {
		name := data.Block.Labels[0]
		p := &parts.Part{
			Kind: schemas.DataSource, Name: name, What: "the data source " + data.Name, File: data.File,
			At: data.Block.TypeRange, Body: data.Block.Body, Own: true,
		}
		t.bodies.Evaluate(p, t.reader.Schemas.Find(schemas.DataSource, name).Body(), t.scope.Context, nil)
		t.part(p)
	}
}

// part keeps a part and applies the rules about one part.
func (t *target) part(p *parts.Part) {
	t.parts = append(t.parts, p)
	required(t.found, p)
	t.paths.part(p)
	secrets{t.found}.attributes(p.File, p.Body)
}

// builds checks the build blocks and says which sources nobody builds.
func (t *target) builds() {
	built, certain := map[string]bool{}, len(t.module.Builds) > 0
	for _, build := range t.module.Builds {
		certain = t.build(build, built) && certain
	}
	if len(t.module.Builds) == 0 {
		t.found.Refuse(t.module.Files[0], finding.RuleBlock, hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}},
			"no template has a build block",
			"add build { sources = [...] }")
	}
	for _, source := range module.Sorted(t.module.Sources) {
		if certain && !built[source.Name] {
			t.found.Warn(source.File, finding.RuleUnused, source.Block.TypeRange,
				fmt.Sprintf("no build uses the source %s", source.Name),
				"add it to the sources of a build, or remove it")
		}
	}
}

// build checks one build block; false when its sources are not known.
func (t *target) build(at module.Placed, built map[string]bool) bool {
	p := &parts.Part{What: "the build", File: at.File, At: at.Block.TypeRange, Attrs: map[string]parts.Setting{}}
	for _, attr := range hclfile.SortedAttributes(at.Block.Body) {
		of, ok := buildSettings[attr.Name]
		if !ok {
			t.found.Refuse(at.File, finding.RuleAttribute, attr.NameRange,
				fmt.Sprintf("a build has no setting %q%s", attr.Name,
					finding.Near(attr.Name, []string{"name", "description", "sources"})), "")
			continue
		}
		p.Attrs[attr.Name] = t.bodies.Setting(p, attr, t.scope.Context, of)
	}
	certain, count := true, 0
	if sources, ok := p.Attrs["sources"]; ok {
		names := eval.StringsOf(sources.Value)
		certain = sources.Value.IsWhollyKnown()
		if !certain && t.untrusted {
			t.found.Refuse(at.File, finding.RulePolicyPart, sources.Attr.SrcRange,
				"the sources of the build cannot be told before they are evaluated", "write them out")
		}
		for _, name := range names {
			count++
			t.built(at.File, sources.Attr.Expr.Range(), name, built)
		}
	}
	for _, b := range t.scope.Blocks(at.File, at.Block.Body, t.scope.Context) {
		t.inBuild(at.File, b, built)
		if b.Type == "source" {
			count++
		}
	}
	t.uses += count
	if count == 0 && certain {
		t.found.Refuse(at.File, finding.RuleSource, at.Block.TypeRange, "the build names no source",
			`write sources = ["source.TYPE.NAME"]`)
	}
	return certain && count > 0
}

// built notes a source that a build names.
func (t *target) built(file *hclfile.File, at hcl.Range, ref string, built map[string]bool) {
	name := strings.TrimPrefix(ref, "source.")
	if ref == "" {
		return // not known
	}
	if _, ok := t.module.Sources[name]; !ok {
		if t.found.Full() {
			return
		}
		var all []string
		for _, source := range module.Sorted(t.module.Sources) {
			all = append(all, "source."+source.Name)
		}
		t.found.Refuse(file, finding.RuleSource, at,
			fmt.Sprintf("there is no source %q%s", ref, finding.Near("source."+name, all)),
			fmt.Sprintf("declare it: source %q %q { ... }", "TYPE", "NAME"))
		return
	}
	built[name] = true
}

// inBuild checks one block of a build.
func (t *target) inBuild(file *hclfile.File, b eval.Block, built map[string]bool) {
	labels, ok := buildBlocks[b.Type]
	switch {
	case !ok:
		t.found.Refuse(file, finding.RuleBlock, b.At,
			fmt.Sprintf("a build has no block %q%s", b.Type, finding.Near(b.Type, slices.Sorted(maps.Keys(buildBlocks)))), "")
	case len(b.Labels) != labels:
		t.found.Refuse(file, finding.RuleBlock, b.At,
			fmt.Sprintf("the block %s has %d labels, not %d", b.Type, labels, len(b.Labels)),
			fmt.Sprintf("write %s %q { ... }", b.Type, "TYPE"))
	case b.Type == "source":
		t.built(file, b.At, b.Labels[0], built)
		t.sourceInBuild(file, b)
	case b.Type == "provisioner", b.Type == "error-cleanup-provisioner":
		t.step(schemas.Provisioner, file, b, provisionerSettings)
	case b.Type == "post-processor":
		t.step(schemas.PostProcessor, file, b, postProcessorSettings)
	case b.Type == "post-processors":
		for _, inner := range t.scope.Blocks(file, b.Body, b.Context) {
			if inner.Type != "post-processor" || len(inner.Labels) != 1 {
				t.found.Refuse(file, finding.RuleBlock, inner.At, fmt.Sprintf("post-processors hold no block %q", inner.Type),
					`write post-processor "TYPE" { ... }`)
				continue
			}
			t.step(schemas.PostProcessor, file, inner, postProcessorSettings)
		}
	}
}

// sourceInBuild checks settings that a build adds to a source.
func (t *target) sourceInBuild(file *hclfile.File, b eval.Block) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(b.Labels[0], "source."), ".")
	p := &parts.Part{
		Kind: schemas.Builder, Name: kind, What: "the source in the build", File: file, At: b.At, Body: b.Body, Own: true,
	}
	t.bodies.Evaluate(p, t.reader.Schemas.Find(schemas.Builder, kind).Body(), b.Context,
		map[string]cty.Type{"name": cty.String})
	t.paths.part(p)
	t.parts = append(t.parts, p) // what it adds is held to the policy as the source is
}

// step checks a provisioner or post-processor.
func (t *target) step(kind schemas.Kind, file *hclfile.File, b eval.Block, own map[string]cty.Type) {
	name := b.Labels[0]
	if name == "" { // a label that is not known
		t.parts = append(t.parts, &parts.Part{Kind: kind, What: fmt.Sprintf("the name of a %s", kind), File: file, At: b.At})
		return
	}
	schema := t.reader.Provided(t.module, kind, name, file, b.At)
	p := &parts.Part{
		Kind: kind, Name: name, What: fmt.Sprintf("the %s %s", kind, name), File: file, At: b.At, Body: b.Body, Own: b.Real,
	}
	t.bodies.Evaluate(p, schema.Body(), b.Context, own)
	t.limited(p)
	t.part(p)
}

// limited warns of only and except that name no source of any template: such
// a step never, or always, runs.
func (t *target) limited(p *parts.Part) {
	for _, name := range []string{"only", "except"} {
		setting, ok := p.Attrs[name]
		if !ok {
			continue
		}
		for _, ref := range eval.StringsOf(setting.Value) {
			if ref != "" && !t.anySource(ref) {
				t.found.Warn(p.File, finding.RuleSource, setting.Attr.Expr.Range(),
					fmt.Sprintf("%s of %s names %q, which is no source of any template", name, p.What,
						ref), "write TYPE.NAME, without source.")
			}
		}
	}
}

// anySource says whether any template of the tree declares a source; a build's
// name may stand before it.
func (t *target) anySource(ref string) bool {
	for _, file := range t.reader.Files {
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
