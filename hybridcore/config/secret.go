// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:03:43Z
// Spec: openspec/specs/config/spec.md#requirement-secrets-stay-out-of-files
// Diagram: openspec/specs/config/diagram.md#layers-of-a-variable

package config

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// KindLeak is the kind of findings about secrets where everybody can read them.
const KindLeak = "leak"

// Secret says whether a variable carries a secret: it is declared sensitive or
// its name says so.
func Secret(name string, sensitive bool) bool { return sensitive || hclfile.SecretName(name) }

// isPlaceholder says whether a value only stands for one to come.
func isPlaceholder(value cty.Value) bool {
	return value.IsWhollyKnown() && !value.IsNull() && value.Type() == cty.String && hclfile.Placeholder(value.AsString())
}

// leak reports a secret in a file. The finding does not show the value.
func leak(literal hclfile.Literal, sensitive bool) (hybridcore.Finding, bool) {
	name := literal.Name
	switch {
	case holdsPrivateKey(literal.Value):
	case sensitive && !empty(literal.Value) && !isPlaceholder(literal.Value):
	case hclfile.SecretName(name) && literal.Value.Type() == cty.String && !empty(literal.Value) && !isPlaceholder(literal.Value):
	default:
		return hybridcore.Finding{}, false
	}
	return hybridcore.Finding{
		Kind: KindLeak, Rule: "plain-secret", Subject: name, Message: fmt.Sprintf("the secret %s stands in plain text in a file of the project", name),
		Hint: fmt.Sprintf("remove it, change it where it is used, since it may be in the history, and export %s%s instead", envPrefix, name),
		File: literal.File, Line: literal.Range.Start.Line, Column: literal.Range.Start.Column,
		Severity: hybridcore.Error, Blocking: true,
	}, true
}

// empty says whether a value holds nothing that could be secret.
func empty(value cty.Value) bool {
	switch {
	case value.IsNull():
		return true
	case value.Type() == cty.String:
		return value.AsString() == ""
	case value.CanIterateElements():
		return value.LengthInt() == 0
	default:
		return false
	}
}

func holdsPrivateKey(value cty.Value) bool {
	found := false
	_ = cty.Walk(value, func(_ cty.Path, part cty.Value) (bool, error) { // the callback never fails
		if part.Type() == cty.String && part.IsKnown() && !part.IsNull() {
			text := part.AsString()
			found = found || strings.Contains(text, "-----BEGIN ") && strings.Contains(text, "PRIVATE KEY-----")
		}
		return !found, nil
	})
	return found
}

// envPrefix is the prefix of the environment variables that Packer reads.
const envPrefix = "PKR_VAR_"
