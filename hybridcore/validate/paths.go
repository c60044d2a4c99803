// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:59:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-files-that-a-template-names
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// role is what happens to a path on the machine that runs Packer.
type role int

const (
	reads  role = iota // a file or a folder that must be there
	globs              // patterns of such
	writes             // a file that is made
)

// fileSettings are the settings that name files of the machine that runs
// Packer, by kind of component.
var fileSettings = map[schemas.Kind]map[string]role{
	schemas.Builder: {
		"http_directory": reads, "cd_files": globs, "floppy_files": globs, "floppy_dirs": globs,
		"ssh_private_key_file": reads,
		"ssh_certificate_file": reads, "ssh_bastion_private_key_file": reads, "ssh_bastion_certificate_file": reads,
		"custom_data_file": reads, "user_data_file": reads, "windows_sysprep_file": reads, "client_cert_path": reads,
		"iso_target_path": writes,
	},
	schemas.Provisioner: {
		"script": reads, "scripts": reads, "playbook_file": reads, "inventory_file": reads, "inventory_directory": reads,
		"galaxy_file":       reads,
		"ssh_host_key_file": reads, "ssh_authorized_key_file": reads, "collections_path": writes, "roles_path": writes,
	},
	schemas.PostProcessor: {"script": reads, "scripts": reads, "output": writes, "files": globs},
}

// use is one path that a template names.
type use struct {
	file  *hclfile.File
	expr  hclsyntax.Expression
	value cty.Value
	role  role
	what  string
	// optional says that nothing need be there.
	optional bool
}

// paths checks the files that a target names.
type paths struct {
	scope     *eval.Scope
	module    *module.Module
	facts     module.Cache
	found     *finding.List
	untrusted bool
}

// part checks the files that a part names.
func (c paths) part(p *parts.Part) {
	table := fileSettings[p.Kind]
	for _, name := range slices.Sorted(maps.Keys(p.Attrs)) {
		setting := p.Attrs[name]
		role, ok := table[name]
		if p.Kind == schemas.Provisioner && p.Name == "file" {
			role, ok = fileRole(p, name)
		}
		if ok {
			c.reach(use{
				file: p.File, expr: setting.Attr.Expr, value: setting.Value, role: role,
				what: fmt.Sprintf("%s of %s", name, p.What),
			})
		}
	}
	for _, inner := range p.Inner {
		c.part(inner)
	}
}

// fileRole is the role of the settings of the provisioner file: the other side
// is in the guest.
func fileRole(p *parts.Part, name string) (role, bool) {
	direction, given := p.Attrs["direction"]
	download := given && eval.StringOf(direction.Value) == "download"
	switch name {
	case "source", "sources":
		return reads, !download
	case "destination":
		return writes, download
	default:
		return reads, false
	}
}

// reach checks one use of a path.
func (c paths) reach(u use) {
	at := u.expr.Range()
	if !u.value.IsWhollyKnown() {
		if c.untrusted && !c.ofTheRun(u.expr) {
			c.found.Refuse(u.file, finding.RulePolicyPath, at, u.what+" cannot be told before it is evaluated",
				"write the path out, below ${path.root}")
		}
		return
	}
	texts := eval.StringsOf(u.value)
	if text := eval.StringOf(u.value); text != "" {
		texts = []string{text}
	}
	for _, text := range texts {
		if c.found.Full() {
			return
		}
		switch {
		case text == "":
		case eval.Outside(text), c.untrusted && eval.Climbs(text):
			c.away(u, at, text)
		case u.role == writes, u.optional, c.staged(text, u.role):
		default:
			c.found.Refuse(u.file, finding.RuleFile, at,
				fmt.Sprintf("%s is %.120q, which is not staged%s", u.what, text,
					finding.Near(eval.Clean(text), c.scope.Stage.Paths())),
				"a target sees the files below templates/ that belong to it; paths begin with ${path.root}/")
		}
	}
}

// away is about a path that leaves the stage.
func (c paths) away(u use, at hcl.Range, text string) {
	if c.untrusted {
		c.found.Refuse(u.file, finding.RulePolicyPath, at, fmt.Sprintf("%s is %.120q, outside of the tree", u.what, text),
			"keep files below templates/ and name them from ${path.root}")
		return
	}
	if !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "~") && u.role != writes && !u.optional {
		c.found.Refuse(u.file, finding.RuleFile, at,
			fmt.Sprintf("%s is %.120q, outside of the stage: nothing is there when Packer runs", u.what,
				text), "keep files below templates/ and name them from ${path.root}")
	}
}

// ofTheRun says whether an expression is a variable that packer-hybrid itself
// sets for every run.
func (c paths) ofTheRun(expr hclsyntax.Expression) bool {
	ref, ok := module.Plain(expr)
	return ok && ref.RootName() == "var" && c.scope.Variables[module.AttrName(ref, 1)].Run
}

// staged says whether what a path names is in the stage.
func (c paths) staged(text string, r role) bool {
	return c.scope.Stage.Has(text) || r == globs && c.scope.Stage.Matches(text)
}
