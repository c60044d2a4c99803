// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// check applies the policy to one target.
func (p *Policy) check(s *scope) {
	p.plugins(s)
	for _, data := range sortedPlaced(s.m.datas) {
		if name := "data." + data.block.Labels[0]; !p.allows(name) {
			s.refuse(data.file, RulePolicyData, data.block.TypeRange,
				fmt.Sprintf("the data source %s is read when Packer only validates", data.name), "give the value as a variable")
		}
	}
	paths := map[hclsyntax.Expression]bool{} // that may say where the stage is
	for _, part := range s.parts {
		p.component(s, part)
		if set, ok := part.attrs["ansible_env_vars"]; ok && part.name == "ansible" {
			paths[set.attr.Expr] = true
		}
	}
	for _, file := range s.m.files {
		p.functions(s, file, paths)
		p.blocks(s, file)
	}
	for _, from := range sortedKeys(s.maybe) {
		if t := s.maybe[from]; t != nil {
			p.calls(s, t)
		}
	}
	for _, list := range s.repeats.unknown {
		if bad := s.actsLater(list.expr); bad != "" {
			s.refuse(list.file, RulePolicyCall, list.expr.Range(),
				fmt.Sprintf("the elements of a dynamic block may get an action that is rendered when Packer only validates: %.60q",
					bad),
				"write the texts out where they are used")
		}
	}
	p.often(s)
}

// often refuses a tree whose builds name so many sources that Packer evaluates
// its blocks beyond the budget: it does so for each of them.
func (p *Policy) often(s *scope) {
	if total := product(s.uses, capped(s.spent+s.packers)); total > maxPackerWork && len(s.m.builds) > 0 {
		at := s.m.builds[0]
		s.refuse(at.file, RuleWork, at.block.TypeRange,
			fmt.Sprintf("Packer evaluates the blocks for each of %d sources: %s steps, and the limit is %d", s.uses,
				amount(total), maxPackerWork),
			"name each source once, and simplify the expressions")
	}
}

// blocks refuses blocks that reach something, and what a variable would cost:
// Packer evaluates its default and its conditions before all else.
func (p *Policy) blocks(s *scope, file *hclfile.File) {
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
				s.refuse(file, RulePolicyPart, b.TypeRange, fmt.Sprintf("the block %s is not on the list of allowed blocks", name),
					"somebody trusted has to add it")
			}
		}
		if block.Type == "variable" || block.Type == "variables" {
			walkExpressions(block.Body, nil, func(expr hclsyntax.Expression, _ iterators) {
				s.affordable(file, expr, s.cost(expr, nil, s.ctx))
			})
		}
	}
}

// plugins refuses those that are not on the list: Packer would run them.
func (p *Policy) plugins(s *scope) {
	allowed := p.Plugins
	if allowed == nil {
		allowed = []string{"github.com/hashicorp/ansible"}
		for _, platform := range hybridcore.Platforms() {
			allowed = append(allowed, platform.Plugins...)
		}
	}
	for _, name := range sortedKeys(s.m.plugins) {
		if plugin := s.m.plugins[name]; !slices.Contains(allowed, plugin.source) {
			s.refuse(plugin.file, RulePolicyPlugin, plugin.at, fmt.Sprintf("the plugin %s (%s) is not on the list of allowed "+
				"plugins", name, plugin.source), "a plugin is a program: somebody trusted has to add it")
		}
	}
}

func (p *Policy) component(s *scope, part *component) {
	name := string(part.kind) + "." + part.name
	switch {
	case part.name == "shell-local":
		s.refuse(part.file, RulePolicyRun, part.at, part.what+" runs commands on this machine", "run them in the guest")
	case part.name == "":
		s.refuse(part.file, RulePolicyPart, part.at, part.what+" cannot be told before it is evaluated", "write its name out")
	case part.kind == Builder && allowedSettings[name] == nil, part.kind != Builder && part.kind != DataSource &&
		!p.allows(name):
		s.refuse(part.file, RulePolicyPart, part.at, part.what+" is not on the list of allowed components",
			"somebody trusted has to add it")
	}
	for _, setting := range commands[name] {
		if found, ok := part.attrs[setting]; ok {
			s.refuse(part.file, RulePolicyRun, found.attr.SrcRange,
				fmt.Sprintf("%s of %s is run on this machine", setting, part.what), "leave it out")
		}
	}
	if agent, ok := part.attrs["ssh_agent_auth"]; ok && !isFalse(agent.value) {
		s.refuse(part.file, RulePolicyRun, agent.attr.SrcRange,
			"ssh_agent_auth of "+part.what+" uses the keys of this machine's SSH agent", "leave it out")
	}
	if override, ok := part.attrs["override"]; ok && !isEmpty(override.value) {
		s.refuse(part.file, RulePolicyRun, override.attr.SrcRange,
			"override of "+part.what+" replaces settings for one source", "write the settings themselves")
	}
	if part.kind == Builder {
		p.reach(s, part)
	}
	p.settings(s, part, part.body)
	part.each(func(inner *component) {
		p.media(s, inner)
		p.texts(s, inner)
		p.values(s, inner)
	})
}

// values checks settings of which not every value is harmless.
func (p *Policy) values(s *scope, part *component) {
	for _, name := range sortedKeys(part.attrs) {
		set := part.attrs[name]
		switch {
		case part.kind == Provisioner && part.name == "ansible" && name == "extra_arguments":
			p.arguments(s, part, set)
		case part.kind == Provisioner && part.name == "ansible" && name == "ansible_env_vars":
			p.environment(s, part, set)
		case part.kind == Provisioner && part.name == "file" && name == "direction" && !set.value.IsKnown():
			s.refuse(part.file, RulePolicyPath, set.attr.SrcRange,
				"direction of "+part.what+" cannot be told before it is evaluated", "write it out")
		case name == "cd_content":
			p.contents(s, part, set)
		case slices.Contains(plainWords, name):
			for _, text := range append(stringsOf(set.value), stringOf(set.value)) {
				if text != "" && !word.MatchString(text) {
					s.refuse(part.file, RulePolicyRun, set.attr.SrcRange,
						fmt.Sprintf("%s of %s is %.80q, which another program may read as more than a word", name, part.what,
							text), "write a word")
				}
			}
			if !set.value.IsWhollyKnown() && !s.ofRun(set.attr.Expr) && !part.elsewhere() {
				s.refuse(part.file, RulePolicyRun, set.attr.SrcRange,
					fmt.Sprintf("%s of %s cannot be told before it is evaluated", name, part.what), "write it out")
			}
		}
	}
}

// contents checks the names of files that are written before they are put on a CD.
func (p *Policy) contents(s *scope, part *component, set setting) {
	if !set.value.IsKnown() && !part.elsewhere() {
		s.refuse(part.file, RulePolicyPath, set.attr.SrcRange,
			"the names in cd_content of "+part.what+" cannot be told before they are evaluated", "write them out")
	}
	for _, name := range keysOf(set.value) {
		if climbs(name) || strings.Contains(name, "\x00") {
			s.refuse(part.file, RulePolicyPath, set.attr.SrcRange,
				fmt.Sprintf("%.80q in cd_content of %s leaves its folder", name, part.what), "write a path without ..")
		}
	}
}

// reach refuses settings of a source that lead to another machine than the
// guest, unless they are empty or come from the environment of the run.
func (p *Policy) reach(s *scope, part *component) {
	for _, name := range sortedKeys(part.attrs) {
		setting := part.attrs[name]
		communicator := isCommunicator(name)
		switch {
		case communicator && (slices.Contains(staying, name) || name == "ssh_agent_auth"), !communicator &&
			!slices.Contains(elsewhere, name):
			continue
		case setting.value.IsKnown() && (isEmpty(setting.value) || isFalse(setting.value)), s.ofRun(setting.attr.Expr),
			!setting.value.IsKnown() && !part.own: // no target is built from it, or another one, which tells its value
			continue
		}
		s.refuse(part.file, RulePolicyReach, setting.attr.SrcRange,
			fmt.Sprintf("%s of %s leads to another machine than the guest", name, part.what), "leave it out")
	}
}
