// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:21Z
// Spec: openspec/specs/templates/spec.md#requirement-values-reach-packer-once
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// VarFile renders the variables that are not sensitive as the JSON variable
// file of Packer, one a line, sorted by name. Packer takes strings in such a
// file as they are: nothing in them is a template.
func VarFile(vars []hybridcore.Variable) []byte {
	open := slices.DeleteFunc(slices.Clone(vars), func(v hybridcore.Variable) bool { return v.Sensitive })
	slices.SortFunc(open, func(a, b hybridcore.Variable) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	b.WriteString("{")
	for i, v := range open {
		if i > 0 {
			b.WriteString(",")
		}
		name, _ := json.Marshal(v.Name) // a string always encodes
		fmt.Fprintf(&b, "\n  %s: %s", name, v.JSON)
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

// SecretEnv renders the sensitive variables as entries PKR_VAR_NAME=VALUE of
// the environment, sorted by name. Packer takes the text literally for string
// and number variables and parses it as an HCL expression for all others.
// Null is left out: it can only be the default (config.Resolve sees to that).
func SecretEnv(vars []hybridcore.Variable) ([]string, error) {
	var env []string
	for _, v := range vars {
		if !v.Sensitive || v.JSON == "null" {
			continue
		}
		text, err := expression(v.JSON)
		if err != nil {
			return nil, fmt.Errorf("passing on the variable %s: %w", v.Name, err)
		}
		env = append(env, "PKR_VAR_"+v.Name+"="+text)
	}
	slices.Sort(env)
	return env, nil
}

// expression turns canonical JSON into what Packer wants in the environment.
func expression(text string) (string, error) {
	of, err := ctyjson.ImpliedType([]byte(text))
	if err != nil {
		return "", fmt.Errorf("its value is not JSON") // the cause could show it
	}
	value, err := ctyjson.Unmarshal([]byte(text), of)
	if err != nil {
		return "", fmt.Errorf("its value is not JSON")
	}
	if plain, isString := stringOf(value); isString {
		if strings.ContainsRune(plain, 0) {
			return "", fmt.Errorf("its value holds a NUL character")
		}
		return plain, nil
	}
	if of.IsPrimitiveType() {
		return text, nil
	}
	return string(hclwrite.TokensForValue(value).Bytes()), nil
}
