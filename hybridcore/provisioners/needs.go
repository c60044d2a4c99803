// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:23:48Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

// Package provisioners says what the machine that builds a target must have beside
// Packer and its plugins: what the target's own provisioners and media run there. It
// looks for these programs and collections before anything is created, and starts none of
// the checkout.
package provisioners

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Needs are what a target needs on the machine that builds it.
type Needs struct {
	Programs []Program
	Ansible  *Ansible // nil when no provisioner runs it on this machine
}

// Program is one of several programs that do.
type Program struct {
	AnyOf []string // names, or one path
	For   string   // what runs it, in words
	File  string
	Line  int
}

// Of reads what a target needs from its templates. What cannot be read without evaluating
// it, such as the command of a variable, is left to Packer.
func Of(in Input) Needs {
	var n Needs
	for _, f := range in.Target.Files {
		file := in.Templates[f.From]
		if file == nil {
			continue
		}
		for _, block := range file.Body.Blocks {
			switch {
			case block.Type == "source" && len(block.Labels) == 2 && block.Labels[0]+"."+block.Labels[1] == in.Target.Source:
				n.media(file, block.Body)
			case block.Type == "build":
				n.build(in, file, block)
			}
		}
	}
	if n.Ansible != nil {
		n.Ansible.read(in)
	}
	return n
}

// build reads the provisioners of a build block, and what it adds to the source.
func (n *Needs) build(in Input, file *hclfile.File, block *hclsyntax.Block) {
	for _, inner := range block.Body.Blocks {
		kind, body := "", inner.Body
		if len(inner.Labels) > 0 {
			kind = inner.Labels[0]
		}
		switch {
		case inner.Type == "source" && kind == in.Target.Source:
			n.media(file, body)
		case inner.Type == "provisioner" && kind == "ansible" && runs(file, body, in.Target.Source):
			n.ansible(in, file, inner)
		}
	}
}

// runs says whether a provisioner is for a source, by only and except.
func runs(file *hclfile.File, body *hclsyntax.Body, source string) bool {
	if only, ok := texts(file, body, "only"); ok {
		return slices.Contains(only, source)
	}
	except, _ := texts(file, body, "except")
	return !slices.Contains(except, source)
}

// media looks for a CD that Packer makes of files.
func (n *Needs) media(file *hclfile.File, body *hclsyntax.Body) {
	for _, attr := range hclfile.SortedAttributes(body) {
		if attr.Name != "cd_content" && attr.Name != "cd_files" || empty(file, attr) {
			continue
		}
		n.add(Program{AnyOf: isoTools(), For: attr.Name, File: file.Path, Line: attr.SrcRange.Start.Line})
	}
	for _, block := range body.Blocks {
		n.media(file, block.Body)
	}
}

// ansible is a provisioner that runs Ansible on this machine, which signs in to the guest.
func (n *Needs) ansible(in Input, file *hclfile.File, block *hclsyntax.Block) {
	line := block.TypeRange.Start.Line
	add := func(name string) {
		n.add(Program{AnyOf: []string{name}, For: "the provisioner ansible", File: file.Path, Line: line})
	}
	a := &Ansible{Command: "ansible-playbook", file: file.Path, line: line}
	command, fixed := word(file, block.Body, "command", a.Command)
	if fixed {
		a.Command = command
		add(command)
	}
	_, a.galaxy = block.Body.Attributes["galaxy_file"]
	if galaxy, fixed := word(file, block.Body, "galaxy_command", "ansible-galaxy"); a.galaxy && fixed {
		add(galaxy)
	}
	if communicator(in) == "ssh" {
		add("ssh")
	}
	if attr := block.Body.Attributes["ansible_env_vars"]; attr != nil {
		a.environment = string(attr.Expr.Range().SliceBytes(file.Source))
	}
	_, a.elsewhere = block.Body.Attributes["collections_path"]
	n.Ansible = a
}

func (n *Needs) add(p Program) {
	same := func(q Program) bool { return slices.Equal(q.AnyOf, p.AnyOf) }
	if !slices.ContainsFunc(n.Programs, same) {
		n.Programs = append(n.Programs, p)
	}
}

// communicator is how Packer reaches the guest of a target, as far as its source says so in
// plain text; ssh where it says nothing.
func communicator(in Input) string {
	for _, f := range in.Target.Files {
		file := in.Templates[f.From]
		if file == nil {
			continue
		}
		for _, block := range file.Body.Blocks {
			if block.Type == "source" && len(block.Labels) == 2 && block.Labels[0]+"."+block.Labels[1] == in.Target.Source {
				kind, _ := word(file, block.Body, "communicator", "ssh")
				return kind
			}
		}
	}
	return "ssh"
}

// word is a setting of plain text, or its default; fixed says that it is known.
func word(file *hclfile.File, body *hclsyntax.Body, name, otherwise string) (value string, fixed bool) {
	attr := body.Attributes[name]
	if attr == nil {
		return otherwise, true
	}
	literal, findings := file.Literal(attr)
	if len(findings) > 0 || literal.Value.IsNull() || literal.Value.Type() != cty.String {
		return "", false
	}
	return literal.Value.AsString(), true
}

// texts is a setting that is a list of plain texts.
func texts(file *hclfile.File, body *hclsyntax.Body, name string) ([]string, bool) {
	attr := body.Attributes[name]
	if attr == nil {
		return nil, false
	}
	literal, findings := file.Literal(attr)
	if len(findings) > 0 || literal.Value.IsNull() || !literal.Value.CanIterateElements() {
		return nil, false
	}
	var all []string
	for _, element := range literal.Value.AsValueSlice() {
		if element.Type() != cty.String || element.IsNull() {
			return nil, false
		}
		all = append(all, element.AsString())
	}
	return all, true
}

// empty says whether a setting is null or has nothing in it.
func empty(file *hclfile.File, attr *hclsyntax.Attribute) bool {
	literal, findings := file.Literal(attr)
	return len(findings) == 0 &&
		(literal.Value.IsNull() || literal.Value.CanIterateElements() && literal.Value.LengthInt() == 0)
}
