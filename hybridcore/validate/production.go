// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-what-prepare-demands
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
)

// production refuses connections without TLS verification in an environment
// that is marked prod.
func (t *target) production() {
	if !t.of.Prod {
		return
	}
	for _, p := range t.parts {
		if !p.Own {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(p.Attrs)) {
			setting := p.Attrs[name]
			if value := setting.Value; !insecure(name) || !value.IsKnown() || value.IsNull() || value.Type() != cty.Bool ||
				value.False() {
				continue
			}
			t.insecure(p, name, setting)
		}
	}
}

// insecure says whether a setting of that name turns off the verification of a
// certificate.
func insecure(name string) bool {
	return strings.HasPrefix(name, "insecure_") || strings.HasSuffix(name, "_skip_tls_verify") ||
		strings.HasSuffix(name, "_insecure")
}

func (t *target) insecure(p *parts.Part, name string, setting parts.Setting) {
	message := fmt.Sprintf("%s of %s is true in the environment %s, which is marked prod", name, p.What, t.of.Env)
	hint := "give the platform a certificate that this machine trusts"
	if ref, ok := module.Plain(setting.Attr.Expr); ok && ref.RootName() == "var" {
		if layer := t.scope.Variables.Winner(module.AttrName(ref, 1)); layer.File != "" {
			if file := t.reader.Files[layer.File]; file != nil {
				t.found.Refuse(file, finding.RuleInsecure, hcl.Range{Start: hcl.Pos{Line: layer.Line, Column: 1}},
					message+", by the variable "+module.AttrName(ref, 1), hint)
				return
			}
		}
	}
	t.found.Refuse(p.File, finding.RuleInsecure, setting.Attr.SrcRange, message, hint)
}
