// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-versions-are-pinned
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// plugin is one entry of required_plugins.
type plugin struct {
	source string
	file   *hclfile.File
	at     hcl.Range
}

// constraint is one term of a version constraint; see go-version.
var constraint = regexp.MustCompile(`^(=|!=|>|<|>=|<=|~>)?\s*v?[0-9]+(\.[0-9]+)*(-[0-9A-Za-z.-]+)?$`)

// packerBlock reads a packer block.
func (c *checker) packerBlock(m *module, at placed) {
	for _, attr := range hclfile.SortedAttributes(at.block.Body) {
		if attr.Name != "required_version" {
			c.refuse(at.file, RuleAttribute, attr.NameRange,
				fmt.Sprintf("the block packer has no setting %q%s", attr.Name,
					near(attr.Name, []string{"required_version", "required_plugins"})), "")
			continue
		}
		literal, problems := at.file.Literal(attr)
		if len(problems) > 0 {
			c.take(problems)
			continue
		}
		if literal.Value.IsNull() || literal.Value.Type() != cty.String {
			c.refuse(at.file, RuleType, attr.Expr.Range(), "required_version must be a string",
				`write required_version = ">= 1.10.0"`)
			continue
		}
		c.version(at.file, attr.Expr.Range(), "Packer", literal.Value.AsString())
		m.versions = append(m.versions, literal.Value.AsString())
	}
	for _, block := range at.block.Body.Blocks {
		if block.Type != "required_plugins" {
			c.refuse(at.file, RuleBlock, block.TypeRange,
				fmt.Sprintf("the block packer has no block %q%s", block.Type, near(block.Type, []string{"required_plugins"})), "")
			continue
		}
		for _, attr := range hclfile.SortedAttributes(block.Body) {
			c.plugin(m, at.file, attr.Name, attr.NameRange)
			literal, problems := at.file.Literal(attr)
			if len(problems) > 0 {
				c.take(problems)
				continue
			}
			c.pluginEntry(m, at.file, literal)
		}
	}
}

// plugin registers the name first, so that a broken entry is reported once.
func (c *checker) plugin(m *module, file *hclfile.File, name string, at hcl.Range) {
	if first, ok := m.plugins[name]; ok && first.file != file {
		return // several files may require one plugin; Packer joins the constraints
	}
	m.plugins[name] = plugin{file: file, at: at}
}

func (c *checker) pluginEntry(m *module, file *hclfile.File, entry hclfile.Literal) {
	text := map[string]string{}
	if entry.Value.Type().IsObjectType() && !entry.Value.IsNull() {
		for name, value := range entry.Value.AsValueMap() {
			switch {
			case name != "source" && name != "version":
				c.refuse(file, RuleAttribute, entry.Range,
					fmt.Sprintf("a required plugin has no setting %q%s", name, near(name, []string{"source", "version"})), "")
			case value.IsNull() || value.Type() != cty.String:
				c.refuse(file, RuleType, entry.Range, name+" must be a string", "")
			default:
				text[name] = value.AsString()
			}
		}
	}
	switch {
	case strings.Count(text["source"], "/") != 2:
		c.refuse(file, RulePin, entry.Range, fmt.Sprintf("the plugin %q needs a source", entry.Name),
			`write source = "github.com/hashicorp/vsphere"`)
	case text["version"] == "":
		c.refuse(file, RulePin, entry.Range, fmt.Sprintf("the plugin %q needs a version", entry.Name),
			`write version = ">= 1.4.0"; sources/sources.lock.hcl pins the exact one`)
	default:
		c.version(file, entry.Range, "the plugin "+entry.Name, text["version"])
	}
	p := m.plugins[entry.Name]
	p.source = text["source"]
	m.plugins[entry.Name] = p
}

// version refuses a constraint that Packer cannot read, and one that lets any
// older version in.
func (c *checker) version(file *hclfile.File, at hcl.Range, of, text string) {
	bounded := false
	for term := range strings.SplitSeq(text, ",") {
		term = strings.TrimSpace(term)
		if !constraint.MatchString(term) {
			c.refuse(file, RulePin, at, fmt.Sprintf("%q is no version constraint", text),
				`write for example ">= 1.4.0, < 2.0.0"`)
			return
		}
		bounded = bounded || !strings.HasPrefix(term, "<") && !strings.HasPrefix(term, "!=") &&
			strings.Trim(term, "<>=~! v0.") != ""
	}
	if !bounded {
		c.refuse(file, RulePin, at, fmt.Sprintf("%q lets every old version of %s in", text, of),
			"name the oldest version that the templates work with: >= 1.4.0")
	}
}

// pins finds what a module requires too little of: a version of Packer, and the
// plugins of its components.
func (c *checker) pins(m *module) {
	if len(m.versions) == 0 {
		c.refuse(m.files[0], RulePin, hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}},
			"no template says which version of Packer it needs", `add packer { required_version = ">= 1.10.0" }`)
	}
	for _, source := range sortedPlaced(m.sources) {
		c.provided(m, Builder, source.block.Labels[0], source.file, source.block.LabelRanges[0])
	}
	for _, data := range sortedPlaced(m.datas) {
		c.provided(m, DataSource, data.block.Labels[0], data.file, data.block.LabelRanges[0])
	}
}

// provided checks that a component exists and that its plugin is required. It
// returns the schema when it is known.
func (c *checker) provided(m *module, kind Kind, name string, file *hclfile.File, at hcl.Range) *Schema {
	accessor, required := m.pluginOf(name)
	schema := c.schema(kind, name)
	switch {
	case schema != nil && schema.Plugin == "packer":
		return schema
	case schema != nil && !required:
		c.refuse(file, RulePin, at, fmt.Sprintf("no required_plugins entry provides the %s %q", kind, name),
			fmt.Sprintf("add %s = { source = %q, version = %q } to packer { required_plugins {} }", last(schema.Plugin),
				schema.Plugin, ">= "+schema.Version))
		return schema
	case schema != nil:
		return schema
	case required && !c.in.Schemas.complete(m.plugins[accessor].source):
		return nil // a plugin of somebody else: nothing is known of it
	}
	c.refuse(file, RuleComponent, at,
		fmt.Sprintf("nothing provides the %s %q%s", kind, name,
			near(name, c.in.Schemas.components(kind))), "correct the name, or add its plugin to required_plugins")
	return nil
}

// pluginOf finds the required plugin of a component: the one whose name it has
// or begins with, before a hyphen.
func (m *module) pluginOf(component string) (string, bool) {
	best, found := "", false
	for accessor := range m.plugins {
		if (component == accessor || strings.HasPrefix(component, accessor+"-")) && len(accessor) >= len(best) {
			best, found = accessor, true
		}
	}
	return best, found
}

// schema finds a schema once.
func (c *checker) schema(kind Kind, name string) *Schema {
	key := string(kind) + "." + name
	if s, ok := c.schemas[key]; ok {
		return s
	}
	s, ok := c.in.Schemas.find(kind, name)
	if !ok {
		s = nil
	}
	c.schemas[key] = s
	return s
}

func last(address string) string { return address[strings.LastIndex(address, "/")+1:] }

func sortedPlaced(all map[string]placed) []placed {
	var list []placed
	for _, p := range all {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b placed) int { return strings.Compare(a.name, b.name) })
	return list
}
