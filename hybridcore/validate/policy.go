// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package validate

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Policy says what a tree may do that somebody wrote who is not trusted, for
// example in the pull request of a fork. Packer evaluates functions and data
// sources, and starts plugins, when it merely validates: everything that
// reaches beyond the tree is a blocking finding of the kind "policy". Local
// commands, paths outside of the tree and functions that read the environment,
// files or services are never allowed.
type Policy struct {
	// Plugins are the source addresses of plugins that may be required; nil
	// takes those of the platform table, and Ansible.
	Plugins []string
	// Components are the provisioners, post-processors and data sources that
	// may be used, as KIND.NAME; nil takes those that only act in the guest.
	Components []string
	// Hosts are the hosts that installation media may come from over HTTPS.
	Hosts []string
}

// harmless are the components that act in the guest, or only write where the
// run says.
var harmless = []string{
	"provisioner.ansible", "provisioner.file", "provisioner.powershell", "provisioner.shell", "provisioner.sleep",
	"provisioner.windows-restart", "provisioner.windows-shell", "post-processor.manifest", "data.null",
}

// commands are settings of otherwise harmless components that are run as
// commands on this machine, or hand out its keys.
var commands = map[string][]string{
	"provisioner.ansible": {"command", "galaxy_command", "sftp_command", "ansible_ssh_extra_args", "inventory_file_template"},
}

// check applies the policy to one target.
func (p *Policy) check(s *scope) {
	p.plugins(s)
	for _, data := range sortedPlaced(s.m.datas) {
		if name := "data." + data.block.Labels[0]; !p.allows(name) {
			s.refuse(data.file, RulePolicyData, data.block.TypeRange, fmt.Sprintf("the data source %s is read when Packer only validates", data.name), "give the value as a variable")
		}
	}
	for _, part := range s.parts {
		p.component(s, part)
	}
	for _, file := range s.m.files {
		p.functions(s, file)
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
			s.refuse(plugin.file, RulePolicyPlugin, plugin.at, fmt.Sprintf("the plugin %s (%s) is not on the list of allowed plugins", name, plugin.source), "a plugin is a program: somebody trusted has to add it")
		}
	}
}

func (p *Policy) allows(component string) bool {
	if p.Components == nil {
		return slices.Contains(harmless, component)
	}
	return slices.Contains(p.Components, component)
}

func (p *Policy) component(s *scope, part *component) {
	name := string(part.kind) + "." + part.name
	switch {
	case part.name == "shell-local":
		s.refuse(part.file, RulePolicyRun, part.at, part.what+" runs commands on this machine", "run them in the guest")
	case part.kind != Builder && part.kind != DataSource && !p.allows(name):
		s.refuse(part.file, RulePolicyPart, part.at, part.what+" is not on the list of allowed components", "somebody trusted has to add it")
	}
	for _, setting := range commands[name] {
		if found, ok := part.attrs[setting]; ok {
			s.refuse(part.file, RulePolicyRun, found.attr.SrcRange, fmt.Sprintf("%s of %s is run on this machine", setting, part.what), "leave it out")
		}
	}
	if agent, ok := part.attrs["ssh_agent_auth"]; ok && !isFalse(agent.value) {
		s.refuse(part.file, RulePolicyRun, agent.attr.SrcRange, "ssh_agent_auth of "+part.what+" uses the keys of this machine's SSH agent", "leave it out")
	}
	p.media(s, part)
}

// isFalse says whether a value is known to be false.
func isFalse(value cty.Value) bool {
	return value.IsKnown() && !value.IsNull() && value.Type() == cty.Bool && value.False()
}

// media checks where installation media come from.
func (p *Policy) media(s *scope, part *component) {
	for _, name := range []string{"iso_url", "iso_urls", "iso_checksum"} {
		setting, ok := part.attrs[name]
		if !ok {
			continue
		}
		texts := stringsOf(setting.value)
		if text := stringOf(setting.value); text != "" {
			texts = []string{text}
		}
		if !setting.value.IsWhollyKnown() {
			s.refuse(part.file, RulePolicyURL, setting.attr.SrcRange, fmt.Sprintf("%s of %s cannot be told before it is evaluated", name, part.what), "write it out")
		}
		for _, text := range texts {
			if from, fetches := strings.CutPrefix(text, "file:"); name == "iso_checksum" && fetches {
				text = from
			} else if name == "iso_checksum" {
				continue
			}
			if !p.hosts(text) {
				s.refuse(part.file, RulePolicyURL, setting.attr.SrcRange, fmt.Sprintf("%s of %s is fetched from %.120q, which is not allowed", name, part.what, text), "allowed are https:// and these hosts: "+strings.Join(p.Hosts, ", "))
			}
		}
	}
	for _, name := range sortedKeys(part.blocks) {
		for _, inner := range part.blocks[name] {
			p.media(s, inner)
		}
	}
}

func (p *Policy) hosts(text string) bool {
	at, err := url.Parse(text)
	return err == nil && at.Scheme == "https" && at.User == nil && slices.Contains(p.Hosts, strings.ToLower(at.Host))
}

// functions refuses those that read more than the tree, wherever they stand:
// also in defaults, which Packer evaluates first.
func (p *Policy) functions(s *scope, file *hclfile.File) {
	walkExpressions(file.Body, nil, func(expr hclsyntax.Expression, _ iterators) {
		for _, call := range s.factsOf(expr).calls {
			what := functions[call.Name].reads
			if call.Name == "env" {
				what = "the environment"
			}
			if what != "" {
				s.refuse(file, RulePolicyCall, call.NameRange, fmt.Sprintf("%s() reads %s when Packer only validates", call.Name, what), "give the value as a variable")
			}
		}
	})
}
