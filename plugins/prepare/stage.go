// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:46:05Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package prepare

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/plugins/component"
	"github.com/packer-hybrid/packer-hybrid/plugins/template"
)

// checking is one stage while it is checked.
type checking struct {
	*session
	stage    Stage
	template *template.Template
	plugins  map[string]installed // by accessor
	digest   string               // of the staged files, made when first needed
	digested sync.Once

	mu      sync.Mutex // guards verdict
	verdict Verdict
}

// installed is a plugin of the stage and what it says about itself.
type installed struct {
	binary Binary
	says   component.Description
}

func (c *session) stage(ctx context.Context, stage Stage) (verdict Verdict) {
	h := &checking{session: c, stage: stage, plugins: map[string]installed{}, verdict: Verdict{Name: stage.Name}}
	defer func() {
		if r := recover(); r != nil { // a value that HCL's own code does not expect
			h.verdict.Undecided = append(h.verdict.Undecided,
				fmt.Sprintf("a template on which the evaluation stopped: %.200v", r))
		}
		verdict = h.verdict
	}()
	h.check(ctx)
	h.verdict.Undecided = append(h.verdict.Undecided, h.template.Undecided()...)
	if ctx.Err() != nil {
		h.unsure(context.Cause(ctx).Error())
	}
	slices.SortStableFunc(h.verdict.Findings, func(a, b Finding) int {
		if by := strings.Compare(a.File, b.File); by != 0 {
			return by
		}
		return a.Line - b.Line
	})
	return h.verdict
}

// check goes as far as Packer would: each part ends the stage when it found an
// error.
func (h *checking) check(ctx context.Context) {
	t, diags := template.Load(template.Options{
		Dir: h.stage.Dir, VarFiles: h.stage.VarFiles, Env: h.stage.Env,
		Version: h.job.Packer.Version, Parsed: &h.parsed,
	})
	h.template = t
	if h.report(diags) || h.find(ctx) {
		return
	}
	if h.report(t.Initialize(func(d *template.Data, scope *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
		return h.data(ctx, d, scope)
	})) {
		return
	}
	if h.report(t.Resolve()) {
		return
	}
	if len(t.Builds) == 0 {
		h.finding(Finding{
			Message: "Missing build block",
			Detail:  "A build block with one or more sources is required for executing a build.",
		})
	}
	h.only()
	if h.unknown() {
		return
	}
	for _, build := range t.Builds {
		for _, source := range build.Sources {
			h.source(ctx, build, source)
		}
	}
}

// only leaves out what is not built: sources for other systems, and builds
// that have none left.
func (h *checking) only() {
	if h.stage.Source == "" {
		return
	}
	for _, build := range h.template.Builds {
		build.Sources = slices.DeleteFunc(build.Sources,
			func(s *template.Source) bool { return s.String() != h.stage.Source })
	}
	h.template.Builds = slices.DeleteFunc(h.template.Builds, func(b *template.Build) bool { return len(b.Sources) == 0 })
}

// find finds the plugins that the template requires; true when one is missing.
func (h *checking) find(ctx context.Context) bool {
	missing := h.discover(ctx)
	for accessor, required := range h.template.Plugins {
		i := slices.IndexFunc(h.stage.Plugins, func(b Binary) bool { return b.Address == required.Source })
		if i < 0 {
			h.report(hcl.Diagnostics{problem(required.Range, "Missing plugins",
				"The plugin "+required.Source+" "+required.Constraint+" is required, but not installed.")})
			missing = true
			continue
		}
		d, err := h.describe(ctx, h.stage.Plugins[i])
		if err != nil {
			h.report(hcl.Diagnostics{problem(required.Range, "Error discovering plugin "+required.Source, err.Error())})
			missing = true
			continue
		}
		h.plugins[accessor] = installed{h.stage.Plugins[i], d}
	}
	return missing
}

// discover takes plugins that are there although the template does not require
// them, by their own names, as Packer does.
func (h *checking) discover(ctx context.Context) (failed bool) {
	for _, plugin := range h.stage.Plugins {
		accessor := plugin.Address[strings.LastIndexByte(plugin.Address, '/')+1:]
		if _, ok := h.template.Plugins[accessor]; ok {
			continue
		}
		d, err := h.describe(ctx, plugin)
		if err != nil {
			h.finding(Finding{Message: "Failed to discover installed plugins", Detail: err.Error()})
			failed = true
			continue
		}
		h.plugins[accessor] = installed{plugin, d}
	}
	return failed
}

// program finds the component that a template names: Packer's own come first.
func (h *checking) program(kind component.Kind, name string) (component.Program, bool) {
	if p, ok := component.BuiltIn(h.job.Packer.Path, h.job.Packer.Path, kind, name); ok {
		return p, true
	}
	for accessor, plugin := range h.plugins {
		if p, ok := plugin.says.Program(plugin.binary.Path, plugin.binary.SHA256, kind, accessor, name); ok {
			return p, true
		}
	}
	return component.Program{}, false
}

// unknown refuses components that nobody provides.
func (h *checking) unknown() bool {
	var diags hcl.Diagnostics
	check := func(kind component.Kind, name string, at hcl.Range) {
		if _, ok := h.program(kind, name); ok {
			return
		}
		if slices.Contains(component.BuiltInNames(kind), name) {
			h.unsure(fmt.Sprintf("the %s %s, which is part of Packer, and no Packer was found", kind, name))
			return
		}
		diags = append(diags, problem(at, fmt.Sprintf("Unknown %s type %q", kind, name),
			"No plugin that the template requires provides it."))
	}
	for _, build := range h.template.Builds {
		for _, source := range build.Sources {
			check(component.Builder, source.Type, source.Range)
		}
		for _, step := range build.Provisioners {
			check(component.Provisioner, step.Type, step.Range)
		}
		for _, step := range build.PostProcessors {
			check(component.PostProcessor, step.Type, step.Range)
		}
		if build.Cleanup != nil {
			check(component.Provisioner, build.Cleanup.Type, build.Cleanup.Range)
		}
	}
	return h.report(diags) || len(h.verdict.Undecided) > 0
}

// source judges one source with everything that the build does to it.
func (h *checking) source(ctx context.Context, build *template.Build, source *template.Source) {
	settings := h.settings(source)
	prepared, ok := h.ask(ctx, question{
		kind: component.Builder, name: source.Type, body: source.Body, at: source.Range, settings: settings,
		scope: h.template.SourceScope(source),
	})
	if !ok {
		return
	}
	scope := h.template.StepScope(build, source, prepared.Generated)
	steps := slices.Clone(build.Provisioners)
	if build.Cleanup != nil {
		steps = append(steps, build.Cleanup)
	}
	var all sync.WaitGroup
	each := func(kind component.Kind, steps []*template.Step, settings map[string]any) {
		for _, step := range steps {
			if step.Skips(source) {
				continue
			}
			all.Go(func() {
				h.ask(ctx, question{
					kind: kind, name: step.Type, body: step.Body, at: step.Range, settings: settings, override: step.Override(source),
					scope: scope,
				})
			})
		}
	}
	withSecrets := h.settings(source)
	withSecrets["packer_sensitive_variables"] = h.template.Sensitive()
	each(component.Provisioner, steps, withSecrets)
	each(component.PostProcessor, build.PostProcessors, settings)
	all.Wait()
}

// settings are what Packer tells every component.
func (h *checking) settings(source *template.Source) map[string]any {
	return map[string]any{
		"packer_build_name": source.Name, "packer_builder_type": source.Type, "packer_core_version": h.job.Packer.Version,
		"packer_debug": strconv.FormatBool(false), "packer_force": strconv.FormatBool(false), "packer_on_error": "",
	}
}

// data configures a data source without executing it: what it will answer has a
// type, and no value yet.
func (h *checking) data(ctx context.Context, d *template.Data, scope *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	program, ok := h.program(component.DataSource, d.Type)
	if !ok {
		return cty.NilVal, hcl.Diagnostics{problem(d.Block.LabelRanges[0], "Unknown data type "+d.Type,
			"No plugin that the template requires provides it.")}
	}
	h.slots <- struct{}{}
	defer func() { <-h.slots }()
	c, err := component.Start(ctx, component.DataSource, program, h.place())
	if err != nil {
		return cty.NilVal, hcl.Diagnostics{problem(d.Block.DefRange, "Failed to start a data source", err.Error())}
	}
	defer c.Close()
	spec, err := c.Spec()
	if err != nil {
		return cty.NilVal, hcl.Diagnostics{problem(d.Block.DefRange, "Failed to start a data source", err.Error())}
	}
	value, diags := hcldec.Decode(d.Block.Body, spec, scope)
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	if p := c.Prepare(nil, template.Known(value), nil); p.Refused != nil {
		return cty.NilVal, append(diags, problem(d.Block.DefRange, p.Refused.Error(), ""))
	}
	output, err := c.Output()
	if err != nil {
		return cty.NilVal, append(diags, problem(d.Block.DefRange, "Failed to ask a data source", err.Error()))
	}
	return cty.UnknownVal(hcldec.ImpliedType(output)), diags
}

func problem(at hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at}
}

// report keeps diagnostics; true when one is an error.
func (h *checking) report(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		f := Finding{Warning: d.Severity == hcl.DiagWarning, Message: d.Summary, Detail: d.Detail}
		at := d.Subject
		if at == nil {
			at = d.Context
		}
		if at != nil {
			f.File, f.Line, f.Column = at.Filename, at.Start.Line, at.Start.Column
		}
		h.finding(f)
	}
	return diags.HasErrors()
}

func (h *checking) finding(f Finding) {
	f.Message, f.Detail = shorten(f.Message), shorten(f.Detail)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.verdict.Findings) < maxFindings && !slices.Contains(h.verdict.Findings, f) {
		h.verdict.Findings = append(h.verdict.Findings, f)
	}
}

func (h *checking) unsure(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.verdict.Undecided, what) {
		h.verdict.Undecided = append(h.verdict.Undecided, shorten(what))
	}
}
