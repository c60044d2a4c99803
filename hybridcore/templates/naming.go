// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:41:00Z
// Spec: openspec/specs/templates/spec.md#requirement-names-that-a-platform-accepts
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates

import (
	"fmt"
	"regexp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// naming checks the names of one target.
type naming struct {
	variables map[string]hybridcore.Variable
	findings  []hybridcore.Finding
}

// match checks a name that is set.
func (n *naming) match(variable string, accepted *regexp.Regexp, rule string) {
	if v := n.variables[variable]; v.Plain() != "" && !accepted.MatchString(v.Plain()) {
		n.add(v, fmt.Sprintf("%s = %s is not accepted by Azure: %s", variable, v.Text(), rule))
	}
}

func (n *naming) add(v hybridcore.Variable, message string) {
	n.findings = append(n.findings, at(v, message))
}

// at is a finding about the value of a variable, where it is set.
func at(v hybridcore.Variable, message string) hybridcore.Finding {
	f := hybridcore.Finding{
		Kind:     hybridcore.KindVariable,
		Subject:  v.Name,
		Got:      v.Text(),
		Message:  message,
		Severity: hybridcore.Error,
		Blocking: true,
	}
	if len(v.Layers) > 0 {
		last := v.Layers[len(v.Layers)-1]
		f.File, f.Line = last.File, last.Line
		if last.File == "" {
			f.Message += fmt.Sprintf(" (set by the layer %s)", last.Name)
		}
	}
	return f
}
