// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:23:48Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package provisioners

import (
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ansibleDir is where the playbooks and roles lie, in the stage.
const ansibleDir = "ansible"

// Ansible is what the playbooks and roles of a target need.
type Ansible struct {
	Command     string // that runs playbooks; a name or a path, of which nobody knows what it is
	Oldest      string // version of ansible-core that a role names; empty for none
	OldestOf    string // the file that names it
	Collections []Collection
	Paths       []string          // that the target's ansible.cfg names for collections; nil for Ansible's own
	own         map[string]string // collections among the files of the target, with their versions

	file        string // of the provisioner
	line        int
	galaxy      bool   // the provisioner has ansible-galaxy install what is required
	elsewhere   bool   // the provisioner says where collections are, by an expression
	environment string // that the provisioner gives Ansible, as it is written
}

// Collection is one that is required, or that a task names.
type Collection struct {
	Name    string // NAMESPACE.NAME
	Version string // constraint as in Ansible; empty or * for any
	File    string // that requires it
}

// requirements are the files in which Ansible looks for what is required.
var requirements = []string{
	"requirements.yml", "requirements.yaml", "collections/requirements.yml", "collections/requirements.yaml",
}

// collectionName is that of a module, role or plugin in a collection.
var collectionName = regexp.MustCompile(`^([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)\.[A-Za-z0-9_.]+$`)

// read reads the files of the target.
func (a *Ansible) read(in Input) {
	a.own = map[string]string{}
	for _, f := range in.Target.Files {
		name, ours := strings.CutPrefix(f.Path, ansibleDir+"/")
		if !ours {
			continue
		}
		if rest, inside := strings.CutPrefix(name, "collections/ansible_collections/"); inside {
			a.bundled(in.Files, f.From, rest)
			continue
		}
		ext := path.Ext(name)
		switch {
		case name == "ansible.cfg":
			a.Paths = collectionPaths(content(in.Files, f.From))
		case ext != ".yml" && ext != ".yaml":
		case slices.Contains(requirements, name):
			a.required(content(in.Files, f.From), f.From)
		case path.Base(path.Dir(name)) == "meta" && strings.HasPrefix(path.Base(name), "main."):
			a.role(content(in.Files, f.From), f.From)
		default:
			a.tasks(content(in.Files, f.From), f.From)
		}
	}
}

// bundled notes a collection among the files of the target.
func (a *Ansible) bundled(files fs.FS, from, rest string) {
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) < 3 {
		return
	}
	name := parts[0] + "." + parts[1]
	if version := collectionVersion(parts[2], content(files, from)); version != "" || a.own[name] == "" {
		a.own[name] = version
	}
}

// add requires a collection, once: a constraint beats a use.
func (a *Ansible) add(c Collection) {
	if c.Name == "" || strings.HasPrefix(c.Name, "ansible.builtin") || strings.HasPrefix(c.Name, "ansible.legacy") {
		return
	}
	at := slices.IndexFunc(a.Collections, func(known Collection) bool { return known.Name == c.Name })
	switch {
	case at < 0:
		a.Collections = append(a.Collections, c)
	case a.Collections[at].Version == "" && c.Version != "":
		a.Collections[at] = c
	}
}

// required reads a file of requirements. One that is a list has roles only.
func (a *Ansible) required(data []byte, from string) {
	var file struct {
		Collections []yaml.Node `yaml:"collections"`
	}
	if yaml.Unmarshal(data, &file) != nil {
		return
	}
	for _, node := range file.Collections {
		entry := struct {
			Name    string `yaml:"name"`
			Version string `yaml:"version"`
		}{}
		if node.Kind == yaml.ScalarNode {
			entry.Name, entry.Version, _ = strings.Cut(node.Value, ":")
		} else if node.Decode(&entry) != nil {
			continue
		}
		if strings.Count(entry.Name, ".") == 1 && !strings.ContainsAny(entry.Name, "/: ") { // else a file or an address
			a.add(Collection{Name: entry.Name, Version: entry.Version, File: from})
		}
	}
}

// role reads what a role says of itself.
func (a *Ansible) role(data []byte, from string) {
	var meta struct {
		Galaxy struct {
			Oldest string `yaml:"min_ansible_version"`
		} `yaml:"galaxy_info"`
		Collections []string `yaml:"collections"`
	}
	if yaml.Unmarshal(data, &meta) != nil {
		return
	}
	if newer(meta.Galaxy.Oldest, cmp.Or(a.Oldest, "0")) {
		a.Oldest, a.OldestOf = meta.Galaxy.Oldest, from
	}
	for _, name := range meta.Collections {
		a.add(Collection{Name: name, File: from})
	}
}

// taskLists are the settings of plays and blocks that hold tasks.
var taskLists = []string{"tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"}

// maxNested is how deep blocks may lie in each other.
const maxNested = 20

// tasks reads a playbook or a file of tasks. Anything else has no modules in the place of a
// task's, and is passed over.
func (a *Ansible) tasks(data []byte, from string) {
	var list []map[string]any
	if yaml.Unmarshal(data, &list) == nil {
		a.walk(list, from, 0)
	}
}

func (a *Ansible) walk(list []map[string]any, from string, depth int) {
	for _, one := range list {
		for key, value := range one {
			if m := collectionName.FindStringSubmatch(key); m != nil {
				a.add(Collection{Name: m[1], File: from})
			}
			nested, isList := value.([]any)
			if !isList || depth >= maxNested {
				continue
			}
			switch {
			case slices.Contains(taskLists, key):
				a.walk(maps(nested), from, depth+1)
			case key == "collections":
				for _, name := range nested {
					if text, ok := name.(string); ok {
						a.add(Collection{Name: text, File: from})
					}
				}
			case key == "roles":
				a.roles(nested, from)
			}
		}
	}
}

// roles are those of a play: names, or settings with a name.
func (a *Ansible) roles(list []any, from string) {
	for _, one := range list {
		name, _ := one.(string)
		if settings, ok := one.(map[string]any); ok {
			name, _ = settings["role"].(string)
		}
		if m := collectionName.FindStringSubmatch(name); m != nil {
			a.add(Collection{Name: m[1], File: from})
		}
	}
}

func maps(list []any) []map[string]any {
	var all []map[string]any
	for _, one := range list {
		if m, ok := one.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// pathSetting is how ansible.cfg names where collections are.
var pathSetting = regexp.MustCompile(`(?m)^[ \t]*collections_paths?[ \t]*[=:][ \t]*([^\r\n;#]+)`)

// collectionPaths are those of an ansible.cfg.
func collectionPaths(data []byte) []string {
	m := pathSetting.FindSubmatch(data)
	if m == nil {
		return nil
	}
	return strings.Split(string(bytes.TrimSpace(m[1])), ":")
}
