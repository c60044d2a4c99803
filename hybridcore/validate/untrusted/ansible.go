// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:54:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
)

// Arguments that ansible-playbook may get from an untrusted tree. Others choose
// inventories, connections, programs and files of this machine.
var (
	ansibleFlags = regexp.MustCompile(`^(-v{1,6}|--verbose|-b|--become|-C|--check|-D|--diff|--force-handlers)$`)
	ansibleTakes = []string{
		"--extra-vars", "-e", "--tags", "-t", "--skip-tags", "--forks", "-f", "--become-user", "--start-at-task",
	}
	ansibleVars = []string{"--extra-vars", "-e"}
)

// arguments checks extra_arguments of ansible, each with the one before it.
func (t *Target) arguments(part *parts.Part, set parts.Setting) {
	refuse := func(what string) {
		t.Found.Refuse(part.File, finding.RulePolicyRun, set.Attr.SrcRange,
			fmt.Sprintf("extra_arguments of %s: %s", part.What, what),
			"allowed are "+strings.Join(ansibleTakes, " ")+" with a value, and flags for output, checks and become")
	}
	if set.Value.IsNull() {
		return
	}
	if !set.Value.IsKnown() || !set.Value.CanIterateElements() {
		refuse("the arguments cannot be told before they are evaluated")
		return
	}
	items, _ := set.Attr.Expr.(*hclsyntax.TupleConsExpr)
	option, i := "", 0
	for it := set.Value.ElementIterator(); it.Next(); i++ {
		_, value := it.Element()
		var expr hclsyntax.Expression
		if items != nil && i < len(items.Exprs) {
			expr = items.Exprs[i]
		}
		text, known := eval.StringOf(value), value.IsKnown()
		switch {
		case option != "":
			if why := t.argumentOf(option, value, expr); why != "" {
				refuse(why)
			}
			option = ""
		case known && ansibleFlags.MatchString(text):
		case known && slices.Contains(ansibleTakes, text):
			option = text
		default:
			if why := t.joined(text); why != "" {
				refuse(why)
			}
		}
	}
	if option != "" {
		refuse(option + " has no value")
	}
}

// joined says what is wrong with --OPTION=VALUE, or nothing.
func (t *Target) joined(text string) string {
	name, rest, ok := strings.Cut(text, "=")
	if !ok || !strings.HasPrefix(name, "--") || !slices.Contains(ansibleTakes, name) {
		return fmt.Sprintf("%.80q is not on the list of allowed arguments", text)
	}
	return t.argumentOf(name, cty.StringVal(rest), nil)
}

// argumentOf says what is wrong with the value of an option, or nothing.
func (t *Target) argumentOf(option string, value cty.Value, expr hclsyntax.Expression) string {
	if !slices.Contains(ansibleVars, option) {
		if !value.IsKnown() || !word.MatchString(eval.StringOf(value)) {
			return fmt.Sprintf("the value of %s is not a word, or cannot be told", option)
		}
		return ""
	}
	if !value.IsKnown() {
		return t.encodedVars(option, expr)
	}
	text := strings.TrimSpace(eval.StringOf(value))
	if strings.HasPrefix(text, "{") {
		var vars map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &vars) != nil {
			return fmt.Sprintf("the value of %s is no JSON", option)
		}
		return forAnsible(option, slices.Sorted(maps.Keys(vars)))
	}
	var names []string
	for pair := range strings.FieldsSeq(text) {
		name, _, ok := strings.Cut(pair, "=")
		if !ok || !plainName.MatchString(name) {
			return fmt.Sprintf("the value of %s is neither a JSON object nor NAME=VALUE: %.80q", option, text)
		}
		names = append(names, name)
	}
	return forAnsible(option, names)
}

// encodedVars looks at the names of an object that jsonencode writes although
// not all of its values are known.
func (t *Target) encodedVars(option string, expr hclsyntax.Expression) string {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	if ok && call.Name == "jsonencode" && len(call.Args) == 1 && !call.ExpandFinal {
		value, diags := call.Args[0].Value(t.Scope.Context)
		if !diags.HasErrors() && value.IsKnown() && !value.IsNull() && value.Type().IsObjectType() {
			return forAnsible(option, slices.Sorted(maps.Keys(value.Type().AttributeTypes())))
		}
	}
	return fmt.Sprintf("the value of %s cannot be told before it is evaluated: write jsonencode({ NAME = VALUE })", option)
}

// forAnsible refuses variables that Ansible itself obeys, as ansible_connection.
func forAnsible(option string, names []string) string {
	for _, name := range names {
		if strings.HasPrefix(strings.ToLower(name), "ansible_") {
			return fmt.Sprintf("the variable %.80q of %s says how Ansible connects and what it starts", name, option)
		}
	}
	return ""
}

var (
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	word      = regexp.MustCompile(`^[A-Za-z0-9_.]([A-Za-z0-9_.,:@ -]*[A-Za-z0-9_.])?$`)
)

// environment checks ansible_env_vars: NAME=VALUE of a few names.
func (t *Target) environment(part *parts.Part, set parts.Setting) {
	refuse := func(what string) {
		t.Found.Refuse(part.File, finding.RulePolicyRun, set.Attr.SrcRange,
			fmt.Sprintf("ansible_env_vars of %s: %s", part.What, what),
			"allowed are ANSIBLE_CONFIG with a file below ${abspath(path.root)}, ANSIBLE_FORCE_COLOR, "+
				"ANSIBLE_HOST_KEY_CHECKING and ANSIBLE_NOCOLOR")
	}
	if !set.Value.IsWhollyKnown() {
		refuse("the variables cannot be told before they are evaluated")
		return
	}
	for _, text := range eval.StringsOf(set.Value) {
		switch name, value, _ := strings.Cut(text, "="); name {
		case "ANSIBLE_CONFIG":
			if value == "" || eval.Outside(value) || eval.Climbs(value) || !t.Scope.Stage.Has(value) {
				refuse(fmt.Sprintf("%.80q is no file of the tree", value))
			}
		case "ANSIBLE_FORCE_COLOR", "ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_NOCOLOR":
		default:
			refuse(fmt.Sprintf("%.80q is not on the list of allowed variables", name))
		}
	}
}
