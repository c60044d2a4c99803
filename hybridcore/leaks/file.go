// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:48Z
// Spec: openspec/specs/leaks/spec.md#requirement-settings-that-name-a-secret
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// form is how a file writes settings.
type form int

// Forms of files.
const (
	source  form = iota // programs and prose: what they say of names is not looked at
	quoting             // scripts of which only quoted texts are literals
	hclForm             // as quoting, with blocks
	jsonForm
	yamlForm
	lines // NAME=VALUE: shell scripts, environments, INI, answers of installers
	xmlForm
)

// forms are those of the ends of file names.
var forms = map[string]form{
	".hcl": hclForm, ".tf": hclForm, ".tfvars": hclForm, ".pkrvars": hclForm,
	".json": jsonForm, ".tfstate": jsonForm, ".jsonc": jsonForm, ".dockercfg": jsonForm, ".dockerconfigjson": jsonForm,
	".yml": yamlForm, ".yaml": yamlForm,
	".env": lines, ".envrc": lines, ".ini": lines, ".cfg": lines, ".conf": lines, ".cnf": lines, ".properties": lines,
	".toml": lines, ".sh": lines, ".bash": lines, ".zsh": lines, ".bat": lines, ".cmd": lines, ".ks": lines,
	".seed": lines, ".netrc": lines, ".npmrc": lines, ".pypirc": lines, ".pgpass": lines, ".my": lines, ".service": lines,
	".inf": lines, ".txt": lines, ".mk": lines, ".repo": lines, ".list": lines,
	".ps1": quoting, ".psm1": quoting, ".py": quoting, ".rb": quoting, ".pl": quoting, ".pp": quoting,
	".xml": xmlForm,
}

// whole are file names without an end that say the form.
var whole = map[string]form{
	"dockerfile": lines, "containerfile": lines, "makefile": lines, "hosts": lines, "inventory": lines,
	"user-data": yamlForm, "meta-data": yamlForm, "netrc": lines, "credentials": lines, "vagrantfile": quoting,
	"jenkinsfile": quoting,
	".vault_pass": lines, ".vault-pass": lines, "config": lines, "sudoers": lines,
}

// wrappers are ends of templates: what is before them says the form.
var wrappers = []string{
	".tftpl", ".pkrtpl.hcl", ".pkrtpl", ".tpl", ".tmpl", ".j2", ".erb", ".epp", ".bak", ".orig", ".old", ".in",
}

// examples are parts of names of files that show which settings there are.
var examples = []string{".example", ".sample", ".dist", "example.", "sample."}

// file is one file that is searched.
type file struct {
	name    string
	content []byte
	form    form
	example bool // settings are there to be replaced
}

func newFile(name string, content []byte) *file {
	base := strings.ToLower(path.Base(name))
	t := &file{name: name, content: content}
	t.example = slices.ContainsFunc(examples, func(part string) bool { return strings.Contains(base, part) })
	for _, end := range append([]string{".example", ".sample", ".dist"}, wrappers...) {
		if cut := strings.TrimSuffix(base, end); cut != "" {
			base = cut
		}
	}
	byEnd, known := forms[path.Ext(base)]
	byName, named := whole[base]
	first, _, _ := bytes.Cut(content[:min(len(content), 200)], []byte("\n"))
	switch {
	case known:
		t.form = byEnd
	case named:
		t.form = byName
	case strings.HasPrefix(base, ".env"), strings.HasPrefix(base, "dockerfile."):
		t.form = lines
	case bytes.HasPrefix(first, []byte("#cloud-config")):
		t.form = yamlForm
	case bytes.HasPrefix(first, []byte("#!")) && bytes.Contains(first, []byte("sh")):
		t.form = lines
	case bytes.HasPrefix(first, []byte("#!")):
		t.form = quoting
	case path.Ext(base) == "" && !strings.HasPrefix(base, "license") && !strings.HasPrefix(base, "readme"):
		t.form = lines
	}
	return t
}

// encrypted says whether a file is one of Ansible Vault or SOPS as a whole.
func (t *file) encrypted() bool {
	return bytes.HasPrefix(t.content, []byte("$ANSIBLE_VAULT;"))
}
