// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-builds-and-sources
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// validations evaluates the conditions of variables whose values are known.
func (t *target) validations() {
	for _, at := range t.module.Validations {
		if _, ok := t.module.Variables[at.Name]; !ok {
			continue
		}
		for _, block := range at.Block.Body.Blocks {
			if block.Type == "validation" {
				t.validation(at, block)
			}
		}
	}
}

func (t *target) validation(at module.Placed, block *hclsyntax.Block) {
	condition, ok := block.Body.Attributes["condition"]
	if !ok {
		t.found.Refuse(at.File, finding.RuleRequired, block.TypeRange, "a validation needs a condition",
			`write condition = length(var.NAME) > 0`)
		return
	}
	value, ok := t.scope.Value(at.File, condition.Expr, t.scope.Context)
	if !ok || !value.IsKnown() || value.IsNull() {
		return
	}
	if value.Type() != cty.Bool {
		t.found.Refuse(at.File, finding.RuleType, condition.Expr.Range(), "a condition must be true or false", "")
		return
	}
	if value.True() {
		return
	}
	why := ""
	if attr, ok := block.Body.Attributes["error_message"]; ok {
		if text, ok := t.scope.Value(at.File, attr.Expr, t.scope.Context); ok && eval.StringOf(text) != "" {
			why = ": " + strings.TrimSuffix(eval.StringOf(text), ".")
		}
	}
	f := hybridcore.Finding{
		Kind: hybridcore.KindVariable, Rule: finding.RuleValidation, Subject: at.Name, Severity: hybridcore.Error,
		Blocking: true,
		Message:  hclfile.Printable(fmt.Sprintf("the value of %s is refused%s", at.Name, why)),
		Hint:     fmt.Sprintf("the condition stands at %s:%d", at.File.Path, block.TypeRange.Start.Line), File: at.File.Path,
		Line: at.Block.TypeRange.Start.Line,
	}
	if layer := t.scope.Variables.Winner(at.Name); layer.File != "" {
		f.File, f.Line = layer.File, layer.Line
	}
	t.found.Add(f)
}
