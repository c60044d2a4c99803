// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:59:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-files-that-a-template-names
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
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
var fileSettings = map[Kind]map[string]role{
	Builder: {
		"http_directory": reads, "cd_files": globs, "floppy_files": globs, "floppy_dirs": globs,
		"ssh_private_key_file": reads,
		"ssh_certificate_file": reads, "ssh_bastion_private_key_file": reads, "ssh_bastion_certificate_file": reads,
		"custom_data_file": reads, "user_data_file": reads, "windows_sysprep_file": reads, "client_cert_path": reads,
		"iso_target_path": writes,
	},
	Provisioner: {
		"script": reads, "scripts": reads, "playbook_file": reads, "inventory_file": reads, "inventory_directory": reads,
		"galaxy_file":       reads,
		"ssh_host_key_file": reads, "ssh_authorized_key_file": reads, "collections_path": writes, "roles_path": writes,
	},
	PostProcessor: {"script": reads, "scripts": reads, "output": writes, "files": globs},
}

// readers are the functions whose first argument is a file.
var readers = []string{"abspath", "file", "filebase64", "fileexists", "fileset", "templatefile"}

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

// paths checks the files that a component names.
func (s *scope) paths(p *component) {
	table := fileSettings[p.kind]
	for _, name := range sortedKeys(p.attrs) {
		setting := p.attrs[name]
		role, ok := table[name]
		if p.kind == Provisioner && p.name == "file" {
			role, ok = fileRole(p, name)
		}
		if ok {
			s.reach(use{
				file: p.file, expr: setting.attr.Expr, value: setting.value, role: role,
				what: fmt.Sprintf("%s of %s", name, p.what),
			})
		}
	}
	for _, inner := range p.inner {
		s.paths(inner)
	}
}

// fileRole is the role of the settings of the provisioner file: the other side
// is in the guest.
func fileRole(p *component, name string) (role, bool) {
	download := stringOf(p.attrs["direction"].valueOr(cty.StringVal("upload"))) == "download"
	switch name {
	case "source", "sources":
		return reads, !download
	case "destination":
		return writes, download
	default:
		return reads, false
	}
}

func (s setting) valueOr(fallback cty.Value) cty.Value {
	if s.attr == nil {
		return fallback
	}
	return s.value
}

// calls checks the files that functions read, wherever the target's templates
// call them with a path that is known.
func (s *scope) calls() {
	for _, file := range s.m.files {
		templateExpressions(file, func(expr hclsyntax.Expression, known iterators) {
			for _, call := range s.factsOf(expr).calls {
				switch {
				case !slices.Contains(readers, call.Name) || len(call.Args) == 0:
				case !call.ExpandFinal:
					s.callPath(file, call, known, s.factsOf(expr).loops)
					checkPattern(s, file, call, known)
				case s.in.Policy != nil:
					s.refuse(file, RulePolicyPath, call.NameRange, "the path of "+call.Name+"() is in a list that is expanded",
						"write the arguments out")
				}
			}
		})
	}
}

func (s *scope) callPath(file *hclfile.File, call *hclsyntax.FunctionCallExpr, known iterators, loops map[string]bool) {
	value := cty.DynamicVal
	arg := call.Args[0]
	if s.closed(arg, known) {
		if got, ok := s.eval(file, arg, s.ctx); ok {
			value = got
		}
	} else if prefix, ok := s.prefix(arg, loops); ok && outside(prefix) {
		value = cty.StringVal(prefix)
	} else if ok {
		return // it stays below a folder of the stage: fileset gave the rest
	}
	s.reach(use{
		file: file, expr: arg, value: value, role: reads, what: "the path of " + call.Name + "()",
		optional: slices.Contains([]string{"abspath", "fileexists", "fileset"}, call.Name),
	})
}

// checkPattern refuses a pattern of fileset that may leave its folder: Packer follows
// .. in it. That holds for a tree whose author is not trusted.
func checkPattern(s *scope, file *hclfile.File, call *hclsyntax.FunctionCallExpr, known iterators) {
	if s.in.Policy == nil || call.Name != "fileset" || len(call.Args) < 2 {
		return
	}
	arg, text := call.Args[1], ""
	if s.closed(arg, known) {
		value, _ := s.eval(file, arg, s.ctx)
		text = stringOf(value)
	}
	if text == "" || leaves(text) {
		s.refuse(file, RulePolicyPath, arg.Range(),
			fmt.Sprintf("the pattern of fileset() is %.120q: it is not known, or may leave its folder", text),
			`write it out without .., a \ and a / at its beginning`)
	}
}

// leaves says whether a pattern can lead out of its folder. Alternatives of only
// dots may be put together to .. and count as such.
func leaves(pattern string) bool {
	parts := strings.FieldsFunc(pattern, func(r rune) bool { return strings.ContainsRune("/{,}", r) })
	return outside(pattern) || strings.Contains(pattern, `\`) || slices.ContainsFunc(parts, func(part string) bool {
		return strings.Trim(part, ".") == "" && (part != "." || strings.Contains(pattern, "{"))
	})
}

// closed says whether an expression refers only to values of the module: not to
// the variable of a loop around it.
func (s *scope) closed(expr hclsyntax.Expression, known iterators) bool {
	for _, t := range s.factsOf(expr).traversals {
		if !slices.Contains(roots, t.RootName()) || known[t.RootName()] {
			return false
		}
	}
	return true
}

// prefix is the known beginning of a path that ends with the variable of a
// loop, when what follows cannot leave it: a name that fileset found.
func (s *scope) prefix(expr hclsyntax.Expression, loops map[string]bool) (string, bool) {
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok {
		return "", false
	}
	text := ""
	for i, part := range template.Parts {
		if !s.closed(part, nil) {
			name, isName := plain(part)
			return text, i == len(template.Parts)-1 && strings.HasSuffix(text, "/") && isName && loops[name.RootName()]
		}
		value, diags := part.Value(s.ctx)
		if diags.HasErrors() || !value.IsKnown() || value.IsNull() || value.Type() != cty.String {
			return "", false
		}
		text += value.AsString()
	}
	return text, false
}

// reach checks one use of a path.
func (s *scope) reach(u use) {
	at := u.expr.Range()
	if !u.value.IsWhollyKnown() {
		if s.in.Policy != nil && !s.ofTheRun(u.expr) {
			s.refuse(u.file, RulePolicyPath, at, u.what+" cannot be told before it is evaluated",
				"write the path out, below ${path.root}")
		}
		return
	}
	texts := stringsOf(u.value)
	if text := stringOf(u.value); text != "" {
		texts = []string{text}
	}
	for _, text := range texts {
		switch {
		case text == "":
		case outside(text), s.in.Policy != nil && climbs(text):
			s.away(u, at, text)
		case u.role == writes, u.optional, s.staged(text, u.role):
		default:
			s.refuse(u.file, RuleFile, at,
				fmt.Sprintf("%s is %.120q, which is not staged%s", u.what, text, near(stagePath(text), sortedKeys(s.stage))),
				"a target sees the files below templates/ that belong to it; paths begin with ${path.root}/")
		}
	}
}

// away is about a path that leaves the stage.
func (s *scope) away(u use, at hcl.Range, text string) {
	if s.in.Policy != nil {
		s.refuse(u.file, RulePolicyPath, at, fmt.Sprintf("%s is %.120q, outside of the tree", u.what, text),
			"keep files below templates/ and name them from ${path.root}")
		return
	}
	if !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "~") && u.role != writes && !u.optional {
		s.refuse(u.file, RuleFile, at,
			fmt.Sprintf("%s is %.120q, outside of the stage: nothing is there when Packer runs", u.what,
				text), "keep files below templates/ and name them from ${path.root}")
	}
}

// outside says whether a path leaves the stage. The stage holds no links: what
// links pointed to was copied, and a link that leaves templates/ is refused
// before.
func outside(text string) bool {
	clean := stagePath(text)
	return strings.HasPrefix(clean, "/") || strings.HasPrefix(clean, "~") || clean == ".." ||
		strings.HasPrefix(clean, "../") || strings.Contains(text, "\x00")
}

// climbs says whether a path has .. in it: a pattern before it multiplies what is
// found, and where it leads is not seen at once.
func climbs(text string) bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(text, `\`, "/"), "/"), "..")
}

// staged says whether a file, or a folder with files, is in the stage.
func (s *scope) staged(text string, r role) bool {
	clean := stagePath(text)
	if _, ok := s.stage[clean]; ok || clean == "." {
		return true
	}
	for staged := range s.stage {
		if strings.HasPrefix(staged, clean+"/") {
			return true
		}
		if r == globs {
			if match, err := path.Match(clean, staged); err == nil && match {
				return true
			}
		}
	}
	return false
}

// ofTheRun says whether an expression is a variable that packer-hybrid itself
// sets for every run.
func (s *scope) ofTheRun(expr hclsyntax.Expression) bool {
	t, ok := plain(expr)
	return ok && t.RootName() == "var" && s.resolved[attrName(t, 1)].Run
}

// plain is the reference that an expression consists of.
func plain(expr hclsyntax.Expression) (hcl.Traversal, bool) {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return e.Traversal, true
	case *hclsyntax.TemplateWrapExpr:
		return plain(e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return plain(e.Expression)
	default:
		return nil, false
	}
}
