// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// Check applies the policy to one target.
func (p *Policy) Check(t *Target) {
	t.made = map[any]*pieces{}
	t.plugins()
	for _, data := range module.Sorted(t.Module.Datas) {
		t.Found.Refuse(data.File, finding.RulePolicyData, data.Block.TypeRange,
			fmt.Sprintf("the data source %s is read when Packer only validates", data.Name), "give the value as a variable")
	}
	paths := map[hclsyntax.Expression]bool{} // that may say where the stage is
	for _, part := range t.Parts {
		t.component(part)
		part.Each(func(inner *parts.Part) {
			p.media(t, inner)
			t.texts(inner)
			t.values(inner)
		})
		if set, ok := part.Attrs["ansible_env_vars"]; ok && part.Name == "ansible" {
			paths[set.Attr.Expr] = true
		}
	}
	for _, file := range t.Module.Files {
		t.functions(file, paths)
		t.blocks(file)
	}
	for _, text := range t.Scope.Texts() {
		t.calls(text)
	}
	for _, list := range t.Scope.Unknown() {
		if bad := t.actsLater(list.Expr); bad != "" {
			t.Found.Refuse(list.File, finding.RulePolicyCall, list.Expr.Range(),
				fmt.Sprintf("the elements of a dynamic block may get an action that is rendered when Packer only validates: %.60q",
					bad),
				"write the texts out where they are used")
		}
	}
	t.often()
}

// often refuses a tree whose builds name so many sources that Packer evaluates
// its blocks beyond the budget: it does so for each of them.
func (t *Target) often() {
	if beyond := t.Scope.Beyond(t.Uses); beyond != "" && len(t.Module.Builds) > 0 {
		at := t.Module.Builds[0]
		t.Found.Refuse(at.File, finding.RuleWork, at.Block.TypeRange,
			fmt.Sprintf("Packer evaluates the blocks for each of %d sources: %s", t.Uses, beyond),
			"name each source once, and simplify the expressions")
	}
}

// blocks refuses blocks that reach something, and what a variable would cost:
// Packer evaluates its default and its conditions before all else.
func (t *Target) blocks(file *hclfile.File) {
	for _, block := range file.Body.Blocks {
		inner := block.Body.Blocks
		if block.Type != "build" {
			inner = nil
		}
		for _, b := range append(hclsyntax.Blocks{block}, inner...) {
			name := b.Type
			if name == "dynamic" && len(b.Labels) == 1 {
				name = b.Labels[0]
			}
			if !slices.Contains(plainBlocks, name) {
				t.Found.Refuse(file, finding.RulePolicyPart, b.TypeRange,
					fmt.Sprintf("the block %s is not on the list of allowed blocks", name),
					"somebody trusted has to add it")
			}
		}
		if block.Type == "variable" || block.Type == "variables" {
			module.Walk(block.Body, nil, func(expr hclsyntax.Expression, _ module.Iterators) {
				t.Scope.Charge(file, expr)
			})
		}
	}
}

// plugins refuses those that are not on the list: Packer would run them.
func (t *Target) plugins() {
	allowed := []string{"github.com/hashicorp/ansible"}
	for _, platform := range hybridcore.Platforms() {
		allowed = append(allowed, platform.Plugins...)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Module.Plugins)) {
		if plugin := t.Module.Plugins[name]; !slices.Contains(allowed, plugin.Source) {
			t.Found.Refuse(plugin.File, finding.RulePolicyPlugin, plugin.At,
				fmt.Sprintf("the plugin %s (%s) is not on the list of allowed plugins", name, plugin.Source),
				"a plugin is a program: somebody trusted has to add it")
		}
	}
}

func (t *Target) component(part *parts.Part) {
	name := string(part.Kind) + "." + part.Name
	switch {
	case part.Name == "shell-local":
		t.Found.Refuse(part.File, finding.RulePolicyRun, part.At, part.What+" runs commands on this machine",
			"run them in the guest")
	case part.Name == "":
		t.Found.Refuse(part.File, finding.RulePolicyPart, part.At, part.What+" cannot be told before it is evaluated",
			"write its name out")
	case part.Kind == schemas.Builder && allowedSettings[name] == nil,
		part.Kind != schemas.Builder && part.Kind != schemas.DataSource &&
			!slices.Contains(harmless, name):
		t.Found.Refuse(part.File, finding.RulePolicyPart, part.At, part.What+" is not on the list of allowed components",
			"somebody trusted has to add it")
	}
	for _, setting := range commands[name] {
		if found, ok := part.Attrs[setting]; ok {
			t.Found.Refuse(part.File, finding.RulePolicyRun, found.Attr.SrcRange,
				fmt.Sprintf("%s of %s is run on this machine", setting, part.What), "leave it out")
		}
	}
	if agent, ok := part.Attrs["ssh_agent_auth"]; ok && !eval.IsFalse(agent.Value) {
		t.Found.Refuse(part.File, finding.RulePolicyRun, agent.Attr.SrcRange,
			"ssh_agent_auth of "+part.What+" uses the keys of this machine's SSH agent", "leave it out")
	}
	if override, ok := part.Attrs["override"]; ok && !eval.IsEmpty(override.Value) {
		t.Found.Refuse(part.File, finding.RulePolicyRun, override.Attr.SrcRange,
			"override of "+part.What+" replaces settings for one source", "write the settings themselves")
	}
	if part.Kind == schemas.Builder {
		t.reach(part)
	}
	t.settings(part, part.Body)
}

// reach refuses settings of a source that lead to another machine than the
// guest, unless they are empty or come from the environment of the run.
func (t *Target) reach(part *parts.Part) {
	for _, name := range slices.Sorted(maps.Keys(part.Attrs)) {
		setting := part.Attrs[name]
		communicator := isCommunicator(name)
		switch {
		case communicator && (slices.Contains(staying, name) || name == "ssh_agent_auth"), !communicator &&
			!slices.Contains(elsewhere, name):
			continue
		case setting.Value.IsKnown() && (eval.IsEmpty(setting.Value) || eval.IsFalse(setting.Value)),
			t.ofRun(setting.Attr.Expr),
			!setting.Value.IsKnown() && !part.Own: // no target is built from it, or another one, which tells its value
			continue
		}
		t.Found.Refuse(part.File, finding.RulePolicyReach, setting.Attr.SrcRange,
			fmt.Sprintf("%s of %s leads to another machine than the guest", name, part.What), "leave it out")
	}
}

// functions refuses those that read more than the tree, wherever they stand:
// also in defaults, which Packer evaluates first.
func (t *Target) functions(file *hclfile.File, paths map[hclsyntax.Expression]bool) {
	module.Walk(file.Body, nil, func(expr hclsyntax.Expression, _ module.Iterators) {
		facts := t.Facts.Of(expr)
		for _, call := range facts.Calls {
			what := eval.Reads(call.Name)
			switch {
			case call.Name == "env":
				what = "the environment"
			case call.Name == "abspath" && (!paths[expr] || len(facts.Calls) > 1):
				what = "where the stage is"
			}
			if what != "" {
				t.Found.Refuse(file, finding.RulePolicyCall, call.NameRange,
					fmt.Sprintf("%s() reads %s when Packer only validates", call.Name, what), "give the value as a variable")
			}
		}
		for _, ref := range facts.Traversals {
			if ref.RootName() == "path" && module.AttrName(ref, 1) != "root" {
				t.Found.Refuse(file, finding.RulePolicyPath, ref.SourceRange(), "path.cwd leads out of the tree",
					"name files from ${path.root}")
			}
		}
	})
}

// calls refuses functions that read anything in a text that templatefile renders:
// Packer has all of its functions there.
func (t *Target) calls(text eval.Expression) {
	for _, call := range t.Facts.Of(text.Expr).Calls {
		if eval.Reads(call.Name) != "" || call.Name == "env" || call.Name == "abspath" || slices.Contains(eval.Readers,
			call.Name) {
			t.Found.Refuse(text.File, finding.RulePolicyCall, call.NameRange,
				call.Name+"() reads something in a text that templatefile renders", "give the text its values")
		}
	}
}
