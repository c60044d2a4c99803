// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:36:02Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package provisioners_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/provisioners"
)

const (
	play = "build {\n  sources = local.sources\n  provisioner \"ansible\" {\n    playbook_file = \"a.yml\"\n  }\n}\n"
	disc = "source \"proxmox-iso\" \"linux\" {\n  communicator = \"ssh\"\n  additional_iso_files {\n" +
		"    cd_content = local.files\n  }\n}\n"
	answer = "ansible-playbook [core 2.14.18]\n  config file = None\n" +
		"  ansible python module location = DIR/python/ansible\n" +
		"  ansible collection location = DIR/collections:/nowhere\n" +
		"  python version = 3.11.2 (main, Apr 28 2025) [GCC 12.2.0] (/usr/bin/python3)\n"
)

// machine has programs in a folder of their own.
func machine(t *testing.T, programs ...string) (provisioners.Machine, string) {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "bin", ".keep"), "", 0o600)
	for _, name := range programs {
		put(t, filepath.Join(dir, "bin", name), "#!/bin/sh\n", 0o755)
	}
	return provisioners.Machine{
		Environ: []string{"PATH=" + filepath.Join(dir, "bin"), "HOME=" + dir}, Checkout: filepath.Join(dir, "checkout"),
		Answer: func(context.Context, string) string { return strings.ReplaceAll(answer, "DIR", dir) },
	}, dir
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// needs are those of a target with these files, by their path in the stage.
func needs(t *testing.T, files map[string]string) provisioners.Needs {
	t.Helper()
	root := t.TempDir()
	in := provisioners.Input{Templates: map[string]*hclfile.File{}, Files: os.DirFS(root)}
	in.Target.Source = "proxmox-iso.linux"
	for name, text := range files {
		from := "templates/" + name
		put(t, filepath.Join(root, from), text, 0o600)
		in.Target.Files = append(in.Target.Files, hybridcore.File{Path: name, From: from})
		if strings.HasSuffix(name, ".pkr.hcl") {
			file, err := hclfile.Parse([]byte(text), from, hclfile.Template())
			if err != nil {
				t.Fatal(err)
			}
			in.Templates[from] = file
		}
	}
	return provisioners.Of(in)
}

func installed(t *testing.T, dir, name, version string) {
	t.Helper()
	folder := filepath.Join(dir, "ansible_collections", filepath.FromSlash(strings.ReplaceAll(name, ".", "/")))
	put(t, filepath.Join(folder, "MANIFEST.json"),
		`{"collection_info": {"version": "`+version+`"}}`, 0o600)
}

func TestCheck(t *testing.T) {
	all := []string{"ansible-playbook", "ansible-galaxy", "ssh", "xorriso"}
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return one == name })
	}
	with := func(files map[string]string, more ...string) map[string]string {
		merged := map[string]string{"linux.pkr.hcl": play, "proxmox.pkr.hcl": disc}
		for i := 0; i+1 < len(more); i += 2 {
			merged[more[i]] = more[i+1]
		}
		maps.Copy(merged, files)
		return merged
	}
	task := "- name: x\n  hosts: all\n  tasks:\n    - block:\n        - community.general.ufw:\n" +
		"            state: enabled\n"
	tests := map[string]struct {
		files    map[string]string
		programs []string
		install  map[string]string // collections that are installed: name → version
		want     []string          // part of each finding, as "rule subject file:line message"
		tools    []string          // that the report names among others
		change   func(m *provisioners.Machine, dir string)
	}{
		"everything is there": {
			files: with(nil), programs: all, tools: []string{"ansible-core 2.14.18", "python 3.11.2"},
		},
		"nothing is needed": {files: map[string]string{"x.pkr.hcl": "build {\n  provisioner \"shell\" {\n  }\n}\n"}},
		"no Ansible": {
			files: with(nil), programs: without("ansible-playbook"),
			want: []string{"missing-tool ansible-playbook templates/linux.pkr.hcl:3"},
		},
		"no SSH client": {
			files: with(nil), programs: without("ssh"), want: []string{"missing-tool ssh templates/linux.pkr.hcl:3"},
		},
		"no SSH client, and none is needed": {
			files:    with(map[string]string{"proxmox.pkr.hcl": strings.Replace(disc, "\"ssh\"", "\"winrm\"", 1)}),
			programs: without("ssh"),
		},
		"nothing makes a CD": {
			files: with(nil), programs: without("xorriso"),
			want: []string{
				"missing-tool xorriso templates/proxmox.pkr.hcl:4 none of xorriso, mkisofs is on the PATH, and cd_content",
			},
		},
		"another program makes the CD": {files: with(nil), programs: append(without("xorriso"), "mkisofs")},
		"no CD is made": {
			files:    with(map[string]string{"proxmox.pkr.hcl": strings.Replace(disc, "local.files", "{}", 1)}),
			programs: without("xorriso"),
		},
		"the CD is another source's": {
			files:    with(map[string]string{"proxmox.pkr.hcl": strings.Replace(disc, "\"linux\"", "\"windows\"", 1)}),
			programs: without("xorriso"),
		},
		"the source of a build block adds a CD": {
			files: map[string]string{
				"linux.pkr.hcl": "build {\n  source \"proxmox-iso.linux\" {\n    cd_files = [\"a\"]\n  }\n}\n",
			},
			want: []string{"missing-tool xorriso templates/linux.pkr.hcl:3"},
		},
		"the provisioner is for another source": {
			files: map[string]string{
				"linux.pkr.hcl": strings.Replace(play, "playbook_file = \"a.yml\"", "only = [\"azure-arm.linux\"]", 1),
			},
		},
		"the provisioner is not for this source": {
			files: map[string]string{
				"linux.pkr.hcl": strings.Replace(play, "playbook_file = \"a.yml\"", "except = [\"proxmox-iso.linux\"]", 1),
			},
		},
		"Ansible runs in the guest": {
			files: map[string]string{"linux.pkr.hcl": strings.Replace(play, "\"ansible\"", "\"ansible-local\"", 1)},
		},
		"a command of its own": {
			files: with(map[string]string{
				"linux.pkr.hcl": strings.Replace(play, "playbook_file = \"a.yml\"", "command = \"/opt/none/ansible-playbook\"", 1),
			}), programs: all, want: []string{"missing-tool /opt/none/ansible-playbook templates/linux.pkr.hcl:3"},
		},
		"a command that is there, and nobody knows what it is": {
			files: with(map[string]string{
				"linux.pkr.hcl": strings.Replace(play, "playbook_file = \"a.yml\"", "command = \"/bin/sh\"", 1),
			}, "ansible/linux.yml", task), programs: all, tools: []string{"ansible-core unknown"},
			change: func(m *provisioners.Machine, _ string) {
				m.Answer = func(_ context.Context, path string) string { t.Errorf("%s is asked", path); return "" }
			},
			want: []string{"not-looked-at /bin/sh templates/linux.pkr.hcl:3 the version of Ansible and its collections"},
		},
		"a command that a variable names": {
			files: with(map[string]string{
				"linux.pkr.hcl": strings.Replace(play, "playbook_file = \"a.yml\"", "command = var.ansible", 1),
			}), programs: without("ansible-playbook"),
		},
		"a PATH into the checkout, or relative": {
			files: with(nil), programs: without("ansible-playbook"),
			change: func(m *provisioners.Machine, dir string) {
				put(t, filepath.Join(dir, "checkout", "bin", "ansible-playbook"), "#!/bin/sh\n", 0o755)
				if err := os.Symlink(filepath.Join(dir, "checkout", "bin"), filepath.Join(dir, "link")); err != nil {
					t.Fatal(err)
				}
				t.Chdir(filepath.Join(dir, "checkout"))
				m.Environ[0] = "PATH=bin:" + filepath.Join(dir, "checkout", "bin") + ":" + filepath.Join(dir, "link") + ":" +
					filepath.Join(dir, "bin")
			},
			want: []string{"missing-tool ansible-playbook templates/linux.pkr.hcl:3 ansible-playbook is not on the PATH, and " +
				"the provisioner ansible needs it (bin/ansible-playbook is not taken"},
		},
		"a required collection is missing": {
			files:    with(nil, "ansible/requirements.yml", "collections:\n  - name: ansible.posix\n    version: \">=1.5.0\"\n"),
			programs: all, want: []string{"missing-collection ansible.posix templates/ansible/requirements.yml:0"},
		},
		"a required collection is too old": {
			files: with(nil, "ansible/collections/requirements.yml",
				"collections:\n  - name: ansible.posix\n    version: \">=1.5.0,<2.0.0\"\n"),
			programs: all, install: map[string]string{"ansible.posix": "1.4.0"},
			want: []string{"old-tool ansible.posix templates/ansible/collections/requirements.yml:0 the collection " +
				"ansible.posix 1.4.0 does not meet >=1.5.0,<2.0.0"},
		},
		"a required collection is there": {
			files: with(nil, "ansible/requirements.yml",
				"collections:\n  - ansible.posix\n  - name: a.b\n    version: ==1.0.0\n"),
			programs: all, install: map[string]string{"ansible.posix": "1.4.0", "a.b": "1.0.0"},
			tools: []string{"collection:ansible.posix 1.4.0", "collection:a.b 1.0.0"},
		},
		"a task of a collection": {
			files: with(nil, "ansible/linux.yml", task), programs: all,
			want: []string{"missing-collection community.general templates/ansible/linux.yml:0"},
		},
		"a task of a collection among the files": {
			files: with(nil, "ansible/linux.yml", task,
				"ansible/collections/ansible_collections/community/general/galaxy.yml", "version: 7.0.0\n"),
			programs: all, tools: []string{"collection:community.general 7.0.0"},
		},
		"the provisioner installs collections": {
			files: with(map[string]string{
				"linux.pkr.hcl": strings.Replace(play, "playbook_file = \"a.yml\"", "galaxy_file = \"requirements.yml\"", 1),
			}, "ansible/linux.yml", task), programs: without("ansible-galaxy"),
			want: []string{"missing-tool ansible-galaxy templates/linux.pkr.hcl:3"},
		},
		"what only looks like a collection": {
			files: with(nil, "ansible/linux.yml",
				"- hosts: all\n  tasks:\n    - ansible.builtin.sysctl:\n        name: x\n      vars:\n"+
					"        net.ipv4.ip_forward: 1\n",
				"ansible/roles/a/vars/main.yml", "net.ipv4.conf.all: 1\n", "ansible/roles/a/templates/x.yml", "{{ not yaml\n"),
			programs: all,
		},
		"a folder that ansible.cfg names": {
			files:    with(nil, "ansible/linux.yml", task, "ansible/ansible.cfg", "[defaults]\ncollections_path = ~/mine\n"),
			programs: all, change: func(_ *provisioners.Machine, dir string) {
				installed(t, filepath.Join(dir, "mine"), "community.general", "7.0.0")
			}, tools: []string{"collection:community.general 7.0.0"},
		},
		"a folder that cannot be known": {
			files:    with(nil, "ansible/linux.yml", task, "ansible/ansible.cfg", "[defaults]\ncollections_paths=./here\n"),
			programs: all,
		},
		"a role for a newer Ansible": {
			files: with(nil, "ansible/roles/a/meta/main.yml", "galaxy_info:\n  min_ansible_version: \"2.16\"\n"), programs: all,
			want: []string{"old-tool ansible-playbook templates/ansible/roles/a/meta/main.yml:0 ansible-core 2.14.18 is older"},
		},
		"a role for an older Ansible": {
			files: with(nil, "ansible/roles/a/meta/main.yml", "galaxy_info:\n  min_ansible_version: \"2.9\"\n"), programs: all,
		},
		"an Ansible under development": {
			files: with(nil, "ansible/roles/a/meta/main.yml", "galaxy_info:\n  min_ansible_version: \"2.16\"\n"), programs: all,
			change: func(m *provisioners.Machine, _ string) {
				m.Answer = func(context.Context, string) string { return "ansible-playbook [core 2.19.0.dev0]\n" }
			},
			tools: []string{"ansible-core 2.19.0.dev0"},
		},
		"nobody may be asked": {
			files: with(nil, "ansible/linux.yml", task, "ansible/roles/a/meta/main.yml",
				"galaxy_info:\n  min_ansible_version: \"2.16\"\n"),
			programs: all, change: func(m *provisioners.Machine, _ string) { m.Answer = nil },
			tools: []string{"ansible-core unknown"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, dir := machine(t, tt.programs...)
			for collection, version := range tt.install {
				installed(t, filepath.Join(dir, "collections"), collection, version)
			}
			if tt.change != nil {
				tt.change(&m, dir)
			}
			report := m.Check(t.Context(), needs(t, tt.files))
			var got []string
			for _, f := range report.Findings {
				got = append(got, f.Rule+" "+f.Subject+" "+f.File+":"+string(rune('0'+f.Line))+" "+f.Message)
				looked := f.Rule != "not-looked-at"
				if looked != (f.Hint != "") || looked != f.Blocking || f.Kind != provisioners.Kind {
					t.Errorf("%+v", f)
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
			for _, want := range tt.tools {
				name, version, _ := strings.Cut(want, " ")
				if !slices.Contains(report.Tools, hybridcore.Tool{Name: name, Version: version}) {
					t.Errorf("%s is not in %v", want, report.Tools)
				}
			}
		})
	}
}

// TestInstallCommands: a missing program comes with the command that installs it, on each system.
func TestInstallCommands(t *testing.T) {
	m, _ := machine(t)
	all := needs(t, map[string]string{"linux.pkr.hcl": play, "p.pkr.hcl": disc})
	for _, f := range m.Check(t.Context(), all).Findings {
		for _, want := range []string{"apt-get install ", "dnf install ", "brew install "} {
			if !strings.Contains(f.Hint, want) {
				t.Errorf("%s: %q", f.Subject, f.Hint)
			}
		}
	}
}
