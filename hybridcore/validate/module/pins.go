// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-versions-are-pinned
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package module

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// constraint is one term of a version constraint; see go-version.
var constraint = regexp.MustCompile(`^(=|!=|>|<|>=|<=|~>)?\s*v?[0-9]+(\.[0-9]+)*(-[0-9A-Za-z.-]+)?$`)

// packerBlock reads a packer block.
func (r *Reader) packerBlock(m *Module, at Placed) {
	for _, attr := range hclfile.SortedAttributes(at.Block.Body) {
		if attr.Name != "required_version" {
			r.Found.Refuse(at.File, finding.RuleAttribute, attr.NameRange,
				fmt.Sprintf("the block packer has no setting %q%s", attr.Name,
					finding.Near(attr.Name, []string{"required_version", "required_plugins"})), "")
			continue
		}
		literal, problems := at.File.Literal(attr)
		if len(problems) > 0 {
			r.Found.Take(problems)
			continue
		}
		if literal.Value.IsNull() || literal.Value.Type() != cty.String {
			r.Found.Refuse(at.File, finding.RuleType, attr.Expr.Range(), "required_version must be a string",
				`write required_version = ">= 1.10.0"`)
			continue
		}
		r.version(at.File, attr.Expr.Range(), "Packer", literal.Value.AsString())
		m.versions = append(m.versions, literal.Value.AsString())
	}
	for _, block := range at.Block.Body.Blocks {
		if block.Type != "required_plugins" {
			r.Found.Refuse(at.File, finding.RuleBlock, block.TypeRange,
				fmt.Sprintf("the block packer has no block %q%s", block.Type,
					finding.Near(block.Type, []string{"required_plugins"})), "")
			continue
		}
		for _, attr := range hclfile.SortedAttributes(block.Body) {
			r.plugin(m, at.File, attr.Name, attr.NameRange)
			literal, problems := at.File.Literal(attr)
			if len(problems) > 0 {
				r.Found.Take(problems)
				continue
			}
			r.pluginEntry(m, at.File, literal)
		}
	}
}

// plugin registers the name first, so that a broken entry is reported once.
func (r *Reader) plugin(m *Module, file *hclfile.File, name string, at hcl.Range) {
	if first, ok := m.Plugins[name]; ok && first.File != file {
		return // several files may require one plugin; Packer joins the constraints
	}
	m.Plugins[name] = Plugin{File: file, At: at}
}

func (r *Reader) pluginEntry(m *Module, file *hclfile.File, entry hclfile.Literal) {
	text := map[string]string{}
	if entry.Value.Type().IsObjectType() && !entry.Value.IsNull() {
		for name, value := range entry.Value.AsValueMap() {
			switch {
			case name != "source" && name != "version":
				r.Found.Refuse(file, finding.RuleAttribute, entry.Range,
					fmt.Sprintf("a required plugin has no setting %q%s", name, finding.Near(name, []string{"source", "version"})), "")
			case value.IsNull() || value.Type() != cty.String:
				r.Found.Refuse(file, finding.RuleType, entry.Range, name+" must be a string", "")
			default:
				text[name] = value.AsString()
			}
		}
	}
	switch {
	case strings.Count(text["source"], "/") != 2:
		r.Found.Refuse(file, finding.RulePin, entry.Range, fmt.Sprintf("the plugin %q needs a source", entry.Name),
			`write source = "github.com/hashicorp/vsphere"`)
	case text["version"] == "":
		r.Found.Refuse(file, finding.RulePin, entry.Range, fmt.Sprintf("the plugin %q needs a version", entry.Name),
			`write version = ">= 1.4.0"; sources/sources.lock.hcl pins the exact one`)
	default:
		r.version(file, entry.Range, "the plugin "+entry.Name, text["version"])
	}
	p := m.Plugins[entry.Name]
	p.Source = text["source"]
	m.Plugins[entry.Name] = p
}

// version refuses a constraint that Packer cannot read, and one that lets any
// older version in.
func (r *Reader) version(file *hclfile.File, at hcl.Range, of, text string) {
	bounded := false
	for term := range strings.SplitSeq(text, ",") {
		term = strings.TrimSpace(term)
		if !constraint.MatchString(term) {
			r.Found.Refuse(file, finding.RulePin, at, fmt.Sprintf("%q is no version constraint", text),
				`write for example ">= 1.4.0, < 2.0.0"`)
			return
		}
		bounded = bounded || !strings.HasPrefix(term, "<") && !strings.HasPrefix(term, "!=") &&
			strings.Trim(term, "<>=~! v0.") != ""
	}
	if !bounded {
		r.Found.Refuse(file, finding.RulePin, at, fmt.Sprintf("%q lets every old version of %s in", text, of),
			"name the oldest version that the templates work with: >= 1.4.0")
	}
}

// pins finds what a module requires too little of: a version of Packer, and the
// plugins of its components.
func (r *Reader) pins(m *Module) {
	if len(m.versions) == 0 {
		r.Found.Refuse(m.Files[0], finding.RulePin, hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}},
			"no template says which version of Packer it needs", `add packer { required_version = ">= 1.10.0" }`)
	}
	for _, source := range Sorted(m.Sources) {
		r.Provided(m, schemas.Builder, source.Block.Labels[0], source.File, source.Block.LabelRanges[0])
	}
	for _, data := range Sorted(m.Datas) {
		r.Provided(m, schemas.DataSource, data.Block.Labels[0], data.File, data.Block.LabelRanges[0])
	}
}

// Provided checks that a component exists and that its plugin is required. It
// returns the schema when it is known.
func (r *Reader) Provided(m *Module, kind schemas.Kind, name string, file *hclfile.File, at hcl.Range) *schemas.Schema {
	accessor, required := m.PluginOf(name)
	schema := r.Schemas.Find(kind, name)
	switch {
	case schema != nil && schema.Plugin == "packer":
		return schema
	case schema != nil && !required:
		r.Found.Refuse(file, finding.RulePin, at, fmt.Sprintf("no required_plugins entry provides the %s %q", kind, name),
			fmt.Sprintf("add %s = { source = %q, version = %q } to packer { required_plugins {} }", last(schema.Plugin),
				schema.Plugin, ">= "+schema.Version))
		return schema
	case schema != nil:
		return schema
	case required && !r.Schemas.Complete(m.Plugins[accessor].Source):
		return nil // a plugin of somebody else: nothing is known of it
	}
	r.Found.Refuse(file, finding.RuleComponent, at,
		fmt.Sprintf("nothing provides the %s %q%s", kind, name,
			finding.Near(name, r.Schemas.Components(kind))), "correct the name, or add its plugin to required_plugins")
	return nil
}

func last(address string) string { return address[strings.LastIndex(address, "/")+1:] }
