// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:44:01Z
// Spec: openspec/specs/packer/spec.md#requirement-starters-in-validations
// Diagram: openspec/specs/packer/diagram.md#plugins-of-a-validation

package packer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// validatedTemplate needs a real builder, a real provisioner and one of
// Packer's own.
const validatedTemplate = `
packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 1.4.0"
    }
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = "%VERSION%"
    }
  }
}
source "vsphere-iso" "linux" {
  vcenter_server = "127.0.0.1"
  username       = "u"
  password       = "p"
  vm_name        = "v"
  host           = "h"
  guest_os_type  = "debian12_64Guest"
  ssh_username   = "root"
  ssh_password   = "p"
  iso_paths      = ["[d] a.iso"]
  storage {
    disk_size = 1000
  }
  %SETTING%
}
build {
  sources = ["vsphere-iso.linux"]
  provisioner "ansible" {
    playbook_file = "%PLAYBOOK%"
  }
  provisioner "shell" {
    inline = ["true"]
  }
}
`

// Packer with the real plugins comes to the same verdict, in the same words,
// with starters in front of them.
func TestStartersInPacker(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	plugins, err := tool.Plugins([]Requirement{{Addresses: []string{"github.com/hashicorp/vsphere"}}, {Addresses: []string{"github.com/hashicorp/ansible"}}})
	if err != nil {
		t.Fatalf("%v\nrun: make tools", err)
	}
	s := tool.Starters(filepath.Join(shortDir(t), "run"))
	for name, tt := range map[string]struct {
		version, setting, playbook string
		status                     hybridcore.Status
		want                       string // in the failure
	}{
		"valid":                    {"~> 1.1", "", "playbook.yml", hybridcore.Validated, ""},
		"what only Prepare knows":  {"~> 1.1", `shutdown_timeout = "soon"`, "playbook.yml", hybridcore.Failed, "soon"},
		"what only a schema knows": {"~> 1.1", `zork = 1`, "playbook.yml", hybridcore.Failed, "Unsupported argument"},
		"a provisioner's mistake":  {"~> 1.1", "", "missing.yml", hybridcore.Failed, "missing.yml"},
		"another version":          {"~> 9.0", "", "playbook.yml", hybridcore.Failed, "Missing plugins"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			validated := func(starters bool) (Outcome, Job) {
				job := stage(t, strings.NewReplacer("%VERSION%", tt.version, "%SETTING%", tt.setting, "%PLAYBOOK%", tt.playbook).Replace(validatedTemplate))
				write(t, filepath.Join(job.Dir, "playbook.yml"), "- hosts: all\n")
				job.Plugins = plugins
				var err error
				if starters {
					job.Plugins, err = s.Of(t.Context(), job)
				}
				if err != nil {
					t.Fatal(err)
				}
				out, err := tool.Validate(t.Context(), job)
				if err != nil {
					t.Fatal(err)
				}
				return out, job
			}
			with, job := validated(true)
			without, _ := validated(false)
			if with.Status != tt.status || (with.Failure != nil && !strings.Contains(fmt.Sprint(*with.Failure, with.Findings), tt.want)) {
				t.Errorf("%s, %+v, %+v", with.Status, with.Failure, with.Findings)
			}
			without.Started, without.Duration = with.Started, with.Duration
			if diff := cmp.Diff(without, with); diff != "" {
				t.Errorf("with starters (+):\n%s", diff)
			}
			for i, p := range plugins {
				placed := scratch(job.Scratch).placed(p)
				if text := read(t, placed); !strings.HasPrefix(text, "#!/bin/sh\n") || read(t, placed+checksumSuffix) != job.Plugins[i].SHA256 {
					t.Errorf("no starter is in the job's tree at %s", placed)
				}
			}
		})
	}
}

// What a starter says is what the plugin says, to the byte, and Packer takes a
// starter only as it was written.
func TestStarterOfRealPlugins(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, `packer {
  required_plugins {
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = ">= 1.0"
    }
  }
}
`+nullBuild("true", ""))
	plugins, err := tool.Plugins([]Requirement{{Addresses: []string{"github.com/hashicorp/vsphere"}}, {Addresses: []string{"github.com/hashicorp/ansible"}}})
	if err != nil {
		t.Fatalf("%v\nrun: make tools", err)
	}
	job.Plugins = plugins
	s := tool.Starters(filepath.Join(shortDir(t), "run"))
	starters, err := s.Of(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range plugins {
		want, err := exec.CommandContext(t.Context(), p.Path, "describe").Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := exec.CommandContext(t.Context(), starters[i].Path, "describe").Output(); err != nil || string(got) != string(want) || starters[i].Path == p.Path {
			t.Errorf("%s describes itself as %q, its starter as %q, %v", p.Address, want, got, err)
		}
	}
	if err := os.WriteFile(starters[1].Path, []byte(read(t, starters[1].Path)+"# more\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	job.Plugins = starters
	out, err := tool.Validate(t.Context(), job)
	if err != nil || out.Status != hybridcore.Failed || !strings.Contains(fmt.Sprint(out.Failure, out.Findings), "github.com/hashicorp/ansible") {
		t.Errorf("%v, %+v, %+v", err, out.Failure, out.Findings)
	}
}
