// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:21Z
// Spec: openspec/specs/templates/spec.md#requirement-required-plugins
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Plugin is one entry of a required_plugins block.
type Plugin struct {
	Name    string // as the template calls it
	Source  string // github.com/hashicorp/vsphere
	Version string // constraint, e.g. ">= 1.4.0"
	File    string
	Line    int
	// Installed is the address that is there, when it is another of Addresses.
	Installed string
}

// Addresses lists the sources that serve: the one that the template names,
// then others that the platform's plugin has had.
func (p Plugin) Addresses() []string {
	addresses := []string{p.Source}
	for _, platform := range hybridcore.Platforms() {
		if slices.Contains(platform.Plugins, p.Source) {
			addresses = append(addresses,
				slices.DeleteFunc(slices.Clone(platform.Plugins), func(a string) bool { return a == p.Source })...)
		}
	}
	return addresses
}

// template is one *.pkr.hcl file of the set.
type template struct {
	file         *hclfile.File
	declarations []hclfile.Declaration
	plugins      []Plugin
	sources      []string
	defined      []string // "TYPE.NAME" of the source blocks
	builds       []string // names of the build blocks; empty for one without
}

// readTemplate reads one template; nil when nothing of it can be used.
func readTemplate(sub fs.FS, name string) (*template, []hybridcore.Finding) {
	file, findings := readHCL(sub, name)
	if file == nil {
		return nil, findings
	}
	t := &template{file: file}
	t.declarations, findings = file.Declarations()
	for _, d := range t.declarations {
		if hclfile.SecretName(d.Name) && !d.Sensitive && d.Type == cty.String {
			findings = append(findings, hybridcore.Finding{
				Kind: hybridcore.KindSchema, Rule: "secret-not-marked", Subject: d.Name, File: d.File, Line: d.Line,
				Severity: hybridcore.Error, Blocking: true,
				Message: fmt.Sprintf("the variable %s holds a secret by its name, but is not declared sensitive", d.Name),
				Hint:    "add sensitive = true, so that it is never written or shown",
			})
		}
	}
	findings = append(findings, twice(t.declarations)...)
	for _, block := range file.Body.Blocks {
		switch block.Type {
		case "packer":
			findings = append(findings, t.packer(block)...)
		case "locals":
			findings = append(findings, t.locals(block)...)
		case "build":
			t.builds = append(t.builds, t.buildName(block))
		case "source":
			t.defined = append(t.defined, strings.Join(block.Labels, "."))
		}
	}
	return t, findings
}

// readHCL reads a file below templates/ so that its findings name it from the
// project root.
func readHCL(sub fs.FS, name string) (*hclfile.File, []hybridcore.Finding) {
	at := path.Join(Dir, name)
	src, err := hclfile.BytesFS(sub, name, hclfile.Template())
	if err == nil {
		var file *hclfile.File
		if file, err = hclfile.Parse(src, at, hclfile.Template()); err == nil {
			return file, nil
		}
	}
	findings := hclfile.Findings(at, err)
	for i := range findings {
		findings[i].File, findings[i].Subject = at, at
	}
	return nil, findings
}

func twice(declarations []hclfile.Declaration) []hybridcore.Finding {
	var findings []hybridcore.Finding
	first := map[string]hclfile.Declaration{}
	for _, d := range declarations {
		earlier, ok := first[d.Name]
		if !ok {
			first[d.Name] = d
			continue
		}
		findings = append(findings, hybridcore.Finding{
			Kind: hybridcore.KindSchema, Rule: "duplicate", Subject: d.Name, File: d.File, Line: d.Line,
			Severity: hybridcore.Error, Blocking: true,
			Message: fmt.Sprintf("the variable %s is declared twice, first at %s:%d", d.Name, earlier.File, earlier.Line),
			Hint:    "remove one of them",
		})
	}
	return findings
}

// packer reads required_version and required_plugins.
func (t *template) packer(block *hclsyntax.Block) []hybridcore.Finding {
	var findings []hybridcore.Finding
	if attr, ok := block.Body.Attributes["required_version"]; ok {
		literal, problems := t.file.Literal(attr)
		findings = append(findings, problems...)
		if len(problems) == 0 {
			if _, isText := stringOf(literal.Value); !isText {
				findings = append(findings,
					t.file.Finding(hybridcore.KindSchema, attr.SrcRange, "required_version must be a string",
						`write required_version = ">= 1.10.0"`))
			}
		}
	}
	for _, inner := range block.Body.Blocks {
		if inner.Type != "required_plugins" {
			continue
		}
		for _, attr := range hclfile.SortedAttributes(inner.Body) {
			findings = append(findings, t.plugin(attr)...)
		}
	}
	return findings
}

func (t *template) plugin(attr *hclsyntax.Attribute) []hybridcore.Finding {
	literal, findings := t.file.Literal(attr)
	if len(findings) > 0 {
		return findings
	}
	entry := map[string]string{}
	for _, key := range []string{"source", "version"} {
		if literal.Value.IsNull() || !literal.Value.Type().IsObjectType() || !literal.Value.Type().HasAttribute(key) {
			continue
		}
		entry[key], _ = stringOf(literal.Value.GetAttr(key))
	}
	if strings.Count(entry["source"], "/") != 2 || entry["version"] == "" {
		return []hybridcore.Finding{t.file.Finding(hybridcore.KindSchema, attr.SrcRange,
			fmt.Sprintf("the plugin %q needs a source and a version", attr.Name),
			`write { source = "github.com/hashicorp/vsphere", version = ">= 1.4.0" }`)}
	}
	t.plugins = append(t.plugins, Plugin{
		Name: attr.Name, Source: entry["source"], Version: entry["version"], File: t.file.Path, Line: literal.Line(),
	})
	return nil
}

// buildName is the name of a build block, or of what names it if that is no literal text.
func (t *template) buildName(block *hclsyntax.Block) string {
	attr, ok := block.Body.Attributes["name"]
	if !ok {
		return ""
	}
	if literal, findings := t.file.Literal(attr); len(findings) == 0 {
		text, _ := stringOf(literal.Value)
		return text
	}
	return attr.Name
}

// locals reads the list local.sources of a platform's template.
func (t *template) locals(block *hclsyntax.Block) []hybridcore.Finding {
	attr, ok := block.Body.Attributes["sources"]
	if !ok {
		return nil
	}
	literal, findings := t.file.Literal(attr)
	if len(findings) > 0 {
		return findings
	}
	value, _, err := hclfile.Convert(literal.Value, cty.List(cty.String))
	if err != nil || value.IsNull() {
		return []hybridcore.Finding{t.file.Finding(hybridcore.KindSchema, attr.SrcRange,
			"local.sources must be a list of strings", `write sources = ["source.vsphere-iso.linux"]`)}
	}
	for _, element := range value.Elements() {
		text, _ := stringOf(element)
		source, isSource := strings.CutPrefix(text, "source.")
		if !isSource || strings.Count(source, ".") != 1 {
			return []hybridcore.Finding{t.file.Finding(hybridcore.KindSchema, attr.SrcRange,
				fmt.Sprintf("%q names no source", text), "write source.TYPE.NAME")}
		}
		t.sources = append(t.sources, source)
	}
	return nil
}

// checkSources compares local.sources with the source blocks.
func (t *template) checkSources() []hybridcore.Finding {
	var findings []hybridcore.Finding
	add := func(message, hint string) {
		findings = append(findings, hybridcore.Finding{
			Kind: hybridcore.KindSchema, Rule: "unknown-source", Subject: t.file.Path, File: t.file.Path, Message: message,
			Hint: hint, Severity: hybridcore.Error, Blocking: true,
		})
	}
	if len(t.sources) == 0 {
		add("the template of a platform must say what it builds with",
			`add locals { sources = ["source.TYPE.NAME"] } with literal text`)
	}
	for _, source := range t.sources {
		if !slices.Contains(t.defined, source) {
			add(fmt.Sprintf("local.sources names %s, but there is no such source block%s", source,
				text.DidYouMean(source, t.defined)), "")
		}
	}
	return findings
}

// sourceFor picks the source of an image: the only one, or the one whose name
// is the operating system.
func (t *template) sourceFor(image hybridcore.Image) (string, error) {
	if len(t.sources) == 1 {
		return t.sources[0], nil
	}
	for _, source := range t.sources {
		if _, name, _ := strings.Cut(source, "."); name == image.OS {
			return source, nil
		}
	}
	return "", hybridcore.Usagef("%s: none of the sources %s is named %s, as the image %s needs", t.file.Path,
		strings.Join(t.sources, ", "), image.OS, image.Name)
}

// stringOf returns the text of a value that is a string.
func stringOf(value cty.Value) (string, bool) {
	if value.IsNull() || value.Type() != cty.String {
		return "", false
	}
	return value.AsString(), true
}
