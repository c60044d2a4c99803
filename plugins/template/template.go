// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:39:53Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Package template reads a staged template and evaluates it with the rules of
// Packer's HCL (1.15): variables, locals, data sources, dynamic blocks, builds.
// What it cannot evaluate it says, and guesses nothing.
package template

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Options are what Packer is told besides the template.
type Options struct {
	Dir      string   // the stage, absolute: Packer's working directory and template folder
	VarFiles []string // as with -var-file, absolute
	Env      []string // PKR_VAR_NAME=VALUE; other entries are ignored
	Version  string   // of Packer
	Parsed   *Parsed  // shared by the templates of one job; may be nil
}

// Parsed remembers parsed templates by name and content: the stages of a
// platform hold the same ones.
type Parsed struct {
	mu    sync.Mutex
	files map[string]*hcl.File
}

// file finds a file, or parses it and keeps it when it is right.
func (p *Parsed) file(name string, content []byte, parse func() (*hcl.File, hcl.Diagnostics)) (*hcl.File,
	hcl.Diagnostics,
) {
	if p == nil {
		return parse()
	}
	key := name + "\x00" + string(content)
	p.mu.Lock()
	file, ok := p.files[key]
	p.mu.Unlock()
	if ok {
		return file, nil
	}
	file, diags := parse()
	if len(diags) == 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.files == nil {
			p.files = map[string]*hcl.File{}
		}
		p.files[key] = file
	}
	return file, diags
}

// Template is one loaded template.
type Template struct {
	Plugins map[string]Plugin // by accessor
	Datas   map[string]*Data  // by TYPE.NAME
	Builds  []*Build

	opts      Options
	files     map[string]*hcl.File
	variables map[string]*variable
	locals    map[string]*local
	sources   map[string]*hcl.Block // by TYPE.NAME
	functions map[string]function.Function

	mu        sync.Mutex // guards undecided: steps are decoded at the same time
	undecided map[string]bool
}

// Plugin is a plugin that the template requires.
type Plugin struct {
	Source     string // e.g. github.com/hashicorp/vsphere
	Constraint string
	Range      hcl.Range
}

// schemas are the bodies that Packer itself reads, by the block around.
var schemas = map[string]*hcl.BodySchema{
	"": {Blocks: []hcl.BlockHeaderSchema{
		{Type: "packer"},
		{Type: "source", LabelNames: []string{"type", "name"}},
		{Type: "variables"},
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "locals"},
		{Type: "local", LabelNames: []string{"name"}},
		{Type: "data", LabelNames: []string{"type", "name"}},
		{Type: "build"},
		{Type: "hcp_packer_registry"},
		{Type: "communicator", LabelNames: []string{"type", "name"}},
	}},
	"packer": {
		Attributes: []hcl.AttributeSchema{{Name: "required_version"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "required_plugins"}},
	},
	"variable": {
		Attributes: []hcl.AttributeSchema{{Name: "description"}, {Name: "default"}, {Name: "type"}, {Name: "sensitive"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}},
	},
	"validation": {Attributes: []hcl.AttributeSchema{
		{Name: "condition", Required: true},
		{Name: "error_message", Required: true},
	}},
	"local": {Attributes: []hcl.AttributeSchema{{Name: "expression"}, {Name: "sensitive"}}},
	"build": {Blocks: []hcl.BlockHeaderSchema{
		{Type: "source", LabelNames: []string{"reference"}},
		{Type: "provisioner", LabelNames: []string{"type"}},
		{Type: "error-cleanup-provisioner", LabelNames: []string{"type"}},
		{Type: "post-processor", LabelNames: []string{"type"}},
		{Type: "post-processors"},
		{Type: "hcp_packer_registry"},
	}},
	"post-processors": {Blocks: []hcl.BlockHeaderSchema{{Type: "post-processor", LabelNames: []string{"type"}}}},
}

// Load reads and declares; nothing but defaults of variables is evaluated. With
// errors, Packer would stop here too.
func Load(opts Options) (*Template, hcl.Diagnostics) {
	t := &Template{
		Plugins: map[string]Plugin{}, Datas: map[string]*Data{}, opts: opts, files: map[string]*hcl.File{},
		variables: map[string]*variable{}, locals: map[string]*local{}, sources: map[string]*hcl.Block{},
		undecided: map[string]bool{},
	}
	t.functions = t.newFunctions()
	parser := hclparse.NewParser()
	diags := t.parse(parser, ".pkr.hcl", ".pkr.json")
	if diags.HasErrors() {
		return t, diags
	}
	if len(t.files) == 0 {
		return t, diags.Append(problem(nil, "Could not find any config file", "A template is named *.pkr.hcl or *.pkr.json."))
	}
	if diags = append(diags, t.coreVersion()...); diags.HasErrors() {
		return t, diags
	}
	for _, name := range t.names() {
		diags = append(diags, t.declare(t.files[name])...)
	}
	files, more := t.variableFiles(parser)
	diags = append(diags, more...)
	return t, append(diags, t.assign(files)...)
}

// names lists the files in the order in which Packer reads them.
func (t *Template) names() []string {
	var plain, json []string
	for name := range t.files {
		if strings.HasSuffix(name, ".json") {
			json = append(json, name)
		} else {
			plain = append(plain, name)
		}
	}
	slices.Sort(plain)
	slices.Sort(json)
	return append(plain, json...)
}

func (t *Template) parse(parser *hclparse.Parser, hclExt, jsonExt string) hcl.Diagnostics {
	entries, err := os.ReadDir(t.opts.Dir)
	if err != nil {
		return hcl.Diagnostics{problem(nil, "Could not read the stage", err.Error())}
	}
	var diags hcl.Diagnostics
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
			continue
		}
		if !strings.HasSuffix(name, hclExt) && !strings.HasSuffix(name, jsonExt) {
			continue
		}
		file, more := t.parseFile(parser, filepath.Join(t.opts.Dir, name), name)
		diags = append(diags, more...)
		if file != nil {
			t.files[name] = file
		}
	}
	return diags
}

// parseFile parses a file under the name that places in it get.
func (t *Template) parseFile(parser *hclparse.Parser, path, name string) (*hcl.File, hcl.Diagnostics) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, hcl.Diagnostics{problem(nil, "Failed to read file", fmt.Sprintf("The file %s could not be read.", name))}
	}
	if strings.HasSuffix(name, ".json") {
		return parser.ParseJSON(content, name)
	}
	return t.opts.Parsed.file(name, content, func() (*hcl.File, hcl.Diagnostics) { return parser.ParseHCL(content, name) })
}

// declare files what one file declares.
func (t *Template) declare(file *hcl.File) hcl.Diagnostics {
	content, diags := file.Body.Content(schemas[""])
	for _, block := range content.Blocks {
		switch block.Type {
		case "packer":
			diags = append(diags, t.requirements(block)...)
		case "variable":
			diags = append(diags, t.variable(block)...)
		case "variables":
			attrs, more := block.Body.JustAttributes()
			diags = append(diags, more...)
			for _, attr := range inOrder(attrs) {
				diags = append(diags, t.plainVariable(attr)...)
			}
		case "data":
			diags = append(diags, t.data(block)...)
		case "locals":
			attrs, more := block.Body.JustAttributes()
			diags = append(diags, more...)
			for _, attr := range inOrder(attrs) {
				diags = append(diags, t.local(attr.Name, attr.Expr, attr.NameRange)...)
			}
		case "local":
			diags = append(diags, t.localBlock(block)...)
		case "hcp_packer_registry":
			t.doubt("a block hcp_packer_registry, which Packer checks with HCP")
		}
	}
	return diags
}

// doubt notes what could not be evaluated.
func (t *Template) doubt(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undecided[what] = true
}

// Undecided lists what could not be evaluated as Packer does it: no verdict can
// be given then.
func (t *Template) Undecided() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return sorted(t.undecided)
}

// scope is what expressions see.
func (t *Template) scope(extra map[string]cty.Value) *hcl.EvalContext {
	vars, locals := map[string]cty.Value{}, map[string]cty.Value{}
	for name, v := range t.variables {
		vars[name] = v.value()
	}
	for name, l := range t.locals {
		if l.done && l.value != cty.NilVal {
			locals[name] = l.value
		}
	}
	text := cty.UnknownVal(cty.String)
	ctx := &hcl.EvalContext{Functions: t.functions, Variables: map[string]cty.Value{
		"var": cty.ObjectVal(vars), "local": cty.ObjectVal(locals), "data": t.dataValues(),
		"source": cty.ObjectVal(map[string]cty.Value{"type": text, "name": text}),
		"build":  cty.UnknownVal(cty.EmptyObject),
		"path":   cty.ObjectVal(map[string]cty.Value{"cwd": cty.StringVal(t.opts.Dir), "root": cty.StringVal(".")}),
		"packer": cty.ObjectVal(map[string]cty.Value{
			"version": cty.StringVal(t.opts.Version), "iterationID": text,
			"versionFingerprint": text,
		}),
	}}
	maps.Copy(ctx.Variables, extra)
	return ctx
}

func problem(at *hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: at}
}

// inOrder sorts attributes as they stand in their file.
func inOrder(attrs hcl.Attributes) []*hcl.Attribute {
	all := make([]*hcl.Attribute, 0, len(attrs))
	for _, attr := range attrs {
		all = append(all, attr)
	}
	slices.SortFunc(all, func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	return all
}
