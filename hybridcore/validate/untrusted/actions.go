// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
)

// texts refuses actions in the settings of a part, at any depth of a value.
func (t *Target) texts(part *parts.Part) {
	for _, name := range slices.Sorted(maps.Keys(part.Attrs)) {
		set := part.Attrs[name]
		bad, all := "", true
		_ = cty.Walk(set.Value, func(_ cty.Path, value cty.Value) (bool, error) { // the callback gives no error
			all = all && value.IsKnown()
			if text := eval.StringOf(value); bad == "" && acts(text) {
				bad = text
			}
			for _, key := range keysOf(value) {
				if bad == "" && acts(key) {
					bad = key
				}
			}
			return true, nil
		})
		if bad == "" && !all && !ofAnotherTarget(part) {
			bad = t.actsLater(set.Attr.Expr)
		}
		if bad != "" {
			t.Found.Refuse(part.File, finding.RulePolicyCall, set.Attr.SrcRange,
				fmt.Sprintf("%s of %s has, or may get, an action that is rendered when Packer only validates: %.60q",
					name, part.What, bad),
				"allowed are {{ .Name }} of the plugin, {{ build `Name` }}, timestamp, isotime and uuid, written out")
		}
	}
}

// actsLater looks at what a value that is not known here is made of; not when
// the target was refused as too expensive.
func (t *Target) actsLater(expr hclsyntax.Expression) string {
	if t.Scope.Exhausted() {
		return ""
	}
	p := piecesOf(t, expr, func(p *pieces) { p.expression(expr) })
	switch {
	case p.bad != "":
		return p.bad
	case p.decodes, p.cuts, p.ends && (p.begins || p.writes), p.frees && p.brace:
		return "{"
	}
	return ""
}
