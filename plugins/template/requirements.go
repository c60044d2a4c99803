// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:39:53Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// coreVersion compares Packer's version with what the template asks for, before
// anything else is read.
func (t *Template) coreVersion() hcl.Diagnostics {
	running, err := version.NewVersion(t.opts.Version)
	if err != nil {
		return hcl.Diagnostics{problem(nil, "The version of Packer is not known", err.Error())}
	}
	var diags hcl.Diagnostics
	for _, name := range t.names() {
		content, _, more := t.files[name].Body.PartialContent(
			&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "packer"}}})
		diags = append(diags, more...)
		for _, block := range content.Blocks {
			inner, _ := block.Body.Content(schemas["packer"]) // told with the declarations
			attr, ok := inner.Attributes["required_version"]
			if !ok {
				continue
			}
			text, _ := attr.Expr.Value(nil)
			want, err := constraint(text)
			switch {
			case err != nil:
				diags = append(diags, problem(attr.Expr.Range().Ptr(), "Invalid version constraint", err.Error()))
			case !want.Check(running.Core()):
				diags = append(diags, problem(attr.Expr.Range().Ptr(), "Unsupported Packer Core version",
					fmt.Sprintf("This is Packer %s, which %s does not allow.", running, want)))
			}
		}
	}
	return diags
}

func constraint(value cty.Value) (version.Constraints, error) {
	if value.IsNull() || !value.IsKnown() || value.Type() != cty.String {
		return nil, fmt.Errorf("a version constraint is a text, for example \">= 1.2.0\"")
	}
	want, err := version.NewConstraint(value.AsString())
	if err != nil {
		return nil, fmt.Errorf("reading a version constraint: %w", err)
	}
	for _, c := range want {
		if c.Prerelease() {
			return nil, fmt.Errorf("no prerelease is allowed in %q", value.AsString())
		}
	}
	return want, nil
}

// requirements reads the plugins that a packer block requires.
func (t *Template) requirements(block *hcl.Block) hcl.Diagnostics {
	content, diags := block.Body.Content(schemas["packer"])
	for _, inner := range content.Blocks {
		attrs, more := inner.Body.JustAttributes()
		diags = append(diags, more...)
		for _, attr := range inOrder(attrs) {
			if first, ok := t.Plugins[attr.Name]; ok {
				diags = append(diags, problem(attr.Range.Ptr(), fmt.Sprintf("Duplicate required_plugin.%q block", attr.Name),
					"It is first at "+first.Range.String()+"."))
				continue
			}
			plugin, more := requirement(attr)
			diags = append(diags, more...)
			if !more.HasErrors() {
				t.Plugins[attr.Name] = plugin
			}
		}
	}
	return diags
}

func requirement(attr *hcl.Attribute) (Plugin, hcl.Diagnostics) {
	at := attr.Expr.Range()
	value, diags := attr.Expr.Value(nil)
	if diags.HasErrors() {
		return Plugin{}, diags
	}
	refuse := func(summary, detail string) (Plugin, hcl.Diagnostics) {
		return Plugin{}, append(diags, problem(&at, summary, detail))
	}
	if !value.Type().IsObjectType() || value.IsNull() {
		return refuse("Invalid plugin requirement",
			"It needs source and version: { source = \"github.com/hashicorp/NAME\", version = \">= 1.0.0\" }.")
	}
	fields := value.AsValueMap()
	for name := range fields {
		if name != "source" && name != "version" {
			return refuse("Invalid required_plugins object", fmt.Sprintf("It takes source and version only, not %q.", name))
		}
	}
	want, ok := fields["version"]
	if !ok {
		return refuse("No version constraint was set", "")
	}
	if _, err := constraint(want); err != nil {
		return refuse("Invalid version constraint", err.Error())
	}
	source, ok := fields["source"]
	if !ok || source.IsNull() || source.Type() != cty.String {
		return refuse("No source was set", "")
	}
	parts := strings.Split(source.AsString(), "/")
	if len(parts) < 2 || strings.Contains(source.AsString(), "//") ||
		strings.HasPrefix(parts[len(parts)-1], "packer-plugin-") {
		return refuse("Failed to parse source",
			fmt.Sprintf("%q is no address such as github.com/hashicorp/vsphere.", source.AsString()))
	}
	return Plugin{Source: source.AsString(), Constraint: want.AsString(), Range: at}, diags
}
